/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer's own test sources as a desktop. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/desktop.h"
#include "unit/check.h"
#include "unit/quarks.h"

#define WAIT_MS 20000

struct seen {
    struct ph_capture *capture;
    unsigned frames;
    unsigned lost;
    uint32_t width;
    uint32_t height;
    uint64_t pixels; /* damaged */
    uint32_t probed; /* RGB, top left */
    char reason[256];
};

static void on_frame(void *data, const struct ph_capture_frame *frame)
{
    struct seen *s = data;
    const uint8_t *p = frame->data;
    bool bgra = frame->format == PH_HXFR_BGRA;
    s->frames++;
    s->width = frame->width;
    s->height = frame->height;
    s->pixels = ph_region_pixels(frame->damage);
    s->probed = (uint32_t)p[bgra ? 2 : 0] << 16 | (uint32_t)p[1] << 8 |
            p[bgra ? 0 : 2];
    CHECK(frame->time_ns <= frame->ready_ns);
}

static void on_lost(void *data, const char *reason)
{
    struct seen *s = data;
    s->lost++;
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static const struct ph_capture_events events = {
        .frame = on_frame,
        .lost = on_lost,
};

static bool next_frame(struct seen *s, bool whole, int ms)
{
    unsigned before = s->frames + s->lost;
    int64_t deadline = ph_deadline_ms(ms);
    s->capture->ops->request(s->capture, whole);
    while (s->frames + s->lost == before) {
        struct pollfd pfd = {s->capture->ops->fd(s->capture), POLLIN, 0};
        if (poll(&pfd, 1, ph_deadline_poll_ms(deadline)) <= 0) {
            return false;
        }
        s->capture->ops->dispatch(s->capture);
    }
    return s->lost == 0;
}

/* Opens the source; NULL: error[256] says why. */
static struct ph_desktop *open_source(
        struct seen *s, const char *capture, char error[256])
{
    struct ph_desktop_options options = {.capture = capture};
    *s = (struct seen){0};
    struct ph_desktop *d = ph_desktop_open(&options, error, 256);
    if (d) {
        s->capture = d->ops->capture(d, &events, s, error, 256);
    }
    if (d && !s->capture) {
        ph_desktop_close(d);
        return NULL;
    }
    return d;
}

static void close_source(struct seen *s, struct ph_desktop *d)
{
    s->capture->ops->destroy(s->capture);
    ph_desktop_close(d);
}

static void test_moving(void)
{
    char error[256] = "";
    struct seen s;
    struct ph_desktop *d = open_source(&s,
            "gst:videotestsrc pattern=ball is-live=true ! "
            "video/x-raw,width=320,height=200,framerate=30/1",
            error);
    if (!CHECK(d)) {
        fprintf(stderr, "%s\n", error);
        return;
    }
    CHECK(next_frame(&s, true, WAIT_MS));
    CHECK_EQ(s.width, 320);
    CHECK_EQ(s.height, 200);
    CHECK_EQ(s.pixels, 320 * 200);
    for (int i = 0; i < 5; i++) {
        CHECK(next_frame(&s, false, WAIT_MS));
        CHECK(s.pixels < 320 * 200 / 2); /* the ball, not the sky */
    }
    CHECK(next_frame(&s, true, WAIT_MS));
    CHECK_EQ(s.pixels, 320 * 200);
    s.capture->ops->cancel(s.capture);
    CHECK(next_frame(&s, false, WAIT_MS));
    CHECK_EQ(s.pixels, 320 * 200);
    struct ph_input *input = d->ops->input(d, error, sizeof(error));
    if (CHECK(input)) {
        input->ops->destroy(input);
    }
    close_source(&s, d);
}

/* One that shows the same: no frame, but the whole when it is wanted. */
static void test_static(void)
{
    char error[256] = "";
    struct seen s;
    struct ph_desktop *d = open_source(&s,
            "gst:videotestsrc pattern=solid-color foreground-color=0xff3060c0 "
            "! video/x-raw,format=BGRx,width=64,height=48",
            error);
    if (!CHECK(d)) {
        return;
    }
    CHECK(next_frame(&s, true, WAIT_MS));
    CHECK_EQ(s.probed, 0x3060c0);
    CHECK(!next_frame(&s, false, 300));
    CHECK(next_frame(&s, true, WAIT_MS));
    close_source(&s, d);
}

static void test_end(void)
{
    char error[256] = "";
    struct seen s;
    struct ph_desktop *d =
            open_source(&s, "gst:videotestsrc num-buffers=3", error);
    if (!CHECK(d)) {
        return;
    }
    for (int i = 0; i < 10 && s.lost == 0; i++) {
        next_frame(&s, false, WAIT_MS);
    }
    CHECK_EQ(s.lost, 1);
    CHECK(strstr(s.reason, "end"));
    s.capture->ops->dispatch(s.capture);
    CHECK_EQ(s.lost, 1);
    close_source(&s, d);
}

static void test_failures(void)
{
    static const char *const bad[][2] = {{"gst", "missing"},
            {"gst:", "missing"}, {"gst: ", "missing"},
            {"gst:nosuchelement", "nosuchelement"},
            {"gst:videotestsrc pattern=", "pattern"},
            {"gst:filesrc location=/nowhere/at/all ! decodebin", "filesrc"},
            {"gst:audiotestsrc", "audiotestsrc"}};
    for (size_t i = 0; i < PH_LEN(bad); i++) {
        char error[256] = "";
        struct seen s;
        CHECK(!open_source(&s, bad[i][0], error));
        if (!CHECK(strstr(error, bad[i][1]))) {
            fprintf(stderr, "%s: %s\n", bad[i][0], error);
        }
    }
}

int main(void)
{
    test_failures();
    test_moving();
    test_static();
    test_end();
    return CHECK_DONE();
}
