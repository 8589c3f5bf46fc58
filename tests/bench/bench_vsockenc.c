/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frame in to access unit out through GStreamer elements, 1920x1080, BGRx, 60
 * frames a second, beside the same encoder called in this process:
 * bench_vsockenc PLUGIN HOSTD [SECONDS [CONTENT]]
 *
 * One content after the other, every way on it in turns of 2 s. A frame is in
 * when the element is called with it; the next is painted when its unit is out,
 * so that no way has to share its cores with the painting. "beside" is the time
 * that a frame was not in the encoder: drawn, compared, sent, waited for. In
 * brackets: what a way takes more than the encoder in this process.
 */
#include "cli/bench_scene.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "gst/gst_test.h"
#include "hostd/encoder.h"
#include "integration/child.h"
#include "vsockenc/pictures.h"

enum {
    W = 1920,
    H = 1080,
    FPS = 60,
    BITRATE = 8000000,
    MOST_FRAMES = 60 * FPS,
    TURN = 2 * FPS, /* frames */
    WARM_UP = FPS / 2, /* of these, not counted */
};

struct run {
    int64_t pushed_ns[MOST_FRAMES];
    int64_t came_ns[MOST_FRAMES]; /* 0: not yet */
    int64_t encode_ns[MOST_FRAMES]; /* of that, in the encoder */
    size_t bytes;
    unsigned frames;
    GstElement *encoder; /* that tells, or NULL */
    unsigned units; /* of an element; under lock */
    GMutex lock;
    GCond came;
};

static void wait_for_tick(int64_t *tick)
{
    *tick += PH_NS_PER_S / FPS;
    int64_t left = *tick - ph_clock_ns();
    if (left > 0) {
        g_usleep((gulong)(left / PH_NS_PER_US));
    } else {
        *tick -= left; /* behind: not faster afterwards */
    }
}

