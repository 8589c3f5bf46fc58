/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Capture and input of a real compositor: run under sway.sh, with the path of
 * wl_patch as argument, and behind it the protocol where it is not to choose.
 */
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "common/clock.h"
#include "common/parse.h"
#include "deskd/capture.h"
#include "deskd/input.h"
#include "seen.h"
#include "unit/check.h"

#define WAIT_MS 20000

static const char *patch_path;

/* The next frame that shows a change. */
static bool next_change(struct seen *s, int ms)
{
    do {
        if (!seen_frame(s, false, ms)) {
            return false;
        }
    } while (ph_region_is_empty(&s->damage));
    return true;
}

static void test_first_frame(struct seen *s, uint32_t width, uint32_t height)
{
    CHECK(seen_frame(s, true, WAIT_MS));
    CHECK_EQ(s->width, width);
    CHECK_EQ(s->height, height);
    CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)width * height);
}

static void test_changes(struct seen *s, struct child *patch)
{
    char line[CHILD_LINE];
    seen_settle(s);
    /* A static screen: no frame at all. */
    CHECK(!seen_frame(s, false, 1000));
    s->probe[0] = 100;
    s->probe[1] = 100;
    CHECK(child_send(patch, "rect 96 96 8 8 ff2010"));
    CHECK(child_send(patch, "commit"));
    CHECK(child_expect(patch, "committed", line, WAIT_MS));
    CHECK(next_change(s, WAIT_MS));
    CHECK_EQ(s->probed, 0xff2010);
    CHECK(ph_region_pixels(&s->damage) <= 64 * 64);
    seen_settle(s);
    /* Opposite corners: the compositor says "everything". */
    CHECK(child_send(patch, "rect 0 0 8 8 00ff00"));
    CHECK(child_send(
            patch, "rect %u %u 8 8 00ff00", s->width - 8, s->height - 8));
    CHECK(child_send(patch, "commit"));
    CHECK(next_change(s, WAIT_MS));
    CHECK(ph_region_pixels(&s->damage) <= 2 * 64 * 64);
    /* The same picture once more is no change. */
    seen_settle(s);
    CHECK(child_send(patch, "rect 0 0 200 200 00ff00"));
    CHECK(child_send(patch, "commit"));
    CHECK(next_change(s, WAIT_MS));
    seen_settle(s);
    CHECK(child_send(patch, "rect 0 0 200 200 00ff00"));
    CHECK(child_send(patch, "commit"));
    CHECK(!next_change(s, 500));
    /* After cancel everything counts as changed. */
    s->capture->ops->cancel(s->capture);
    CHECK(seen_frame(s, false, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)s->width * s->height);
    /* Static, but the whole is wanted. */
    CHECK(seen_frame(s, true, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)s->width * s->height);
}

static void test_keys(struct ph_input *input, struct child *patch)
{
    char line[CHILD_LINE];
    input->ops->key(input, 30, true);
    CHECK(child_expect(patch, "key 30 1", line, WAIT_MS));
    input->ops->key(input, 30, true); /* held already: nothing */
    input->ops->key(input, 30, false);
    CHECK(child_expect(patch, "key ", line, WAIT_MS));
    CHECK_STR(line, "key 30 0");
    /* Shift is 1, Control 4, Alt 8, AltGr (of "de") 128, Lock 2. */
    input->ops->key(input, 42, true);
    CHECK(child_expect(patch, "modifiers 1 0 0", line, WAIT_MS));
    input->ops->key(input, 29, true);
    CHECK(child_expect(patch, "modifiers 5 0 0", line, WAIT_MS));
    input->ops->key(input, 42, false);
    input->ops->key(input, 29, false);
    CHECK(child_expect(patch, "modifiers 0 0 0", line, WAIT_MS));
    input->ops->key(input, 100, true);
    CHECK(child_expect(patch, "modifiers 128 0 0", line, WAIT_MS));
    input->ops->key(input, 100, false);
    input->ops->key(input, 58, true);
    input->ops->key(input, 58, false);
    CHECK(child_expect(patch, "modifiers 0 2 0", line, WAIT_MS));
    input->ops->key(input, 58, true);
    input->ops->key(input, 58, false);
    CHECK(child_expect(patch, "modifiers 0 0 0", line, WAIT_MS));
    /* Out of range, or not a key at all: ignored. */
    input->ops->key(input, 65535, true);
    input->ops->key(input, 0x110, true);
    input->ops->button(input, 30, true);
    input->ops->key(input, 31, true);
    input->ops->key(input, 56, true);
    CHECK(child_expect(patch, "key ", line, WAIT_MS));
    CHECK(child_expect(patch, "key 56 1", line, WAIT_MS));
    input->ops->button(input, 0x111, true);
    CHECK(child_expect(patch, "button 273 1", line, WAIT_MS));
    input->ops->release_all(input);
    CHECK(child_expect(patch, "key 31 0", line, WAIT_MS));
    CHECK(child_expect(patch, "key 56 0", line, WAIT_MS));
    CHECK(child_expect(patch, "button 273 0", line, WAIT_MS));
}

