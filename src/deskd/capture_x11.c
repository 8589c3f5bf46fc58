/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures of an X screen. The server says once that something changed; then
 * it waits until a frame is wanted and its time has come, and one round trip
 * takes the damage off and copies what it covers. The descriptor is an epoll
 * of the connection and of a timer for the next frame's time.
 */
#include "deskd/desktop_x11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/damage.h>
#include <xcb/xfixes.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "capture"
#include "common/log.h"
#include "deskd/alarm.h"
#include "deskd/x11_cursor.h"
#include "deskd/x11_overlay.h"
#include "deskd/x11_picture.h"
#include "x11/resize.h"
#include "x11/x11.h"

/* Reads in a row that failed after which the screen counts as lost. */
#define MAX_FAILURES 3

struct x11 {
    struct ph_capture base;
    struct ph_x11 x;
    struct ph_x11_picture *picture;
    struct ph_x11_cursor cursor;
    struct ph_x11_overlay *overlay; /* NULL: the pointer is told, not drawn */
    bool pointed; /* it is elsewhere, or looks otherwise, than drawn */
    xcb_damage_damage_t damage;
    struct ph_alarm alarm;
    int64_t interval_ns; /* between frames, at least */
    int64_t next_ns; /* not before */
    bool dirty; /* the server said that something changed */
    bool requested;
    bool whole;
    bool resized; /* events may have come with the answers to that */
    unsigned failures;
    char lost[256]; /* why, to be told at the end of dispatch */
};

static struct x11 *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct x11, base);
}

static bool has_news(const struct x11 *c)
{
    return c->whole || c->dirty || c->pointed;
}

/* The next frame's time; with nothing to do, none. */
static void arm(struct x11 *c)
{
    int64_t at = PH_NEVER;
    if (c->resized || (c->requested && has_news(c))) {
        bool at_once = c->resized || c->whole;
        at = at_once ? 1 : PH_MAX(1, c->next_ns);
    }
    ph_alarm_set(&c->alarm, at);
}

static bool remake_picture(struct x11 *c)
{
    ph_x11_picture_destroy(c->picture);
    c->picture = ph_x11_picture_create(
            &c->x, PH_X11_WAY_PIXMAP, c->lost, sizeof(c->lost));
    c->whole = true;
    if (c->overlay) {
        c->overlay->rect = (struct ph_rect){0, 0, 0, 0};
    }
    return c->picture;
}

static void handle_event(struct x11 *c, const xcb_generic_event_t *event)
{
    if (ph_x11_is_event(&c->x, event, &xcb_damage_id, XCB_DAMAGE_NOTIFY)) {
        c->dirty = true;
        ph_x11_cursor_ask(&c->cursor);
    } else if (ph_x11_follow_size(&c->x, event)) {
        LOG_DBG("the screen is %ux%u now", c->x.width, c->x.height);
        remake_picture(c);
    } else {
        ph_x11_cursor_event(&c->cursor, event);
    }
}

/* Everything that the server said. */
static void take_events(struct x11 *c)
{
    xcb_generic_event_t *event;
    while (!c->lost[0] && (event = xcb_poll_for_event(c->x.conn))) {
        handle_event(c, event);
        free(event);
    }
    if (xcb_connection_has_error(c->x.conn) && !c->lost[0]) {
        snprintf(c->lost, sizeof(c->lost), "the X server is gone");
    }
}

static void tell_cursor(struct x11 *c)
{
    struct ph_capture_cursor cursor;
    if (!ph_x11_cursor_take(&c->cursor, &cursor)) {
        return;
    }
    if (c->overlay) {
        c->pointed = true;
    } else if (c->base.events->cursor) {
        c->base.events->cursor(c->base.data, &cursor);
    }
}

/* One that waited begins an interval anew; one of many keeps their beat. */
static void plan_next(struct x11 *c, int64_t now)
{
    c->next_ns = now - c->next_ns > c->interval_ns / 2
            ? now + c->interval_ns
            : c->next_ns + c->interval_ns;
}

/* Reads the picture; what is drawn into it is taken out before. */
static bool read_picture(struct x11 *c, struct ph_region *damage)
{
    struct ph_region covered;
    struct ph_x11_canvas canvas = {
            .width = c->x.width,
            .height = c->x.height,
            .rgba = ph_x11_picture_format(c->picture) == PH_HXFR_RGBA,
    };
    canvas.pixels = ph_x11_picture_data(c->picture, &canvas.stride);
    ph_region_clear(&covered);
    if (c->overlay) {
        ph_x11_overlay_remove(c->overlay, &canvas, &covered);
    }
    if (!ph_x11_picture_read(c->picture, c->damage, c->whole, damage)) {
        return false;
    }
    if (c->overlay) {
        ph_x11_overlay_draw(c->overlay, &canvas, &c->cursor.now,
                c->cursor.pixels, &covered);
        ph_region_union(damage, &covered);
    }
    c->pointed = false;
    return true;
}

