/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pipelines that begin at a screen of Mutter's: what is on it comes out of the
 * decoder. Under mutter.sh 1280x720, with the paths of the plugin,
 * porthole-hostd and wl_patch.
 */
#include <math.h>

#include "common/clock.h"
#include "deskd/mutter_session.h"
#include "integration/child.h"
#include "pipeline.h"

enum {
    WIDTH = 1280,
    HEIGHT = 720,
    CELL_W = 80,
    CELL_H = 72,
    COLUMNS = WIDTH / CELL_W,
    CELLS = COLUMNS * HEIGHT / CELL_H,
    WAIT_MS = 60000,
    LEAST_DB = 34,
    FLAT_LEVELS = 3,
};

/* --- what is on the screen: cells of one colour, each with a small mark whose
 * edges lie on odd pixels as well --- */

static uint32_t colour_of(unsigned cell)
{
    uint32_t n = cell * UINT32_C(2654435761);
    return (n >> 8 & 0xff0000) | (n >> 4 & 0xff00) | (n & 0xff);
}

static void draw(struct child *patch)
{
    for (unsigned i = 0; i < CELLS; i++) {
        unsigned x = i % COLUMNS * CELL_W;
        unsigned y = i / COLUMNS * CELL_H;
        child_send(patch, "rect %u %u %u %u %06x", x, y, CELL_W, CELL_H,
                colour_of(i));
        child_send(patch, "rect %u %u %u %u %06x", x + 3 + i % 4, y + 5 + i % 3,
                9 + i % 2, 7, colour_of(i + CELLS));
    }
    child_send(patch, "commit");
}

static uint32_t screen_at(unsigned x, unsigned y)
{
    unsigned i = y / CELL_H * COLUMNS + x / CELL_W;
    unsigned left = x % CELL_W - 3 - i % 4; /* wraps: not in it */
    unsigned top = y % CELL_H - 5 - i % 3;
    return colour_of(left < 9 + i % 2 && top < 7 ? i + CELLS : i);
}

/* --- pictures as Y, U, V --- */

static void to_yuv(const GstVideoColorimetry *c, double r, double g, double b,
        double yuv[3])
{
    gdouble kr = 0;
    gdouble kb = 0;
    CHECK_EQ(c->range, GST_VIDEO_COLOR_RANGE_16_235);
    CHECK(gst_video_color_matrix_get_Kr_Kb(c->matrix, &kr, &kb));
    double y = kr * r + (1 - kr - kb) * g + kb * b;
    yuv[0] = 16 + 219 * y / 255;
    yuv[1] = 128 + 112 * (b - y) / (1 - kb) / 255;
    yuv[2] = 128 + 112 * (r - y) / (1 - kr) / 255;
}

static guint8 component(const GstVideoFrame *f, guint c, int x, int y)
{
    const guint8 *row = GST_VIDEO_FRAME_COMP_DATA(f, c);
    row += (ptrdiff_t)y * GST_VIDEO_FRAME_COMP_STRIDE(f, c);
    return row[(ptrdiff_t)x * GST_VIDEO_FRAME_COMP_PSTRIDE(f, c)];
}

/* What went in, at a place of a plane; chroma of RGB is the mean of its
 * pixels. */
static double input_at(const GstVideoFrame *f, const GstVideoColorimetry *c,
        guint plane, int x, int y)
{
    if (GST_VIDEO_INFO_IS_YUV(&f->info)) {
        return component(f, plane, x, y);
    }
    double rgb[3] = {0};
    double yuv[3];
    int side = plane ? 2 : 1;
    for (int i = 0; i < side * side; i++) {
        for (guint k = 0; k < 3; k++) {
            rgb[k] += component(f, k, x * side + i % side, y * side + i / side);
        }
    }
    double n = side * side;
    to_yuv(c, rgb[0] / n, rgb[1] / n, rgb[2] / n, yuv);
    return yuv[plane];
}

static double psnr(const GstVideoFrame *in, const GstVideoFrame *out, guint c)
{
    double sum = 0;
    int width = GST_VIDEO_FRAME_COMP_WIDTH(out, c);
    int height = GST_VIDEO_FRAME_COMP_HEIGHT(out, c);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double e = component(out, c, x, y) -
                    input_at(in, &out->info.colorimetry, c, x, y);
            sum += e * e;
        }
    }
    return 10 * log10(255 * 255 / fmax(sum / width / height, 1e-3));
}

