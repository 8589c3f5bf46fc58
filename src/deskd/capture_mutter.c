/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures of Mutter's, as PipeWire brings them. Mutter sends what it draws
 * whether we ask or not, and (before version 48) does not say what changed in
 * it: so each picture that is asked for is compared with a copy of the one
 * before, which also answers who wants the whole when nothing changes.
 *
 * The descriptor is an epoll of PipeWire's loop, of the session's end, and of
 * a timer. The stream is made at the first dispatch, on the thread that it is
 * used on.
 */
#include "deskd/mutter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#define LOG_MODULE "mutter"
#include "common/log.h"
#include "deskd/alarm.h"
#include "deskd/mutter_stream.h"
#include "video/damage.h"

/* Nobody wants pictures for so long: Mutter need not make any. */
#define PAUSE_NS PH_NS_PER_S
/* A picture that is due may be lost, and a size: Mutter throws away what it
 * draws while the buffers of a new format are made, and PipeWire forgets a wish
 * while it agrees on another one. So long it may take at first, then both are
 * asked once more, and after twice as long again; in the end the session is
 * made anew. */
#define LOOK_NS (250 * PH_NS_PER_MS)
#define LOOKS 4
/* A stamp that is older is not one of this clock. */
#define MAX_AGE_NS PH_NS_PER_S

struct mutter {
    struct ph_capture base;
    struct ph_mutter *desktop;
    struct ph_mutter_session *session;
    struct ph_mutter_stream *stream;
    struct ph_alarm alarm;
    int64_t pause_ns; /* when to pause; PH_NEVER */
    int64_t patience_ns; /* when the first picture is late; PH_NEVER */
    int64_t look_ns; /* when to look for a picture that is due; PH_NEVER */
    unsigned looks; /* how often that was done */
    struct ph_mutter_size agreed; /* with PipeWire; width 0: none yet */
    bool active; /* Mutter sends */
    bool current; /* the copy is what Mutter shows */
    bool requested;
    bool whole;
    bool look; /* dispatch is wanted at once */
    bool lost;
    struct ph_mutter_picture shape; /* of the copy: its data is that */
    uint8_t *copy;
    size_t copy_size;
};

static struct mutter *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct mutter, base);
}

static void arm(struct mutter *c)
{
    int64_t next = PH_MIN(c->pause_ns, c->patience_ns);
    ph_alarm_set(&c->alarm, c->look ? 1 : PH_MIN(next, c->look_ns));
}

/* Makes room for a picture of another shape. */
static bool reshape(struct mutter *c, const struct ph_mutter_picture *p)
{
    const struct ph_mutter_picture *s = &c->shape;
    if (c->copy && s->width == p->width && s->height == p->height &&
            s->stride == p->stride && s->format == p->format) {
        return true;
    }
    size_t size = (size_t)p->stride * p->height;
    c->current = false;
    c->whole = true;
    free(c->copy);
    c->copy = malloc(size);
    c->copy_size = c->copy ? size : 0;
    c->shape = *p;
    return c->copy;
}

static void copy_rect(
        struct mutter *c, const struct ph_mutter_picture *p, struct ph_rect r)
{
    size_t at = (size_t)r.y * p->stride + (size_t)r.x * 4;
    for (uint16_t y = 0; y < r.height; y++, at += p->stride) {
        memcpy(c->copy + at, p->data + at, (size_t)r.width * 4);
    }
}

/* What differs from the copy; brings the copy up to date. */
static void find_damage(struct mutter *c, const struct ph_mutter_picture *p,
        struct ph_region *out)
{
    const struct ph_rect all = {0, 0, (uint16_t)p->width, (uint16_t)p->height};
    const struct ph_damage_pictures pictures = {
            .before = c->copy,
            .now = p->data,
            .stride = p->stride,
            .width = all.width,
            .height = all.height,
    };
    ph_region_clear(out);
    if (c->whole) {
        ph_region_add(out, all);
    } else if (p->damage) {
        for (uint16_t i = 0; i < p->damage->count; i++) {
            ph_damage_compare(&pictures, p->damage->rects[i], out);
        }
    } else {
        ph_damage_compare(&pictures, all, out);
    }
    for (uint16_t i = 0; i < out->count; i++) {
        copy_rect(c, p, out->rects[i]);
    }
}

static void emit(struct mutter *c, const struct ph_mutter_picture *p,
        const struct ph_region *damage, int64_t ready)
{
    int64_t time = p->time_ns;
    if (time > ready || time < ready - MAX_AGE_NS) {
        time = ready;
    }
    c->requested = false;
    c->whole = false;
    struct ph_capture_frame frame = {
            .data = p->data,
            .stride = p->stride,
            .width = p->width,
            .height = p->height,
            .format = p->format,
            .time_ns = time,
            .ready_ns = ready,
            .damage = damage,
    };
    c->base.events->frame(c->base.data, &frame);
}

