/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures by ext-image-copy-capture, from a compositor that gives no pixel
 * too much. The test's own picture is made of the damaged parts alone, as an
 * encoder's is.
 */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "deskd/capture.h"
#include "fake_compositor.h"

#include "check.h"

#define WAIT_MS 20000

struct viewer {
    struct fake_compositor *compositor;
    struct ph_capture *capture;
    unsigned frames;
    unsigned lost;
    char reason[128];
    uint32_t width;
    uint32_t height;
    bool whole; /* the newest damage is */
    uint32_t shown[FAKE_MAX_SIDE * FAKE_MAX_SIDE];
};

static void on_frame(void *data, const struct ph_capture_frame *frame)
{
    struct viewer *v = data;
    CHECK_EQ(frame->format, PH_HXFR_BGRA);
    CHECK(frame->time_ns <= frame->ready_ns);
    v->frames++;
    v->width = frame->width;
    v->height = frame->height;
    v->whole = ph_region_pixels(frame->damage) ==
            (uint64_t)frame->width * frame->height;
    for (uint16_t i = 0; i < frame->damage->count; i++) {
        const struct ph_rect *r = &frame->damage->rects[i];
        for (uint32_t y = r->y; y < (uint32_t)r->y + r->height; y++) {
            memcpy(v->shown + y * frame->width + r->x,
                    frame->data + (size_t)y * frame->stride + r->x * 4,
                    (size_t)r->width * 4);
        }
    }
}

static void on_lost(void *data, const char *reason)
{
    struct viewer *v = data;
    v->lost++;
    snprintf(v->reason, sizeof(v->reason), "%s", reason);
}

static const struct ph_capture_events events = {
        .frame = on_frame,
        .lost = on_lost,
};

static void open_viewer(struct viewer *v)
{
    char error[256] = "";
    memset(v, 0, sizeof(*v));
    v->compositor = fake_compositor_start("fake");
    v->capture = ph_capture_wlr_create(
            "fake", "FAKE-1", NULL, &events, v, error, sizeof(error));
    if (!CHECK(v->capture)) {
        fprintf(stderr, "%s\n", error);
        exit(CHECK_DONE());
    }
}

static void close_viewer(struct viewer *v)
{
    v->capture->ops->destroy(v->capture);
    fake_compositor_stop(v->compositor);
}

/* Waits for the event that was asked for. */
static bool next_event(struct viewer *v, int ms)
{
    unsigned before = v->frames + v->lost;
    int64_t deadline = ph_deadline_ms(ms);
    while (v->frames + v->lost == before) {
        struct pollfd pfd = {v->capture->ops->fd(v->capture), POLLIN, 0};
        if (poll(&pfd, 1, ph_deadline_poll_ms(deadline)) <= 0) {
            return false;
        }
        v->capture->ops->dispatch(v->capture);
    }
    return v->lost == 0;
}

static void request(struct viewer *v, bool whole)
{
    v->capture->ops->request(v->capture, whole);
}

/* The next frame, and what it leads to, is the compositor's picture. */
static bool next_is_right(struct viewer *v)
{
    return CHECK(next_event(v, WAIT_MS)) &&
            CHECK(memcmp(v->shown, fake_compositor_pixels(v->compositor),
                          (size_t)v->width * v->height * 4) == 0);
}

static uint32_t random_below(uint32_t n)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % n;
}

static void draw(struct viewer *v)
{
    uint32_t x = random_below(FAKE_SIDE);
    uint32_t y = random_below(FAKE_SIDE);
    fake_compositor_draw(v->compositor, x, y, 1 + random_below(FAKE_SIDE - x),
            1 + random_below(FAKE_SIDE - y), random_below(1 << 24));
}

/* Changes before a request, while it waits, or both. */
static void test_changes(void)
{
    struct viewer v;
    open_viewer(&v);
    request(&v, true);
    CHECK(next_is_right(&v));
    CHECK(v.whole);
    for (int i = 0; i < 200; i++) {
        unsigned early = random_below(3);
        for (unsigned n = 0; n < early; n++) {
            draw(&v);
        }
        request(&v, false);
        if (early == 0) {
            draw(&v);
        }
        if (!next_is_right(&v)) {
            break;
        }
    }
    CHECK_EQ(fake_compositor_sessions(v.compositor), 1);
    close_viewer(&v);
}

/* Nothing changes: no frame, unless the whole is wanted. */
static void test_static(void)
{
    struct viewer v;
    open_viewer(&v);
    request(&v, false);
    CHECK(next_is_right(&v));
    request(&v, false);
    CHECK(!next_event(&v, 50));
    request(&v, true);
    CHECK(next_is_right(&v));
    CHECK(v.whole);
    request(&v, false);
    CHECK(!next_event(&v, 50));
    v.capture->ops->cancel(v.capture);
    draw(&v);
    request(&v, false);
    CHECK(next_is_right(&v));
    CHECK(v.whole);
    draw(&v);
    request(&v, false);
    CHECK(next_is_right(&v));
    CHECK(!v.whole);
    close_viewer(&v);
}

/* With a request outstanding and without; many that come faster than frames. */
static void test_sizes(void)
{
    struct viewer v;
    open_viewer(&v);
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t width = 1 + random_below(FAKE_MAX_SIDE);
        request(&v, false);
        if (i % 2 == 0) {
            fake_compositor_draw(v.compositor, 0, 0, 1, 1, i);
            CHECK(next_is_right(&v));
        }
        for (unsigned n = 0; n < i; n++) {
            fake_compositor_resize(v.compositor, 40 + n, 30, i & 4);
        }
        fake_compositor_resize(v.compositor, width, 50 + i, i & 4);
        do {
            request(&v, false);
        } while (CHECK(next_event(&v, WAIT_MS)) && v.width != width);
        CHECK_EQ(v.height, 50 + i);
        CHECK(v.whole);
        fake_compositor_draw(v.compositor, 0, 20, width, 9, i << 8);
        request(&v, false);
        CHECK(next_is_right(&v));
    }
    close_viewer(&v);
}

static void test_failures(void)
{
    struct viewer v;
    open_viewer(&v);
    request(&v, true);
    CHECK(next_is_right(&v));
    fake_compositor_fail(v.compositor, 2);
    request(&v, false);
    draw(&v);
    CHECK(next_is_right(&v));
    request(&v, false);
    fake_compositor_end_session(v.compositor); /* asked */
    CHECK(next_is_right(&v));
    fake_compositor_end_session(v.compositor); /* not asked */
    draw(&v);
    request(&v, false);
    CHECK(next_is_right(&v));
    fake_compositor_fail(v.compositor, 3);
    request(&v, true);
    CHECK(!next_event(&v, WAIT_MS));
    CHECK_EQ(v.lost, 1);
    CHECK(strstr(v.reason, "does not give pictures"));
    close_viewer(&v);
}

static void test_end(void)
{
    struct viewer v;
    open_viewer(&v);
    request(&v, true);
    CHECK(next_is_right(&v));
    request(&v, false);
    fake_compositor_remove_output(v.compositor);
    CHECK(!next_event(&v, WAIT_MS));
    CHECK_EQ(v.lost, 1);
    CHECK_STR(v.reason, "the compositor removed the output");
    close_viewer(&v);
}

int main(void)
{
    char dir[] = "/tmp/porthole-test-copy-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    setenv("XDG_RUNTIME_DIR", dir, 1);
    test_changes();
    test_static();
    test_sizes();
    test_failures();
    test_end();
    rmdir(dir);
    return CHECK_DONE();
}
