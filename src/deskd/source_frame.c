/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a captured frame to a submitted one. Each slot keeps what was written
 * into it last, so each has a region of its own that changed since: only that
 * is converted. The host is told what changed since the frame before.
 */
#include <stdio.h>
#include <string.h>

#include "common/macros.h"
#define LOG_MODULE "source"
#include "common/log.h"
#include "deskd/source_private.h"
#include "video/pixels.h"

/* What ph_pixels_to_nv12 makes: BT.601, limited range. sRGB's primaries and
 * transfer bring a browser's colours back as they were. */
static const struct ph_hxfr_colour colour = {
        .matrix = 6,
        .primaries = 1,
        .transfer = 13,
        .full_range = false,
};

void ph_source_need_whole(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->need_whole) {
        f->need_whole = true;
        f->whole_since = ph_clock_ns();
    }
}

int64_t ph_source_next_pts(struct ph_source *source, int64_t time_ns)
{
    struct ph_source_flow *f = &source->flow;
    f->last_pts = PH_MAX(f->last_pts + 1, time_ns);
    return f->last_pts;
}

static void damage_all(struct ph_source_flow *f)
{
    for (size_t i = 0; i < PH_LEN(f->pending); i++) {
        ph_region_set(&f->pending[i], (uint16_t)f->width, (uint16_t)f->height);
    }
    ph_region_set(&f->unsent, (uint16_t)f->width, (uint16_t)f->height);
}

void ph_source_release_slot(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    if (f->has_slot) {
        ph_link_release(source->link, &f->slot);
        f->has_slot = false;
    }
}

bool ph_source_acquire_slot(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->has_slot) {
        f->has_slot = ph_link_acquire(source->link, &f->slot) == PH_LINK_OK;
    }
    if (f->has_slot && f->slot.generation != f->generation) {
        f->generation = f->slot.generation;
        f->submitted = false;
        damage_all(f);
        ph_source_need_whole(source);
    }
    return f->has_slot;
}

void ph_source_note_change(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    f->repeat_due =
            f->steady_fps ? now + PH_NS_PER_S / f->steady_fps : PH_NEVER;
    ph_refine_begin(&f->refine, now);
}

/* True when the frame is of another size than the surface: new slots come
 * before anything can be drawn. */
static bool resize(struct ph_source *source, const struct ph_capture_frame *fr)
{
    struct ph_source_flow *f = &source->flow;
    uint32_t width = (fr->width + 1) & ~1u;
    uint32_t height = (fr->height + 1) & ~1u;
    if (width == f->width && height == f->height) {
        return false;
    }
    LOG_INFO("the desktop has %ux%u pixels", fr->width, fr->height);
    ph_source_release_slot(source);
    f->width = width;
    f->height = height;
    f->submitted = false;
    f->next_request_ns = 0;
    damage_all(f);
    ph_link_set_surface(source->link, width, height, &colour);
    ph_source_need_whole(source);
    return true;
}

static void convert(struct ph_source *source, const struct ph_capture_frame *fr)
{
    struct ph_source_flow *f = &source->flow;
    const struct ph_link_picture *p = &f->slot;
    struct ph_region *pending = &f->pending[p->slot];
    struct ph_rgb src = {
            fr->data, fr->stride, fr->width, fr->height, fr->format};
    struct ph_nv12 nv12 = {
            .plane = {p->plane[0], p->plane[1]},
            .stride = {p->stride[0], p->stride[1]},
            .width = p->width,
            .height = p->height,
    };
    for (uint16_t i = 0; i < pending->count; i++) {
        if (p->format == PH_HXFR_NV12) {
            ph_pixels_to_nv12(&src, &nv12, pending->rects[i]);
        } else {
            ph_pixels_to_bgra(
                    &src, p->plane[0], p->stride[0], pending->rects[i]);
        }
    }
    atomic_fetch_add(&source->pixels_converted, ph_region_pixels(pending));
    ph_region_clear(pending);
}