static int compare_times(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* What a way took in all its turns. */
struct result {
    const char *name;
    int64_t took[MOST_FRAMES];
    int64_t beside[MOST_FRAMES];
    size_t count;
    size_t bytes;
    unsigned frames;
    bool tells; /* how long the encoder took */
};

static void collect(struct result *to, const struct run *r)
{
    for (unsigned i = WARM_UP; i < r->frames; i++) {
        if (r->came_ns[i] && to->count < MOST_FRAMES) {
            int64_t took = r->came_ns[i] - r->pushed_ns[i];
            to->took[to->count] = took;
            to->beside[to->count++] = took - r->encode_ns[i];
        }
    }
    to->bytes += r->bytes;
    to->frames += r->frames;
}

/* In ms; sorts them. */
static double percentile(int64_t *times, size_t count, unsigned p)
{
    qsort(times, count, sizeof(*times), compare_times);
    return (double)times[count * p / 100] / 1e6;
}

static void report(const char *content, struct result *r, struct result *here)
{
    double p50 = percentile(r->took, r->count, 50);
    double p99 = percentile(r->took, r->count, 99);
    printf("%-8s %-11s p50 %6.2f (%+5.2f)  p99 %6.2f (%+5.2f)", content,
            r->name, p50, p50 - percentile(here->took, here->count, 50), p99,
            p99 - percentile(here->took, here->count, 99));
    if (r->tells) {
        double beside = percentile(r->beside, r->count, 50);
        printf("  beside %5.2f (%+5.2f)", beside,
                beside - percentile(here->beside, here->count, 50));
    }
    printf(" ms  %zu bytes/frame\n", r->bytes / r->frames);
    fflush(stdout);
}

static GstBuffer *paint(struct ph_scene *scene, unsigned n)
{
    struct ph_rect damage;
    if (n > 0) {
        ph_scene_step(scene, n, &damage);
    }
    GstBuffer *b = gst_buffer_new_memdup(scene->pixels, (gsize)W * H * 4);
    GST_BUFFER_PTS(b) = gst_util_uint64_scale(n, GST_SECOND, FPS);
    GST_BUFFER_DURATION(b) = GST_SECOND / FPS;
    return b;
}

static struct ph_scene *new_scene(const char *content)
{
    char error[128] = "";
    struct ph_scene *scene =
            ph_scene_create(content, W, H, error, sizeof(error));
    if (!scene) {
        g_error("%s: %s", content, error);
    }
    return scene;
}

/* --- the encoder in this process --- */

/* Of two pictures one is what the encoder gets, like the slot of a link. */
static void encode(struct ph_encoder *encoder, struct ph_pictures *pictures,
        const GstVideoInfo *info, GstBuffer *buffer, struct run *r)
{
    GstVideoFrame frame;
    struct ph_region changed;
    struct ph_encoder_output out = {0};
    unsigned n = r->frames++;
    r->pushed_ns[n] = ph_clock_ns();
    gst_video_frame_map(&frame, info, buffer, GST_MAP_READ);
    ph_pictures_take(pictures, 0, &frame, &changed);
    for (uint16_t i = 0; i < changed.count; i++) {
        ph_pictures_paint(&frame, &pictures->items[1], changed.rects[i]);
    }
    struct ph_encoder_input in = {
            &pictures->items[1], n == 0, n == 0 ? NULL : &changed};
    int64_t begin = ph_clock_ns();
    if (encoder->ops->encode(encoder, &in, &out) == PH_ENCODER_OK) {
        r->came_ns[n] = ph_clock_ns();
        r->encode_ns[n] = r->came_ns[n] - begin;
        r->bytes += out.size;
    }
    ph_pictures_keep(pictures, &frame);
    gst_video_frame_unmap(&frame);
}

static void run_in_process(const char *content, unsigned frames, struct run *r)
{
    struct ph_encoder_config config = {.width = W,
            .height = H,
            .bitrate = BITRATE,
            .fps = FPS,
            .colour = {6, 1, 13, false}};
    char error[160] = "";
    struct ph_scene *scene = new_scene(content);
    struct ph_pictures pictures;
    GstVideoInfo info;
    int64_t tick = ph_clock_ns();
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_BGRx, W, H);
    struct ph_encoder *encoder = ph_encoder_x264.open(
            &ph_encoder_x264, &config, error, sizeof(error));
    if (!encoder || !ph_pictures_init(&pictures, &info, 2)) {
        g_error("%s", error);
    }
    for (unsigned n = 0; n < frames; n++) {
        GstBuffer *buffer = paint(scene, n);
        wait_for_tick(&tick);
        encode(encoder, &pictures, &info, buffer, r);
        gst_buffer_unref(buffer);
    }
    encoder->ops->close(encoder);
    ph_pictures_finish(&pictures);
    ph_scene_destroy(scene);
}

/* --- elements --- */

/* Of the unit that came last. */
static int64_t encode_time(GstElement *encoder)
{
    GstStructure *stats = NULL;
    guint us = 0;
    g_object_get(encoder, "stats", &stats, NULL);
    gst_structure_get_uint(stats, "encode-us", &us);
    gst_structure_free(stats);
    return us * PH_NS_PER_US;
}

static GstPadProbeReturn on_unit(
        GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    struct run *r = data;
    int64_t now = ph_clock_ns();
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    int64_t encode = r->encoder ? encode_time(r->encoder) : 0;
    g_mutex_lock(&r->lock);
    r->encode_ns[r->units] = encode;
    /* In order, one for each frame; x264enc changes the times. */
    r->came_ns[r->units++] = now;
    r->bytes += gst_buffer_get_size(buffer);
    g_cond_signal(&r->came);
    g_mutex_unlock(&r->lock);
    return GST_PAD_PROBE_OK;
}

/* Or 5 s, if none comes. */
static void wait_for_unit(struct run *r, unsigned n)
{
    gint64 deadline = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
    g_mutex_lock(&r->lock);
    while (r->units <= n && g_cond_wait_until(&r->came, &r->lock, deadline)) {
    }
    g_mutex_unlock(&r->lock);
}

