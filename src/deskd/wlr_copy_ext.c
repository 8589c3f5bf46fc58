/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ext-image-copy-capture: a session says once, and when it changes, what
 * buffers it wants, keeps in mind what changed since the copy before, and
 * gives its first picture at once. So a whole picture is a new session, and so
 * is everything that does not go as it should.
 */
#include "deskd/wlr_copy.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

/* Nothing is known yet. Format 0 would be one. */
static const struct ph_wlr_shape no_shape = {.shm_format = UINT32_MAX};

struct ext {
    struct ph_wlr_copy base;
    struct ext_image_copy_capture_manager_v1 *manager;
    struct ext_image_capture_source_v1 *source;
    struct ext_image_copy_capture_session_v1 *session;
    struct ph_wlr_shape offer; /* what is known of its next constraints */
    struct ph_wlr_shape shape; /* of its buffers; width 0: not known yet */

    bool requested;
    struct ext_image_copy_capture_frame_v1 *frame; /* when the shape is known */
    int64_t time_ns;
};

static struct ext *from_base(struct ph_wlr_copy *copy)
{
    return PH_CONTAINER(copy, struct ext, base);
}

static void end_request(struct ext *c)
{
    c->requested = false;
    if (c->frame) {
        ext_image_copy_capture_frame_v1_destroy(c->frame);
        c->frame = NULL;
    }
}

/* With its session: what it knew of changes, it may have told already. */
static void cancel(struct ph_wlr_copy *copy)
{
    struct ext *c = from_base(copy);
    end_request(c);
    if (c->session) {
        ext_image_copy_capture_session_v1_destroy(c->session);
        c->session = NULL;
    }
}

static void fail(struct ext *c)
{
    bool requested = c->requested;
    cancel(&c->base);
    if (requested) {
        c->base.events->failed(c->base.data);
    }
}

static void request(struct ph_wlr_copy *copy, bool whole);

/* --- a frame --- */

static void handle_transform(void *data,
        struct ext_image_copy_capture_frame_v1 *frame, uint32_t transform)
{
}

static void handle_damage(void *data,
        struct ext_image_copy_capture_frame_v1 *frame, int32_t x, int32_t y,
        int32_t width, int32_t height)
{
    struct ext *c = data;
    c->base.events->damage(c->base.data, (uint32_t)PH_MAX(x, 0),
            (uint32_t)PH_MAX(y, 0), (uint32_t)PH_MAX(width, 0),
            (uint32_t)PH_MAX(height, 0));
}

static void handle_time(void *data,
        struct ext_image_copy_capture_frame_v1 *frame, uint32_t sec_high,
        uint32_t sec_low, uint32_t nsec)
{
    struct ext *c = data;
    c->time_ns = ph_wlr_copy_time_ns(sec_high, sec_low, nsec);
}

static void handle_ready(
        void *data, struct ext_image_copy_capture_frame_v1 *frame)
{
    struct ext *c = data;
    end_request(c);
    c->base.events->ready(c->base.data, c->time_ns, false);
}

/* Whatever the reason: a new session has the newest constraints, or is stopped
 * as well. */
static void handle_failed(void *data,
        struct ext_image_copy_capture_frame_v1 *frame, uint32_t reason)
{
    fail(data);
}

static const struct ext_image_copy_capture_frame_v1_listener frame_listener = {
        .transform = handle_transform,
        .damage = handle_damage,
        .presentation_time = handle_time,
        .ready = handle_ready,
        .failed = handle_failed,
};

static void begin_frame(struct ext *c)
{
    struct ph_wlr_target target;
    if (!c->base.events->target(c->base.data, &c->shape, &target)) {
        return;
    }
    c->time_ns = 0;
    c->frame = ext_image_copy_capture_session_v1_create_frame(c->session);
    ext_image_copy_capture_frame_v1_add_listener(c->frame, &frame_listener, c);
    ext_image_copy_capture_frame_v1_attach_buffer(c->frame, target.buffer);
    for (uint16_t i = 0; i < target.stale->count; i++) {
        const struct ph_rect *r = &target.stale->rects[i];
        ext_image_copy_capture_frame_v1_damage_buffer(
                c->frame, r->x, r->y, r->width, r->height);
    }
    ext_image_copy_capture_frame_v1_capture(c->frame);
}

/* --- the session --- */

static void handle_size(void *data,
        struct ext_image_copy_capture_session_v1 *session, uint32_t width,
        uint32_t height)
{
    struct ext *c = data;
    c->offer.width = width;
    c->offer.height = height;
}

static void handle_format(void *data,
        struct ext_image_copy_capture_session_v1 *session, uint32_t format)
{
    struct ext *c = data;
    if (!ph_wlr_pixel_format(c->offer.shm_format)) {
        c->offer.shm_format = format;
    }
}

static void handle_device(void *data,
        struct ext_image_copy_capture_session_v1 *session,
        struct wl_array *device)
{
}

static void handle_dmabuf(void *data,
        struct ext_image_copy_capture_session_v1 *session, uint32_t format,
        struct wl_array *modifiers)
{
}

static void handle_done(
        void *data, struct ext_image_copy_capture_session_v1 *session)
{
    struct ext *c = data;
    bool requested = c->requested;
    struct ph_wlr_shape shape = c->offer;
    shape.stride = shape.width * 4;
    c->offer = no_shape;
    if (c->shape.width == 0) {
        c->shape = shape;
        if (requested) {
            begin_frame(c);
        }
    } else if (memcmp(&c->shape, &shape, sizeof(shape)) != 0) {
        cancel(&c->base);
        if (requested) {
            request(&c->base, true);
        }
    }
}

static void handle_stopped(
        void *data, struct ext_image_copy_capture_session_v1 *session)
{
    fail(data);
}

static const struct ext_image_copy_capture_session_v1_listener
        session_listener = {
                .buffer_size = handle_size,
                .shm_format = handle_format,
                .dmabuf_device = handle_device,
                .dmabuf_format = handle_dmabuf,
                .done = handle_done,
                .stopped = handle_stopped,
};

static void request(struct ph_wlr_copy *copy, bool whole)
{
    struct ext *c = from_base(copy);
    if (whole) {
        cancel(copy);
    }
    c->requested = true;
    if (!c->session) {
        c->offer = no_shape;
        c->shape = no_shape;
        c->session = ext_image_copy_capture_manager_v1_create_session(
                c->manager, c->source,
                EXT_IMAGE_COPY_CAPTURE_MANAGER_V1_OPTIONS_PAINT_CURSORS);
        ext_image_copy_capture_session_v1_add_listener(
                c->session, &session_listener, c);
    } else if (c->shape.width > 0) {
        begin_frame(c);
    }
}

static void destroy(struct ph_wlr_copy *copy)
{
    struct ext *c = from_base(copy);
    cancel(copy);
    ext_image_capture_source_v1_destroy(c->source);
    free(c);
}

static const struct ph_wlr_copy_ops ops = {
        .name = "ext-image-copy-capture",
        .request = request,
        .cancel = cancel,
        .destroy = destroy,
};

struct ph_wlr_copy *ph_wlr_copy_ext_create(const struct ph_wayland *wayland,
        struct wl_output *output, const struct ph_wlr_copy_events *events,
        void *data)
{
    if (!wayland->image_copy || !wayland->image_source) {
        return NULL;
    }
    struct ext *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_wlr_copy){&ops, events, data};
    c->manager = wayland->image_copy;
    c->source = ext_output_image_capture_source_manager_v1_create_source(
            wayland->image_source, output);
    return &c->base;
}