static void submit(struct ph_source *source, const struct ph_capture_frame *fr)
{
    struct ph_source_flow *f = &source->flow;
    uint32_t sequence = 0;
    struct ph_source_times times = {
            .pts = ph_source_next_pts(source, fr->time_ns),
            .captured_ns = fr->time_ns,
            .ready_ns = fr->ready_ns,
            .converted_ns = ph_clock_ns(),
    };
    ph_source_note_times(source, &times);
    enum ph_link_result result = ph_link_submit(source->link, &f->slot,
            times.pts, f->keyframe ? PH_HXFR_FRAME_KEYFRAME : 0,
            f->unsent.rects, f->unsent.count, &sequence);
    f->has_slot = false;
    if (result != PH_LINK_OK) {
        ph_source_drop_times(source);
        /* The connection or the size has just changed: all slots are new. */
        ph_source_need_whole(source);
        return;
    }
    ph_region_clear(&f->unsent);
    f->submitted_ns = times.converted_ns;
    f->submitted = true;
    f->need_whole = false;
    f->keyframe = false;
    f->settle_due = PH_NEVER;
    ph_source_note_change(source, times.converted_ns);
}

static void on_frame(void *data, const struct ph_capture_frame *fr)
{
    struct ph_source *source = data;
    struct ph_source_flow *f = &source->flow;
    uint32_t max_fps = source->options.max_fps;
    atomic_fetch_add(&source->frames, 1);
    f->requested = false;
    f->requested_whole = false;
    f->retry_wait = 0;
    /* A quarter less than the interval: compositors tick, in whole
     * milliseconds, and a request that is a little late misses a tick. */
    f->next_request_ns =
            max_fps ? fr->ready_ns + PH_NS_PER_S * 3 / 4 / max_fps : 0;
    if (resize(source, fr)) {
        return;
    }
    struct ph_region damage = *fr->damage;
    ph_region_align(&damage, (uint16_t)f->width, (uint16_t)f->height);
    for (size_t i = 0; i < PH_LEN(f->pending); i++) {
        ph_region_union(&f->pending[i], &damage);
    }
    ph_region_union(&f->unsent, &damage);
    if (!f->has_slot) {
        ph_source_need_whole(source);
        return;
    }
    if (f->need_whole) {
        ph_region_set(&f->unsent, (uint16_t)f->width, (uint16_t)f->height);
    }
    if (!ph_region_is_empty(&f->unsent)) {
        convert(source, fr);
        submit(source, fr);
    }
}

static struct ph_unit *copy_shape(const struct ph_capture_cursor *c)
{
    struct ph_unit *shape = ph_unit_create((size_t)c->width * c->height * 4);
    memcpy(shape->data, c->data, shape->size);
    return shape;
}

static void on_cursor(void *data, const struct ph_capture_cursor *c)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    bool has_shape = c->data && c->width && c->height &&
            c->width <= PH_CAPTURE_MAX_CURSOR &&
            c->height <= PH_CAPTURE_MAX_CURSOR && c->hot_x < c->width &&
            c->hot_y < c->height;
    struct ph_unit *shape = has_shape ? copy_shape(c) : NULL;
    struct ph_unit *old = NULL;
    pthread_mutex_lock(&sh->lock);
    if (shape) {
        old = sh->cursor.shape;
        sh->cursor.shape = shape;
        sh->cursor.serial++; /* a new capture counts from anew */
        sh->cursor.width = c->width;
        sh->cursor.height = c->height;
        sh->cursor.hot_x = c->hot_x;
        sh->cursor.hot_y = c->hot_y;
    }
    sh->cursor.visible = c->visible;
    sh->cursor.x = c->x;
    sh->cursor.y = c->y;
    sh->cursor_news = true;
    pthread_mutex_unlock(&sh->lock);
    ph_unit_unref(old);
    g_source_set_ready_time(source->delivery, 0);
}

static void on_lost(void *data, const char *reason)
{
    struct ph_source *source = data;
    snprintf(source->flow.lost_reason, sizeof(source->flow.lost_reason), "%s",
            reason);
    source->flow.lost = true;
}

const struct ph_capture_events ph_source_capture_events = {
        .frame = on_frame,
        .cursor = on_cursor,
        .lost = on_lost,
};
