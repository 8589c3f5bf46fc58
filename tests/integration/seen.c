/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seen.h"

#include <glib.h>
#include <poll.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/macros.h"

static void on_frame(void *data, const struct ph_capture_frame *frame)
{
    struct seen *s = data;
    s->frames++;
    s->width = frame->width;
    s->height = frame->height;
    s->damage = *frame->damage;
    s->time_ns = frame->time_ns;
    s->bad +=
            frame->time_ns > frame->ready_ns || frame->ready_ns > ph_clock_ns();
    s->empty += ph_region_is_empty(&s->damage);
    uint32_t x = PH_MIN(s->probe[0], frame->width - 1);
    uint32_t y = PH_MIN(s->probe[1], frame->height - 1);
    const uint8_t *p = frame->data + (size_t)y * frame->stride + (size_t)x * 4;
    unsigned red = frame->format == PH_HXFR_BGRA ? 2 : 0;
    s->probed = (uint32_t)p[red] << 16 | (uint32_t)p[1] << 8 | p[2 - red];
}

static void on_cursor(void *data, const struct ph_capture_cursor *cursor)
{
    struct seen *s = data;
    bool fresh = cursor->serial != s->cursor.serial;
    s->cursors++;
    s->bad += fresh != (cursor->data != NULL);
    s->cursor = *cursor;
    s->cursor.data = NULL; /* valid inside the event */
    if (cursor->data) {
        const uint8_t *p = cursor->data;
        s->first_pixel = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
                (uint32_t)p[2] << 8 | p[3];
    }
}

static void on_lost(void *data, const char *reason)
{
    struct seen *s = data;
    s->lost++;
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

const struct ph_capture_events seen_events = {
        .frame = on_frame,
        .cursor = on_cursor,
        .lost = on_lost,
};

bool seen_serve(struct seen *s, int64_t deadline_ns)
{
    enum {
        TURN_MS = 50, /* for the sake of the main context */
    };
    int left = ph_deadline_poll_ms(deadline_ns);
    struct pollfd pfd = {s->capture->ops->fd(s->capture), POLLIN, 0};
    if (poll(&pfd, 1, PH_MIN(left, TURN_MS)) > 0) {
        s->capture->ops->dispatch(s->capture);
    }
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    return left > 0;
}

bool seen_until(struct seen *s, bool (*condition)(const struct seen *s), int ms)
{
    int64_t deadline = ph_deadline_ms(ms);
    while (!condition(s)) {
        if (!seen_serve(s, deadline)) {
            return false;
        }
    }
    return true;
}

bool seen_frame(struct seen *s, bool whole, int ms)
{
    unsigned before = s->frames + s->lost;
    int64_t deadline = ph_deadline_ms(ms);
    s->capture->ops->request(s->capture, whole);
    while (s->frames + s->lost == before) {
        if (!seen_serve(s, deadline)) {
            return false;
        }
    }
    return s->lost == 0;
}

void seen_settle(struct seen *s)
{
    for (int i = 0; i < 200 && seen_frame(s, false, 500); i++) {
    }
}

bool seen_pixel(struct seen *s, uint32_t rgb, int ms)
{
    int64_t deadline = ph_deadline_ms(ms);
    do {
        if (!seen_frame(s, false, ms)) {
            return false;
        }
    } while (s->probed != rgb && ph_clock_ns() < deadline);
    return s->probed == rgb;
}
