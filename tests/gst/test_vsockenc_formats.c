/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every format at many sizes through a real host and back: decoded pictures
 * against what went in, over the input's rectangle.
 */
#include <math.h>

#include "common/cleanup.h"
#include "integration/child.h"
#include "pipeline.h"

enum {
    LEAST_DB = 34,
    FLAT_LEVELS = 3,
};

static const char *const formats[] = {
        "NV12", "I420", "BGRx", "BGRA", "RGBx", "RGBA"};

static const struct size {
    int width;
    int height;
} sizes[] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 3}, {1, 17}, {17, 1}, {5, 7},
        {15, 16}, {16, 15}, {33, 17}, {34, 66}, {63, 65}, {127, 33}, {129, 31},
        {322, 178}, {321, 179}, {641, 359}, {853, 480}, {1366, 768},
        {1367, 767}};

/* What a picture shows at a place, 0 to 1 each. */
struct colour {
    double r, g, b;
};

/* Smooth shades with a few edges, so that a shift by a pixel shows; flat: one
 * colour. */
static struct colour colour_at(int x, int y, int flat)
{
    static const struct colour flats[] = {{0, 0, 0}, {1, 1, 1}, {.9, .1, .1},
            {.1, .8, .2}, {.1, .2, .9}, {.5, .5, .5}};
    if (flat >= 0) {
        return flats[flat % (int)G_N_ELEMENTS(flats)];
    }
    double edge = (x / 48 + y / 40) % 2 ? .25 : 0;
    return (struct colour){.2 + .5 * (.5 + .5 * sin(x * .013)) + edge * .5,
            .2 + .5 * (.5 + .5 * sin(y * .017)) + edge,
            .3 + .4 * (.5 + .5 * sin((x + y) * .007)) + edge};
}

static double clamp(double v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* BT.601 of limited range, what the pictures are expected to come out as; for
 * YUV formats also what goes in. */
static void to_yuv(struct colour c, double yuv[3])
{
    double r = clamp(c.r);
    double g = clamp(c.g);
    double b = clamp(c.b);
    double y = .299 * r + .587 * g + .114 * b;
    yuv[0] = 16 + 219 * y;
    yuv[1] = 128 + 224 * (b - y) / 1.772;
    yuv[2] = 128 + 224 * (r - y) / 1.402;
}

/* A plane of the expected picture at this place; chroma is the mean of its
 * pixels. */
static double expected(const struct size *s, int plane, int x, int y, int flat)
{
    double yuv[3];
    if (plane == 0) {
        to_yuv(colour_at(x, y, flat), yuv);
        return yuv[0];
    }
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        int px = MIN(x * 2 + i % 2, s->width - 1);
        int py = MIN(y * 2 + i / 2, s->height - 1);
        to_yuv(colour_at(px, py, flat), yuv);
        sum += yuv[plane] / 4;
    }
    return sum;
}

static void draw_rgb(GstVideoFrame *f, const struct size *s, int flat)
{
    guint8 *data = GST_VIDEO_FRAME_PLANE_DATA(f, 0);
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE(f, 0);
    for (int y = 0; y < s->height; y++) {
        for (int x = 0; x < s->width; x++) {
            struct colour c = colour_at(x, y, flat);
            guint8 *p = data + (size_t)y * (size_t)stride + (size_t)x * 4;
            p[GST_VIDEO_FRAME_COMP_POFFSET(f, 0)] =
                    (guint8)lround(clamp(c.r) * 255);
            p[GST_VIDEO_FRAME_COMP_POFFSET(f, 1)] =
                    (guint8)lround(clamp(c.g) * 255);
            p[GST_VIDEO_FRAME_COMP_POFFSET(f, 2)] =
                    (guint8)lround(clamp(c.b) * 255);
            /* Alpha means nothing. */
        }
    }
}