/* By how many levels the flat parts differ from the screen, at the most. */
static double flat_difference(const GstVideoFrame *out)
{
    double most = 0;
    for (unsigned i = 0; i < CELLS; i++) {
        double yuv[3];
        uint32_t rgb = colour_of(i);
        unsigned x = i % COLUMNS * CELL_W + CELL_W / 2;
        unsigned y = i / COLUMNS * CELL_H + CELL_H / 2;
        to_yuv(&out->info.colorimetry, rgb >> 16, rgb >> 8 & 0xff, rgb & 0xff,
                yuv);
        x = x * (unsigned)GST_VIDEO_FRAME_WIDTH(out) / WIDTH;
        y = y * (unsigned)GST_VIDEO_FRAME_HEIGHT(out) / HEIGHT;
        for (guint c = 0; c < 3; c++) {
            int shift = c > 0;
            double e = component(out, c, (int)x >> shift, (int)y >> shift) -
                    yuv[c];
            most = fmax(most, fabs(e));
        }
    }
    return most;
}

/* Whether an RGB picture is the screen, pixel by pixel. */
static bool is_screen(const GstVideoFrame *in)
{
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            uint32_t rgb = (uint32_t)component(in, 0, x, y) << 16 |
                    (uint32_t)component(in, 1, x, y) << 8 |
                    component(in, 2, x, y);
            if (rgb != screen_at((unsigned)x, (unsigned)y)) {
                return false;
            }
        }
    }
    return true;
}

/* --- a pipeline --- */

struct view {
    const char *name;
    GstElement *pipeline;
    GstAppSink *sink;
    GMutex lock;
    GstSample *input; /* the newest that went into the encoder */
};

static GstPadProbeReturn keep_input(
        GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    struct view *v = data;
    if (gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info)) == 0) {
        return GST_PAD_PROBE_OK; /* the picture before */
    }
    g_autoptr(GstCaps) caps = gst_pad_get_current_caps(pad);
    /* Upstream uses its memory again. */
    GstBuffer *copy = gst_buffer_copy_deep(GST_PAD_PROBE_INFO_BUFFER(info));
    GstSample *sample = gst_sample_new(copy, caps, NULL, NULL);
    gst_buffer_unref(copy);
    g_mutex_lock(&v->lock);
    g_clear_pointer(&v->input, gst_sample_unref);
    v->input = sample;
    g_mutex_unlock(&v->lock);
    return GST_PAD_PROBE_OK;
}

static bool view_begin(struct view *v, const char *text)
{
    g_autoptr(GError) error = NULL;
    v->name = text;
    v->pipeline = gst_parse_launch(text, &error);
    if (!CHECK(v->pipeline && !error)) {
        fprintf(stderr, "%s\n", error ? error->message : text);
        return false;
    }
    g_autoptr(GstElement) encoder =
            gst_bin_get_by_name(GST_BIN(v->pipeline), "encoder");
    g_autoptr(GstPad) pad = gst_element_get_static_pad(encoder, "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, keep_input, v, NULL);
    v->sink = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(v->pipeline), "sink"));
    gst_element_set_state(v->pipeline, GST_STATE_PLAYING);
    return true;
}

static void view_end(struct view *v)
{
    gst_element_set_state(v->pipeline, GST_STATE_NULL);
    g_clear_pointer(&v->input, gst_sample_unref);
    gst_object_unref(v->sink);
    gst_object_unref(v->pipeline);
}

static bool map(GstSample *sample, GstVideoInfo *info, GstVideoFrame *out)
{
    return sample &&
            gst_video_info_from_caps(info, gst_sample_get_caps(sample)) &&
            gst_video_frame_map(
                    out, info, gst_sample_get_buffer(sample), GST_MAP_READ);
}

/* What is wrong with a picture, NULL: nothing. */
static const char *compare(const GstVideoFrame *in, const GstVideoFrame *out)
{
    double db[3];
    if (out->info.width != in->info.width ||
            out->info.height != in->info.height) {
        return "the size";
    }
    if (flat_difference(out) > FLAT_LEVELS) {
        return "flat colours";
    }
    if (GST_VIDEO_INFO_IS_RGB(&in->info) && in->info.width == WIDTH &&
            !is_screen(in)) {
        return "what was captured";
    }
    for (guint c = 0; c < 3; c++) {
        db[c] = psnr(in, out, c);
        if (db[c] < LEAST_DB) {
            return "the likeness of a plane";
        }
    }
    printf("%.1f %.1f %.1f dB: ", db[0], db[1], db[2]);
    return NULL;
}

