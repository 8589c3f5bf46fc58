/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer's own test sources as a desktop. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/desktop.h"
#include "seen.h"
#include "unit/check.h"
#include "unit/quarks.h"

#define WAIT_MS 20000

/* Opens the source; NULL: error[256] says why. */
static struct ph_desktop *open_source(
        struct seen *s, const char *capture, char error[256])
{
    struct ph_desktop_options options = {.capture = capture};
    *s = (struct seen){0};
    struct ph_desktop *d = ph_desktop_open(&options, error, 256);
    if (d) {
        s->capture = d->ops->capture(d, &seen_events, s, error, 256);
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
    CHECK(seen_frame(&s, true, WAIT_MS));
    CHECK_EQ(s.width, 320);
    CHECK_EQ(s.height, 200);
    CHECK_EQ(ph_region_pixels(&s.damage), 320 * 200);
    for (int i = 0; i < 5; i++) {
        CHECK(seen_frame(&s, false, WAIT_MS));
        CHECK(ph_region_pixels(&s.damage) <
                320 * 200 / 2); /* the ball, not the sky */
    }
    CHECK(seen_frame(&s, true, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s.damage), 320 * 200);
    s.capture->ops->cancel(s.capture);
    CHECK(seen_frame(&s, false, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s.damage), 320 * 200);
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
    CHECK(seen_frame(&s, true, WAIT_MS));
    CHECK_EQ(s.probed, 0x3060c0);
    CHECK(!seen_frame(&s, false, 300));
    CHECK(seen_frame(&s, true, WAIT_MS));
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
        seen_frame(&s, false, WAIT_MS);
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