static void draw_yuv(GstVideoFrame *f, const struct size *s, int flat)
{
    for (guint c = 0; c < 3; c++) {
        guint8 *data = GST_VIDEO_FRAME_COMP_DATA(f, c);
        size_t stride = (size_t)GST_VIDEO_FRAME_COMP_STRIDE(f, c);
        size_t step = (size_t)GST_VIDEO_FRAME_COMP_PSTRIDE(f, c);
        for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(f, c); y++) {
            for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH(f, c); x++) {
                data[(size_t)y * stride + (size_t)x * step] =
                        (guint8)lround(expected(s, (int)c, x, y, flat));
            }
        }
    }
}

static GstBuffer *make_picture(
        const GstVideoInfo *info, const struct size *s, int flat)
{
    GstVideoFrame f;
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info->size, NULL);
    gst_buffer_memset(buffer, 0, 77, info->size);
    g_assert(gst_video_frame_map(&f, info, buffer, GST_MAP_WRITE));
    if (GST_VIDEO_INFO_IS_RGB(info)) {
        draw_rgb(&f, s, flat);
    } else {
        draw_yuv(&f, s, flat);
    }
    gst_video_frame_unmap(&f);
    return buffer;
}

struct difference {
    double db;
    double most;
};

static struct difference compare(
        const GstVideoFrame *f, const struct size *s, int plane, int flat)
{
    int width = plane ? (s->width + 1) / 2 : s->width;
    int height = plane ? (s->height + 1) / 2 : s->height;
    const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA(f, plane);
    size_t stride = (size_t)GST_VIDEO_FRAME_PLANE_STRIDE(f, plane);
    struct difference d = {0};
    double sum = 0;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double e = data[(size_t)y * stride + (size_t)x] -
                    expected(s, plane, x, y, flat);
            d.most = MAX(d.most, fabs(e));
            sum += e * e;
        }
    }
    double mean = MAX(sum / width / height, 1e-3);
    d.db = 10 * log10(255 * 255 / mean);
    return d;
}

static void check_picture(
        GstSample *sample, const char *format, const struct size *s, int flat)
{
    GstVideoInfo info;
    GstVideoFrame f;
    if (!CHECK(sample &&
                gst_video_info_from_caps(&info, gst_sample_get_caps(sample)))) {
        return;
    }
    CHECK_EQ(info.width, (s->width + 1) & ~1);
    CHECK_EQ(info.height, (s->height + 1) & ~1);
    CHECK_EQ(info.colorimetry.matrix, GST_VIDEO_COLOR_MATRIX_BT601);
    CHECK_EQ(info.colorimetry.range, GST_VIDEO_COLOR_RANGE_16_235);
    g_assert(gst_video_frame_map(
            &f, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
    for (int plane = 0; plane < 3; plane++) {
        struct difference d = compare(&f, s, plane, flat);
        bool ok = flat < 0 ? d.db >= LEAST_DB : d.most <= FLAT_LEVELS;
        if (!CHECK(ok)) {
            fprintf(stderr, "%s %dx%d flat %d plane %d: %.1f dB, %.1f off\n",
                    format, s->width, s->height, flat, plane, d.db, d.most);
        }
    }
    gst_video_frame_unmap(&f);
}

static void pass(
        struct pipeline *p, const char *format, const struct size *s, int flat)
{
    GstVideoInfo info;
    gst_video_info_set_format(&info, gst_video_format_from_string(format),
            (guint)s->width, (guint)s->height);
    gst_video_colorimetry_from_string(
            &info.colorimetry, GST_VIDEO_INFO_IS_RGB(&info) ? "sRGB" : "bt601");
    g_autoptr(GstCaps) caps = gst_video_info_to_caps(&info);
    GstSample *sample = pipeline_pass(p, caps, make_picture(&info, s, flat));
    check_picture(sample, format, s, flat);
    g_clear_pointer(&sample, gst_sample_unref);
}

int main(int argc, char **argv)
{
    struct pipeline p;
    pipeline_init(argc, argv);
    for (size_t f = 0; f < G_N_ELEMENTS(formats); f++) {
        pipeline_begin(&p, "bitrate=100000000");
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            pass(&p, formats[f], &sizes[i], (int)(f + i)); /* a keyframe */
            pass(&p, formats[f], &sizes[i], -1);
        }
        pipeline_end(&p);
    }
    return CHECK_DONE();
}