static void run_element(
        const char *content, const char *launch, unsigned frames, struct run *r)
{
    struct ph_scene *scene = new_scene(content);
    GstHarness *h = gst_harness_new_parse(launch);
    int64_t tick = ph_clock_ns();
    gst_harness_set_drop_buffers(h, TRUE);
    r->encoder = gst_harness_find_element(h, "vsockenc");
    gst_pad_add_probe(h->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, on_unit, r, NULL);
    gst_harness_set_src_caps_str(
            h, "video/x-raw,format=BGRx,width=1920,height=1080,framerate=60/1");
    for (unsigned n = 0; n < frames; n++) {
        GstBuffer *buffer = paint(scene, n);
        wait_for_tick(&tick);
        r->pushed_ns[n] = ph_clock_ns();
        r->frames++;
        gst_harness_push(h, buffer);
        wait_for_unit(r, n);
    }
    gst_harness_push_event(h, gst_event_new_eos());
    g_clear_object(&r->encoder);
    gst_harness_teardown(h);
    ph_scene_destroy(scene);
}

static void run_content(const char *content, unsigned turns,
        const char *unix_path, const char *port)
{
    enum {
        WAYS = 5
    };
    static const char *const names[WAYS] = {
            "in-process", "unix, memfd", "unix", "tcp", "x264enc"};
    g_autofree char *element =
            g_strdup_printf("vsockenc keyframe-interval=0 bitrate=%d", BITRATE);
    g_autofree char *by_unix =
            g_strdup_printf("%s socket-path=%s", element, unix_path);
    g_autofree char *by_bytes =
            g_strdup_printf("%s shared-memory=false", by_unix);
    g_autofree char *by_tcp =
            g_strdup_printf("%s tcp-host=127.0.0.1 tcp-port=%s", element, port);
    /* CRF 23 and a buffer of a second, as the host's. */
    static const char x264enc[] =
            "videoconvert ! x264enc speed-preset=ultrafast tune=zerolatency "
            "option-string=me=umh:merange=128 pass=qual quantizer=23 "
            "bitrate=8000 vbv-buf-capacity=1000 key-int-max=100000";
    const char *launch[WAYS] = {NULL, by_unix, by_bytes, by_tcp, x264enc};
    struct result *results = g_new0(struct result, WAYS);
    for (unsigned turn = 0; turn < turns; turn++) {
        for (int i = 0; i < WAYS; i++) {
            struct run *r = g_new0(struct run, 1);
            results[i].name = names[i];
            results[i].tells = strcmp(names[i], "x264enc") != 0;
            if (launch[i]) {
                run_element(content, launch[i], TURN, r);
            } else {
                run_in_process(content, TURN, r);
            }
            collect(&results[i], r);
            g_free(r);
        }
    }
    for (int i = 0; i < WAYS; i++) {
        report(content, &results[i], &results[0]);
    }
    g_free(results);
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {
            "coreelements", "videoconvertscale", "x264", NULL};
    static const char *const contents[] = {"typing", "scroll", "drag", "video"};
    char folder[] = "/tmp/porthole-bench-XXXXXX";
    char line[CHILD_LINE];
    struct child child;
    uint32_t seconds = 10;
    if (argc < 3 || (argc > 3 && !ph_parse_u32(argv[3], 2, 60, &seconds))) {
        fprintf(stderr,
                "usage: bench_vsockenc PLUGIN HOSTD [SECONDS [CONTENT]]\n");
        return 2;
    }
    gst_test_init(argc, argv, plugins);
    if (!mkdtemp(folder)) {
        return 1;
    }
    g_autofree char *path = g_strdup_printf("%s/socket", folder);
    g_autofree char *endpoint = g_strdup_printf("unix:%s", path);
    const char *host[] = {argv[2], "--encoder", "x264", "--listen", endpoint,
            "--listen", "tcp:127.0.0.1:0", NULL};
    if (!child_start(&child, host) ||
            !child_expect(&child, "listening tcp:127.0.0.1:", line, 10000)) {
        return 1;
    }
    for (size_t i = 0; i < PH_LEN(contents); i++) {
        if (argc < 5 || strcmp(argv[4], contents[i]) == 0) {
            run_content(contents[i], seconds * FPS / TURN, path,
                    line + strlen("listening tcp:127.0.0.1:"));
        }
    }
    child_stop(&child);
    unlink(path);
    rmdir(folder);
    return CHECK_DONE();
}