static void lose(struct mutter *c, const char *why)
{
    if (!c->lost) {
        c->lost = true;
        c->base.events->lost(c->base.data, why);
    }
}

/* The picture that waits, if it shows a change. */
static void show(struct mutter *c)
{
    struct ph_mutter_picture p;
    struct ph_region damage;
    if (!c->requested || !ph_mutter_stream_peek(c->stream, &p)) {
        return;
    }
    int64_t ready = ph_clock_ns();
    if (!reshape(c, &p)) {
        lose(c, "no memory for the desktop's size");
        return;
    }
    find_damage(c, &p, &damage);
    c->current = true;
    c->patience_ns = PH_NEVER;
    ph_mutter_note_picture(c->desktop);
    if (!ph_region_is_empty(&damage)) {
        emit(c, &p, &damage, ready);
    }
    ph_mutter_stream_release(c->stream);
}

/* The copy, when the whole is wanted and nothing new comes. */
static void show_copy(struct mutter *c)
{
    struct ph_region all;
    if (!c->requested || !c->whole || !c->current) {
        return;
    }
    struct ph_mutter_picture p = c->shape;
    p.data = c->copy;
    p.time_ns = 0;
    ph_region_set(&all, (uint16_t)p.width, (uint16_t)p.height);
    emit(c, &p, &all, ph_clock_ns());
}

/* From now on one of the present size is due. */
static void expect_picture(struct mutter *c)
{
    c->looks = 0;
    c->look_ns = ph_clock_ns() + LOOK_NS;
}

static bool is_of_size(
        const struct ph_mutter_size *size, uint32_t width, uint32_t height)
{
    return size->width == width && size->height == height;
}

static void look_for_picture(struct mutter *c, int64_t now)
{
    const struct ph_mutter_size *want = ph_mutter_is_virtual(c->desktop)
            ? ph_mutter_size(c->desktop)
            : &c->agreed;
    bool any = c->agreed.width != 0;
    bool settled = any && is_of_size(want, c->agreed.width, c->agreed.height);
    c->look_ns = PH_NEVER;
    if (c->current && settled &&
            is_of_size(want, c->shape.width, c->shape.height)) {
        return;
    }
    if (settled && !c->requested) { /* it may be there: nobody looks */
        c->look_ns = now + LOOK_NS;
        return;
    }
    if (c->looks == LOOKS) {
        lose(c, "the desktop gives no picture of its size; asking anew");
        return;
    }
    c->look_ns = now + (LOOK_NS << ++c->looks);
    if (settled) {
        LOG_DBG("no picture of %ux%u: once more", want->width, want->height);
        ph_mutter_stream_set_active(c->stream, false);
        ph_mutter_stream_set_active(c->stream, true);
    } else if (any) {
        LOG_DBG("not %ux%u yet: once more", want->width, want->height);
        ph_mutter_stream_resize(c->stream, want->width, want->height);
    }
}

/* Takes in what PipeWire says; a picture of each new size is due. */
static void dispatch_stream(struct mutter *c)
{
    struct ph_mutter_size agreed = {0};
    ph_mutter_stream_dispatch(c->stream);
    ph_mutter_stream_size(c->stream, &agreed.width, &agreed.height);
    if (c->active && !is_of_size(&c->agreed, agreed.width, agreed.height)) {
        expect_picture(c);
    }
    c->agreed = agreed;
}

static void set_active(struct mutter *c, bool active)
{
    if (c->stream && c->active != active) {
        c->active = active;
        c->current = false;
        ph_mutter_set_watched(c->desktop, active);
        c->patience_ns = PH_NEVER;
        c->look_ns = PH_NEVER;
        if (active) {
            c->patience_ns = ph_clock_ns() + ph_mutter_patience_ns(c->desktop);
            expect_picture(c);
        }
        ph_mutter_stream_set_active(c->stream, active);
    }
}

static int fd(struct ph_capture *capture)
{
    return from_base(capture)->alarm.epoll;
}

static void request(struct ph_capture *capture, bool whole)
{
    struct mutter *c = from_base(capture);
    c->requested = true;
    c->whole = c->whole || whole;
    c->pause_ns = PH_NEVER;
    c->look = true; /* something may wait */
    set_active(c, true);
    arm(c);
}

static void cancel(struct ph_capture *capture)
{
    struct mutter *c = from_base(capture);
    c->requested = false;
    c->whole = true;
    c->pause_ns = ph_clock_ns() + PAUSE_NS;
    arm(c);
}

