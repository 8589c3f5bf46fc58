/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last change comes out though nothing follows it: single frames, each
 * decoded before the next goes in; some of them 300 ms after the one before.
 * 500 of these when there is time (PORTHOLE_SOAK), else 20; PORTHOLE_PRESSES
 * says how many.
 */
#include "common/parse.h"
#include "pipeline.h"

enum {
    WIDTH = 640,
    HEIGHT = 360,
    FAST = 100, /* presses without a pause */
    PRESSES = 20,
    SOAK_PRESSES = 500,
    QUIET_MS = 300,
    ROW = 20, /* of a key's cell */
};

/* Before a key a white sheet, which fills from the top left. */
static void press(guint8 *pixels, unsigned key)
{
    unsigned columns = WIDTH / ROW;
    unsigned cell = key % (columns * (HEIGHT / ROW));
    for (unsigned y = 0; y < ROW; y++) {
        size_t at = ((cell / columns * ROW + y) * WIDTH + cell % columns * ROW);
        memset(pixels + at * 4, key % 2 ? 0 : 200, (ROW - 4) * 4);
    }
}

/* The luma in the middle of the key's cell. */
static int luma_of(GstSample *sample, unsigned key)
{
    GstVideoInfo info;
    GstVideoFrame f;
    unsigned columns = WIDTH / ROW;
    unsigned cell = key % (columns * (HEIGHT / ROW));
    gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
    if (!gst_video_frame_map(
                &f, &info, gst_sample_get_buffer(sample), GST_MAP_READ)) {
        return -1;
    }
    const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA(&f, 0);
    size_t y = cell / columns * ROW + ROW / 2;
    int luma = data[y * (size_t)GST_VIDEO_FRAME_PLANE_STRIDE(&f, 0) +
            cell % columns * ROW + ROW / 2 - 2];
    gst_video_frame_unmap(&f);
    return luma;
}

static bool pass(struct pipeline *p, GstCaps *caps, guint8 *pixels)
{
    unsigned key = p->count;
    press(pixels, key);
    GstBuffer *buffer = gst_buffer_new_memdup(pixels, WIDTH * HEIGHT * 4);
    GstSample *sample = pipeline_pass(p, caps, buffer);
    if (!CHECK(sample != NULL)) {
        return false;
    }
    int luma = luma_of(sample, key);
    CHECK(key % 2 ? luma < 60 : luma > 160 && luma < 215);
    gst_sample_unref(sample);
    return true;
}

int main(int argc, char **argv)
{
    const char *text = g_getenv("PORTHOLE_PRESSES");
    uint32_t presses = g_getenv("PORTHOLE_SOAK") ? SOAK_PRESSES : PRESSES;
    uint32_t passed = 0;
    struct pipeline p;
    if (text && !ph_parse_u32(text, 1, 100000, &presses)) {
        fprintf(stderr, "PORTHOLE_PRESSES: '%s' is no number\n", text);
        return 2;
    }
    pipeline_init(argc, argv);
    pipeline_begin(&p, "");
    g_autoptr(GstCaps) caps = gst_caps_from_string(
            "video/x-raw,format=BGRx,width=640,height=360,framerate=0/1");
    g_autofree guint8 *pixels = g_malloc(WIDTH * HEIGHT * 4);
    memset(pixels, 255, WIDTH * HEIGHT * 4);
    for (int i = 0; i < FAST && pass(&p, caps, pixels); i++) {
    }
    while (passed < presses && pass(&p, caps, pixels)) {
        passed++;
        g_usleep(QUIET_MS * G_TIME_SPAN_MILLISECOND); /* what is tested */
    }
    printf("%u of %u came\n", passed, presses);
    pipeline_end(&p);
    return CHECK_DONE();
}