static void show(struct x11 *c)
{
    struct ph_region damage;
    int64_t begun = ph_clock_ns();
    c->dirty = false;
    if (!read_picture(c, &damage)) {
        c->whole = true;
        if (++c->failures >= MAX_FAILURES) {
            snprintf(c->lost, sizeof(c->lost),
                    "the X server does not give its picture");
        }
        return;
    }
    c->failures = 0;
    if (ph_region_is_empty(&damage)) {
        return; /* it was undone, or outside */
    }
    plan_next(c, begun);
    c->requested = false;
    c->whole = false;
    struct ph_capture_frame event = {
            .width = c->x.width,
            .height = c->x.height,
            .format = ph_x11_picture_format(c->picture),
            .time_ns = begun,
            .ready_ns = ph_clock_ns(),
            .damage = &damage,
    };
    event.data = ph_x11_picture_data(c->picture, &event.stride);
    c->base.events->frame(c->base.data, &event);
}

static int fd(struct ph_capture *capture)
{
    return from_base(capture)->alarm.epoll;
}

static void request(struct ph_capture *capture, bool whole)
{
    struct x11 *c = from_base(capture);
    c->requested = true;
    c->whole = c->whole || whole;
    arm(c);
}

static void cancel(struct ph_capture *capture)
{
    struct x11 *c = from_base(capture);
    c->requested = false;
    c->whole = true;
    arm(c);
}

static void dispatch(struct ph_capture *capture)
{
    struct x11 *c = from_base(capture);
    bool was_lost = c->lost[0];
    c->resized = false;
    take_events(c);
    if (!c->lost[0] && ph_alarm_take(&c->alarm) && c->requested &&
            has_news(c)) {
        show(c);
        take_events(c); /* they may have come with the answer */
    }
    if (!c->lost[0]) {
        do { /* what is sent may read what has come */
            c->cursor.unsent = false;
            tell_cursor(c);
            xcb_flush(c->x.conn);
            take_events(c);
        } while (c->cursor.unsent && !c->lost[0]);
        arm(c);
    }
    if (c->lost[0] && !was_lost) {
        c->base.events->lost(c->base.data, c->lost);
    }
}

static void resize(struct ph_capture *capture, uint32_t width, uint32_t height,
        uint32_t scale)
{
    struct x11 *c = from_base(capture);
    char error[256];
    if (!ph_x11_resize(&c->x, width, height, scale, error, sizeof(error))) {
        LOG_WARN("cannot change the screen's size: %s", error);
    }
    c->resized = true;
    arm(c);
}

static void destroy(struct ph_capture *capture)
{
    struct x11 *c = from_base(capture);
    if (c->cursor.x) {
        ph_x11_cursor_finish(&c->cursor);
    }
    ph_x11_picture_destroy(c->picture);
    free(c->overlay);
    ph_x11_finish(&c->x);
    ph_alarm_finish(&c->alarm);
    free(c);
}

static const struct ph_capture_ops ops = {
        .name = "x11",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .resize = resize,
        .destroy = destroy,
};

static bool watch(struct x11 *c, char *error, size_t size)
{
    if (!ph_x11_has(&c->x, &xcb_damage_id, "DAMAGE", error, size) ||
            !ph_x11_has(&c->x, &xcb_xfixes_id, "XFIXES", error, size)) {
        return false;
    }
    /* Both want to hear which version we know. */
    AUTOFREE xcb_damage_query_version_reply_t *damage =
            xcb_damage_query_version_reply(
                    c->x.conn, xcb_damage_query_version(c->x.conn, 1, 1), NULL);
    AUTOFREE xcb_xfixes_query_version_reply_t *fixes =
            xcb_xfixes_query_version_reply(
                    c->x.conn, xcb_xfixes_query_version(c->x.conn, 2, 0), NULL);
    if (!damage || !fixes) {
        snprintf(error, size, "the X server is gone");
        return false;
    }
    ph_x11_watch_size(&c->x);
    c->picture = ph_x11_picture_create(&c->x, PH_X11_WAY_PIXMAP, error, size);
    if (!c->picture) {
        return false;
    }
    c->damage = xcb_generate_id(c->x.conn);
    xcb_damage_create(
            c->x.conn, c->damage, c->x.root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    ph_x11_cursor_init(&c->cursor, &c->x);
    xcb_flush(c->x.conn);
    return true;
}

struct ph_capture *ph_capture_x11_create(const char *display, uint32_t fps,
        bool embed, const struct ph_capture_events *events, void *data,
        char *error, size_t size)
{
    struct x11 *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_capture){&ops, events, data};
    c->alarm = (struct ph_alarm)PH_ALARM_NONE;
    c->interval_ns = fps ? PH_NS_PER_S / fps : 0;
    c->whole = true;
    if (embed) {
        c->overlay = ph_xcalloc(1, sizeof(*c->overlay));
    }
    if (!ph_x11_connect(&c->x, display, error, size)) {
        goto fail;
    }
    if (!ph_alarm_init(&c->alarm) ||
            !ph_alarm_watch(&c->alarm, xcb_get_file_descriptor(c->x.conn))) {
        snprintf(error, size, "no descriptors for the X display");
        goto fail;
    }
    if (!watch(c, error, size)) {
        goto fail;
    }
    LOG_DBG("X screen of %ux%u, read in way %d", c->x.width, c->x.height,
            (int)ph_x11_picture_way(c->picture));
    return &c->base;
fail:
    destroy(&c->base);
    return NULL;
}