static void look_at_clock(struct mutter *c)
{
    int64_t now = ph_clock_ns();
    ph_alarm_take(&c->alarm);
    if (now >= c->pause_ns) {
        bool agreed = c->agreed.width != 0;
        c->pause_ns = agreed ? PH_NEVER : now + PAUSE_NS;
        if (agreed && !c->requested) {
            set_active(c, false);
        }
    }
    if (now >= c->look_ns) {
        look_for_picture(c, now);
    }
    if (now >= c->patience_ns) {
        lose(c, "the desktop gives no picture; asking anew");
    }
}

static void on_cursor(void *data, const struct ph_capture_cursor *cursor)
{
    struct mutter *c = data;
    if (c->base.events->cursor) {
        c->base.events->cursor(c->base.data, cursor);
    }
}

static bool begin(struct mutter *c)
{
    const struct ph_desktop_options *o = ph_mutter_options(c->desktop);
    const struct ph_mutter_size *size = ph_mutter_size(c->desktop);
    bool exact = ph_mutter_is_virtual(c->desktop);
    const struct ph_mutter_stream_wish wish = {
            .node = ph_mutter_session_node(c->session),
            .width = exact ? size->width : 0,
            .height = exact ? size->height : 0,
            .fps = o->fps,
    };
    char error[256] = "no descriptors for the pictures";
    c->stream =
            ph_mutter_stream_create(&wish, on_cursor, c, error, sizeof(error));
    if (!c->stream ||
            !ph_alarm_watch(&c->alarm, ph_mutter_stream_fd(c->stream))) {
        lose(c, error);
        return false;
    }
    c->active = true;
    ph_mutter_set_watched(c->desktop, true);
    c->patience_ns = ph_clock_ns() + ph_mutter_patience_ns(c->desktop);
    expect_picture(c);
    if (!c->requested) { /* nobody looks: no picture is missed */
        c->pause_ns = ph_clock_ns() + PAUSE_NS;
    }
    return true;
}

/* Why it is over, NULL while it is not. */
static const char *find_end(const struct mutter *c)
{
    return ph_mutter_session_is_over(c->session)
            ? "the compositor ended the session"
            : ph_mutter_stream_failure(c->stream);
}

static void dispatch(struct ph_capture *capture)
{
    struct mutter *c = from_base(capture);
    if (c->lost || (!c->stream && !begin(c))) {
        return;
    }
    c->look = false;
    dispatch_stream(c);
    const char *end = find_end(c);
    if (end) {
        lose(c, end);
        return;
    }
    show(c);
    show_copy(c);
    look_at_clock(c);
    if (!c->lost) {
        arm(c);
    }
}

static void resize(struct ph_capture *capture, uint32_t width, uint32_t height,
        uint32_t scale)
{
    struct mutter *c = from_base(capture);
    *ph_mutter_size(c->desktop) = (struct ph_mutter_size){width, height};
    if (c->stream) { /* else it begins with that size */
        ph_mutter_stream_resize(c->stream, width, height);
        expect_picture(c);
        arm(c);
    }
}

static void destroy(struct ph_capture *capture)
{
    struct mutter *c = from_base(capture);
    ph_mutter_stream_destroy(c->stream);
    if (c->session) {
        ph_mutter_end(c->desktop, c->session);
        ph_mutter_session_unref(c->session);
    }
    ph_alarm_finish(&c->alarm);
    free(c->copy);
    free(c);
}

static const struct ph_capture_ops monitor_ops = {
        .name = "mutter",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .destroy = destroy,
};

static const struct ph_capture_ops virtual_ops = {
        .name = "mutter",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .resize = resize,
        .destroy = destroy,
};

struct ph_capture *ph_capture_mutter_create(struct ph_mutter *m,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    struct mutter *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_capture){
            ph_mutter_is_virtual(m) ? &virtual_ops : &monitor_ops, events,
            data};
    c->desktop = m;
    c->alarm = (struct ph_alarm)PH_ALARM_NONE;
    c->whole = true;
    c->pause_ns = c->patience_ns = c->look_ns = PH_NEVER;
    c->session = ph_mutter_renew(m, error, size);
    if (!c->session) {
        goto fail;
    }
    if (!ph_alarm_init(&c->alarm) ||
            !ph_alarm_watch(&c->alarm, ph_mutter_session_fd(c->session))) {
        snprintf(error, size, "no descriptors for the pictures");
        goto fail;
    }
    c->look = true;
    arm(c);
    return &c->base;
fail:
    destroy(&c->base);
    return NULL;
}
