/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wlr-screencopy version 3: an object for each request, and a round trip until
 * the compositor said what buffer it wants. */
#include "deskd/wlr_copy.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"

struct screencopy {
    struct ph_wlr_copy base;
    struct zwlr_screencopy_manager_v1 *manager;
    struct wl_output *output;
    struct zwlr_screencopy_frame_v1 *frame; /* the request */
    struct ph_wlr_shape offer; /* what the compositor wants for it */
    bool flipped;
};

static struct screencopy *from_base(struct ph_wlr_copy *copy)
{
    return PH_CONTAINER(copy, struct screencopy, base);
}

static void cancel(struct ph_wlr_copy *copy)
{
    struct screencopy *c = from_base(copy);
    if (c->frame) {
        zwlr_screencopy_frame_v1_destroy(c->frame);
        c->frame = NULL;
    }
}

static void handle_buffer(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t format, uint32_t width, uint32_t height, uint32_t stride)
{
    struct screencopy *c = data;
    c->offer = (struct ph_wlr_shape){format, width, height, stride};
}

static void handle_dmabuf(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t format, uint32_t width, uint32_t height)
{
}

static void handle_buffer_done(
        void *data, struct zwlr_screencopy_frame_v1 *frame)
{
    struct screencopy *c = data;
    struct ph_wlr_target target;
    if (!c->base.events->target(c->base.data, &c->offer, &target)) {
        return;
    }
    if (target.whole) {
        zwlr_screencopy_frame_v1_copy(frame, target.buffer);
    } else {
        zwlr_screencopy_frame_v1_copy_with_damage(frame, target.buffer);
    }
}

static void handle_flags(
        void *data, struct zwlr_screencopy_frame_v1 *frame, uint32_t flags)
{
    struct screencopy *c = data;
    c->flipped = flags & ZWLR_SCREENCOPY_FRAME_V1_FLAGS_Y_INVERT;
}

static void handle_damage(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    struct screencopy *c = data;
    c->base.events->damage(c->base.data, x, y, width, height);
}

static void handle_ready(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t sec_high, uint32_t sec_low, uint32_t nsec)
{
    struct screencopy *c = data;
    cancel(&c->base);
    c->base.events->ready(c->base.data,
            ph_wlr_copy_time_ns(sec_high, sec_low, nsec), c->flipped);
}

static void handle_failed(void *data, struct zwlr_screencopy_frame_v1 *frame)
{
    struct screencopy *c = data;
    cancel(&c->base);
    c->base.events->failed(c->base.data);
}

static const struct zwlr_screencopy_frame_v1_listener frame_listener = {
        .buffer = handle_buffer,
        .flags = handle_flags,
        .ready = handle_ready,
        .failed = handle_failed,
        .damage = handle_damage,
        .linux_dmabuf = handle_dmabuf,
        .buffer_done = handle_buffer_done,
};

static void request(struct ph_wlr_copy *copy, bool whole)
{
    struct screencopy *c = from_base(copy);
    c->flipped = false;
    c->frame = zwlr_screencopy_manager_v1_capture_output(
            c->manager, 1, c->output); /* with the pointer in it */
    zwlr_screencopy_frame_v1_add_listener(c->frame, &frame_listener, c);
}

static void destroy(struct ph_wlr_copy *copy)
{
    cancel(copy);
    free(from_base(copy));
}

static const struct ph_wlr_copy_ops ops = {
        .name = "wlr-screencopy",
        .request = request,
        .cancel = cancel,
        .destroy = destroy,
};

struct ph_wlr_copy *ph_wlr_copy_screencopy_create(
        const struct ph_wayland *wayland, struct wl_output *output,
        const struct ph_wlr_copy_events *events, void *data)
{
    if (!wayland->screencopy) {
        return NULL;
    }
    struct screencopy *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_wlr_copy){&ops, events, data};
    c->manager = wayland->screencopy;
    c->output = output;
    return &c->base;
}