static const char *check_sample(struct view *v, GstSample *decoded)
{
    GstVideoInfo info[2];
    GstVideoFrame in;
    GstVideoFrame out;
    g_mutex_lock(&v->lock);
    g_autoptr(GstSample) input = v->input ? gst_sample_ref(v->input) : NULL;
    g_mutex_unlock(&v->lock);
    if (!map(decoded, &info[1], &out)) {
        return "there was no picture";
    }
    const char *wrong = "its input";
    if (map(input, &info[0], &in)) {
        wrong = compare(&in, &out);
        gst_video_frame_unmap(&in);
    }
    gst_video_frame_unmap(&out);
    return wrong;
}

/* GNOME Shell begins with its overview, over the window; Mutter alone has
 * none, and says so. */
static void end_overview(struct ph_mutter_session *s)
{
    GVariant *answer = g_dbus_connection_call_sync(ph_mutter_session_bus(s),
            "org.gnome.Shell", "/org/gnome/Shell",
            "org.freedesktop.DBus.Properties", "Set",
            g_variant_new("(ssv)", "org.gnome.Shell", "OverviewActive",
                    g_variant_new_boolean(FALSE)),
            NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, WAIT_MS, NULL, NULL);
    g_clear_pointer(&answer, g_variant_unref);
}

/* Until the screen is to be seen: a window that becomes fullscreen is in
 * another place before. */
static void check_view(
        struct view *v, struct ph_mutter_session *s, struct child *patch)
{
    const char *wrong = "there was no picture";
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (wrong && ph_clock_ns() < deadline) {
        GstSample *sample = gst_app_sink_try_pull_sample(v->sink, GST_SECOND);
        if (!sample) {
            end_overview(s);
            draw(patch); /* so that there is something to capture */
            continue;
        }
        wrong = check_sample(v, sample);
        gst_sample_unref(sample);
    }
    printf("%s\n", v->name);
    if (!CHECK(!wrong)) {
        fprintf(stderr, "wrong: %s\n", wrong);
    }
}

static void test_view(
        struct ph_mutter_session *s, struct child *patch, const char *middle)
{
    struct view v = {0};
    g_autofree char *text = g_strdup_printf(
            "pipewiresrc path=%u ! %s ! vsockenc name=encoder timeout=60000 ! "
            "h264parse ! avdec_h264 max-threads=1 ! appsink name=sink "
            "sync=false",
            ph_mutter_session_node(s), middle);
    g_mutex_init(&v.lock);
    if (view_begin(&v, text)) {
        check_view(&v, s, patch);
        view_end(&v);
    }
    g_mutex_clear(&v.lock);
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {"app", "coreelements", "libav",
            "pipewire", "videoconvertscale", "videoparsersbad", NULL};
    static const char *const middles[] = {
            /* As Mutter gives it. */
            "video/x-raw,format=BGRx",
            "videoconvert ! video/x-raw,format=BGRA",
            "videoconvert ! video/x-raw,format=RGBx",
            "videoconvert ! video/x-raw,format=RGBA",
            "videoconvert ! video/x-raw,format=NV12",
            "videoconvert ! video/x-raw,format=I420",
    };
    const struct ph_mutter_wish wish = {0};
    char line[CHILD_LINE];
    char error[256] = "";
    struct child patch;
    gst_test_init(argc, argv, plugins);
    const char *patch_argv[] = {argv[3], "fullscreen", NULL};
    if (argc < 4 || !child_start(&patch, patch_argv) ||
            !child_expect(&patch, "size 1280 720", line, WAIT_MS)) {
        return 1;
    }
    struct ph_mutter_session *s =
            ph_mutter_session_open(&wish, error, sizeof(error));
    if (!CHECK(s)) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    draw(&patch);
    for (size_t i = 0; i < G_N_ELEMENTS(middles); i++) {
        test_view(s, &patch, middles[i]);
    }
    test_view(s, &patch,
            "videoconvert ! videoscale ! "
            "video/x-raw,format=BGRA,width=960,height=540 ! "
            "queue leaky=downstream max-size-buffers=1");
    ph_mutter_session_close(s);
    ph_mutter_session_unref(s);
    child_stop(&patch);
    return CHECK_DONE();
}
