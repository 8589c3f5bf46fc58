/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture of our own making; the clock is a timerfd, armed by requests. */
#include "deskd/capture.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/clock.h"
#define LOG_MODULE "capture"
#include "common/log.h"
#include "deskd/alarm.h"

#define SQUARE 64u
#define STEP 8u /* pixels a frame */

struct test {
    struct ph_capture base;
    struct ph_alarm alarm;
    uint32_t width;
    uint32_t height;
    uint32_t fps;
    uint32_t *pixels;
    int64_t start;
    int64_t shown; /* number of the frame in pixels, -1: none */
    bool requested;
    bool whole;
};

static struct test *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct test, base);
}

static int64_t tick_ns(const struct test *t, int64_t tick)
{
    return t->start + tick * PH_NS_PER_S / t->fps;
}

/* Which frame is to be seen at a time. */
static int64_t tick_at(const struct test *t, int64_t now)
{
    int64_t tick = t->fps ? (now - t->start) * t->fps / PH_NS_PER_S : 0;
    /* Rounding must not name a frame whose time has not come or is over. */
    while (t->fps && tick_ns(t, tick + 1) <= now) {
        tick++;
    }
    return tick;
}

static struct ph_rect square_at(const struct test *t, int64_t tick)
{
    uint32_t side = PH_MIN(SQUARE, PH_MIN(t->width, t->height));
    uint64_t path = (uint64_t)tick * STEP;
    struct ph_rect r = {
            .x = (uint16_t)(path % (t->width - side + 1)),
            .y = (uint16_t)(path / 16 % (t->height - side + 1)),
            .width = (uint16_t)side,
            .height = (uint16_t)side,
    };
    return r;
}

static uint32_t bar_colour(const struct test *t, uint32_t x)
{
    static const uint32_t colours[] = {0x202020, 0xC02020, 0x20C020, 0x2020C0,
            0xC0C020, 0xC020C0, 0x20C0C0, 0xC0C0C0};
    return colours[(uint64_t)x * PH_LEN(colours) / t->width];
}

static void draw(struct test *t, struct ph_rect r, bool square)
{
    for (uint32_t y = r.y; y < (uint32_t)r.y + r.height; y++) {
        uint32_t *row = t->pixels + (size_t)y * t->width;
        for (uint32_t x = r.x; x < (uint32_t)r.x + r.width; x++) {
            row[x] = square ? 0xFFFFFF : bar_colour(t, x);
        }
    }
}

static void arm(struct test *t)
{
    int64_t next = t->fps ? tick_ns(t, t->shown + 1) : PH_NEVER;
    ph_alarm_set(&t->alarm, !t->requested ? PH_NEVER : t->whole ? 1 : next);
}

static void show(struct test *t, int64_t now)
{
    struct ph_region damage;
    struct ph_rect all = {0, 0, (uint16_t)t->width, (uint16_t)t->height};
    int64_t tick = tick_at(t, now);
    ph_region_clear(&damage);
    if (t->shown < 0) {
        draw(t, all, false);
    } else {
        draw(t, square_at(t, t->shown), false);
        ph_region_add(&damage, square_at(t, t->shown));
    }
    draw(t, square_at(t, tick), true);
    ph_region_add(&damage, square_at(t, tick));
    if (t->whole) {
        ph_region_set(&damage, all.width, all.height);
    }
    bool moved = tick > t->shown && t->shown >= 0;
    t->shown = tick;
    t->requested = false;
    t->whole = false;
    struct ph_capture_frame event = {
            .data = (const uint8_t *)t->pixels,
            .stride = t->width * 4,
            .width = t->width,
            .height = t->height,
            .format = PH_HXFR_BGRA,
            .time_ns = moved ? tick_ns(t, tick) : now,
            .ready_ns = now,
            .damage = &damage,
    };
    t->base.events->frame(t->base.data, &event);
}

static int fd(struct ph_capture *capture)
{
    return from_base(capture)->alarm.epoll;
}

static void request(struct ph_capture *capture, bool whole)
{
    struct test *t = from_base(capture);
    t->requested = true;
    t->whole = t->whole || whole || t->shown < 0;
    arm(t);
}

static void cancel(struct ph_capture *capture)
{
    struct test *t = from_base(capture);
    t->requested = false;
    t->whole = true;
    arm(t);
}

static void dispatch(struct ph_capture *capture)
{
    struct test *t = from_base(capture);
    if (ph_alarm_take(&t->alarm) && t->requested) {
        show(t, ph_clock_ns());
    }
}

static void destroy(struct ph_capture *capture)
{
    struct test *t = from_base(capture);
    ph_alarm_finish(&t->alarm);
    free(t->pixels);
    free(t);
}

static const struct ph_capture_ops ops = {
        .name = "test",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .destroy = destroy,
};

struct ph_capture *ph_capture_test_create(uint32_t width, uint32_t height,
        uint32_t fps, const struct ph_capture_events *events, void *data)
{
    struct test *t = ph_xcalloc(1, sizeof(*t));
    t->base = (struct ph_capture){&ops, events, data};
    t->width = PH_MAX(1u, PH_MIN(width, (uint32_t)PH_HXFR_MAX_SIDE));
    t->height = PH_MAX(1u, PH_MIN(height, (uint32_t)PH_HXFR_MAX_SIDE));
    t->fps = fps;
    t->pixels = ph_xcalloc((size_t)t->width * t->height, sizeof(*t->pixels));
    t->start = ph_clock_ns();
    t->shown = -1;
    if (!ph_alarm_init(&t->alarm)) {
        LOG_ERRNO("make a timer");
    }
    return &t->base;
}
