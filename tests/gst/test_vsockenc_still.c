/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A picture that stands still becomes better, and costs next to nothing after
 * that; so again after a change.
 */
#include <math.h>

#include "pipeline.h"

enum {
    WIDTH = 640,
    HEIGHT = 480,
    STILL = 30, /* frames, 40 ms each */
    GAIN_DB = 3,
};

/* Noise that no encoder affords at such a rate; another one each time. */
static GstBuffer *make_noise(uint32_t seed)
{
    gsize size = (gsize)WIDTH * HEIGHT * 3 / 2;
    g_autofree guint8 *data = g_malloc(size);
    for (gsize i = 0; i < size; i++) {
        seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
        data[i] = (guint8)(i < WIDTH * HEIGHT ? 96 + (seed >> 26) : 128);
    }
    return gst_buffer_new_memdup(data, size);
}

static double luma_psnr(GstBuffer *in, GstSample *sample)
{
    GstVideoInfo info;
    GstVideoFrame out;
    GstMapInfo map;
    double sum = 0;
    gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
    g_assert(gst_video_frame_map(
            &out, &info, gst_sample_get_buffer(sample), GST_MAP_READ));
    g_assert(gst_buffer_map(in, &map, GST_MAP_READ));
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        const guint8 *row = GST_VIDEO_FRAME_PLANE_DATA(&out, 0);
        row += (ptrdiff_t)(i / WIDTH) * GST_VIDEO_FRAME_PLANE_STRIDE(&out, 0);
        double e = row[i % WIDTH] - map.data[i];
        sum += e * e;
    }
    gst_buffer_unmap(in, &map);
    gst_video_frame_unmap(&out);
    return 10 * log10(255 * 255 / fmax(sum / WIDTH / HEIGHT, 1e-3));
}

/* Shows a picture for a while; the units' bytes go to *bytes. */
static void show(
        struct pipeline *p, GstCaps *caps, GstBuffer *picture, guint64 *bytes)
{
    double db[STILL] = {0};
    for (int i = 0; i < STILL; i++) {
        GstSample *sample =
                pipeline_pass(p, caps, gst_buffer_copy_deep(picture));
        if (!CHECK(sample != NULL)) {
            return;
        }
        db[i] = luma_psnr(picture, sample);
        gst_sample_unref(sample);
        if (i == STILL * 3 / 4) {
            *bytes = pipeline_bytes(p);
        }
    }
    printf("%.1f dB, then %.1f\n", db[0], db[STILL - 1]);
    CHECK(db[STILL - 1] >= db[0] + GAIN_DB);
    CHECK(db[2] < db[STILL - 1]); /* not before it stands still */
    /* The last quarter is repeats of some bytes. */
    CHECK(pipeline_bytes(p) - *bytes < STILL / 4 * 200);
}

int main(int argc, char **argv)
{
    struct pipeline p;
    guint64 bytes = 0;
    pipeline_init(argc, argv);
    pipeline_begin(&p, "bitrate=4000000 keyframe-interval=0");
    g_autoptr(GstCaps) caps = gst_caps_from_string(
            "video/x-raw,format=NV12,width=640,height=480,framerate=25/1");
    for (uint32_t i = 1; i <= 2; i++) {
        g_autoptr(GstBuffer) picture = make_noise(i);
        show(&p, caps, picture, &bytes);
    }
    pipeline_end(&p);
    return CHECK_DONE();
}