static void test_pointer(
        struct ph_input *input, struct child *patch, uint32_t w, uint32_t h)
{
    char line[CHILD_LINE];
    char want[CHILD_LINE];
    const uint32_t points[][2] = {{0, 0}, {1, 1}, {w / 3, h / 3}, {301, 77},
            {w - 1, h - 1}, {w + 100, 5}};
    for (size_t i = 0; i < PH_LEN(points); i++) {
        input->ops->pointer(input, points[i][0], points[i][1], w, h);
        snprintf(want, sizeof(want), "motion %u %u",
                PH_MIN(points[i][0], w - 1), points[i][1]);
        CHECK(child_expect(patch, want, line, WAIT_MS));
    }
    /* A viewer that knows another size. */
    input->ops->pointer(input, 50, 50, 100, 100);
    snprintf(want, sizeof(want), "motion %u %u", w / 2, h / 2);
    CHECK(child_expect(patch, want, line, WAIT_MS));
    input->ops->pointer(input, 1, 1, 0, 0);
    input->ops->button(input, 0x110, true);
    CHECK(child_expect(patch, "button 272 1", line, WAIT_MS));
    input->ops->button(input, 0x110, false);
    CHECK(child_expect(patch, "button 272 0", line, WAIT_MS));
}

static void test_wheel(struct ph_input *input, struct child *patch)
{
    char line[CHILD_LINE];
    input->ops->wheel(input, 0, 120, false);
    CHECK(child_expect(patch, "source 0", line, WAIT_MS));
    CHECK(child_expect(patch, "discrete 0 1", line, WAIT_MS));
    CHECK(child_expect(patch, "axis 0 3840", line, WAIT_MS));
    input->ops->wheel(input, -240, 0, false);
    CHECK(child_expect(patch, "discrete 1 -2", line, WAIT_MS));
    CHECK(child_expect(patch, "axis 1 -7680", line, WAIT_MS));
    /* Three thirds of a detent: one step, with the third one. */
    input->ops->wheel(input, 0, 40, false);
    CHECK(child_expect(patch, "axis 0 1280", line, WAIT_MS));
    input->ops->wheel(input, 0, 40, false);
    CHECK(child_expect(patch, "axis 0 1280", line, WAIT_MS));
    input->ops->wheel(input, 0, 40, false);
    CHECK(child_expect(patch, "discrete 0 1", line, WAIT_MS));
    input->ops->wheel(input, 0, -24, true);
    CHECK(child_expect(patch, "source 2", line, WAIT_MS));
    CHECK(child_expect(patch, "axis 0 -768", line, WAIT_MS));
}

/* Waits for a line while the input's sources are served. */
static bool expect_meanwhile(struct child *patch, const char *prefix)
{
    char line[CHILD_LINE];
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (!child_expect(patch, prefix, line, 20)) {
        if (ph_clock_ns() >= deadline) {
            return false;
        }
        while (g_main_context_iteration(NULL, FALSE)) {
        }
    }
    return true;
}

/* A compositor that stands still for a while takes input again afterwards,
 * and nothing stays pressed. */
static void test_stall(struct ph_input *input, struct child *patch)
{
    char line[CHILD_LINE];
    uint32_t pid = 0;
    const char *path = getenv("SWAYSOCK"); /* sway-ipc.UID.PID.sock */
    const char *dot = path ? strstr(path, "sway-ipc.") : NULL;
    dot = dot ? strchr(dot + strlen("sway-ipc."), '.') : NULL;
    char text[16] = "";
    if (dot) {
        snprintf(text, sizeof(text), "%.*s", (int)strcspn(dot + 1, "."),
                dot + 1);
    }
    if (!CHECK(ph_parse_u32(text, 2, INT32_MAX, &pid))) {
        return;
    }
    input->ops->key(input, 30, true);
    CHECK(child_expect(patch, "key 30 1", line, WAIT_MS));
    CHECK_EQ(kill((pid_t)pid, SIGSTOP), 0);
    for (uint32_t i = 0; i < 5000; i++) {
        input->ops->pointer(input, i % 500, 20, 1280, 720);
        input->ops->wheel(input, 0, 1, true);
    }
    input->ops->key(input, 30, false);
    input->ops->pointer(input, 611, 33, 1280, 720);
    CHECK_EQ(kill((pid_t)pid, SIGCONT), 0);
    CHECK(expect_meanwhile(patch, "key 30 0"));
    CHECK(expect_meanwhile(patch, "motion 611 33"));
    input->ops->pointer(input, 612, 34, 1280, 720);
    CHECK(expect_meanwhile(patch, "motion 612 34"));
}

/* A viewer's size; a wish that overtakes another. */
static void test_resize(struct seen *s)
{
    static const uint32_t sizes[][3] = {
            {1001, 577, 120}, {640, 480, 120}, {900, 700, 240}};
    if (!CHECK(s->capture->ops->resize)) {
        return;
    }
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        s->capture->ops->resize(s->capture, 333, 222, 120);
        s->capture->ops->resize(
                s->capture, sizes[i][0], sizes[i][1], sizes[i][2]);
        for (int k = 0; k < 50 && s->width != sizes[i][0]; k++) {
            CHECK(seen_frame(s, false, WAIT_MS));
        }
        CHECK_EQ(s->width, sizes[i][0]);
        CHECK_EQ(s->height, sizes[i][1]);
    }
}

static void test_resize_and_end(struct seen *s)
{
    test_resize(s);
    CHECK_EQ(system("swaymsg -q output HEADLESS-1 mode 800x600@60Hz"), 0);
    s->probe[0] = 0;
    s->probe[1] = 0;
    for (int i = 0; i < 20 && s->width != 800; i++) {
        CHECK(seen_frame(s, false, WAIT_MS));
    }
    CHECK_EQ(s->width, 800);
    CHECK_EQ(s->height, 600);
    CHECK_EQ(ph_region_pixels(&s->damage), 800 * 600);
    seen_settle(s);
    /* It closes the connection before it answers. */
    CHECK(system("swaymsg -q exit 2>/dev/null") != -1);
    seen_frame(s, false, WAIT_MS);
    CHECK_EQ(s->lost, 1);
    s->capture->ops->dispatch(s->capture);
    CHECK_EQ(s->lost, 1);
    CHECK_EQ(s->bad, 0);
}

static void test_failures(void)
{
    char error[256] = "";
    struct seen s = {0};
    CHECK(!ph_capture_wlr_create("no-such-display", NULL, NULL, &seen_events,
            &s, error, sizeof(error)));
    CHECK(strstr(error, "no-such-display"));
    CHECK(!ph_capture_wlr_create(
            NULL, "HDMI-7", NULL, &seen_events, &s, error, sizeof(error)));
    CHECK(strstr(error, "HDMI-7"));
    CHECK(!ph_capture_wlr_create(
            NULL, NULL, "telepathy", &seen_events, &s, error, sizeof(error)));
    CHECK(strstr(error, "wlr:telepathy"));
    CHECK(!ph_input_wlr_create(NULL, NULL, "xx(", error, sizeof(error)));
    CHECK(strstr(error, "xx("));
    CHECK(!ph_input_wlr_create(NULL, "HDMI-7", "us", error, sizeof(error)));
    CHECK(strstr(error, "HDMI-7"));
}

int main(int argc, char **argv)
{
    char error[256] = "";
    char line[CHILD_LINE];
    struct seen seen = {0};
    struct child patch = {0};
    if (argc < 2 || argc > 3) {
        return 2;
    }
    const char *protocol = argc == 3 ? argv[2] : NULL;
    patch_path = argv[1];
    test_failures();
    seen.capture = ph_capture_wlr_create(NULL, "HEADLESS-1", protocol,
            &seen_events, &seen, error, sizeof(error));
    struct ph_input *input =
            ph_input_wlr_create(NULL, NULL, "de", error, sizeof(error));
    const char *const patch_argv[] = {patch_path, NULL};
    if (!CHECK(seen.capture) || !CHECK(input) ||
            !CHECK(child_start(&patch, patch_argv))) {
        fprintf(stderr, "%s\n", error);
        return CHECK_DONE();
    }
    test_first_frame(&seen, 1280, 720);
    CHECK(child_expect(&patch, "size 1280 720", line, WAIT_MS));
    test_changes(&seen, &patch);
    test_keys(input, &patch);
    test_pointer(input, &patch, seen.width, seen.height);
    test_wheel(input, &patch);
    test_stall(input, &patch);
    test_resize_and_end(&seen);
    child_stop(&patch);
    input->ops->key(input, 30, true); /* nobody there: dropped */
    input->ops->destroy(input);
    seen.capture->ops->destroy(seen.capture);
    return CHECK_DONE();
}
