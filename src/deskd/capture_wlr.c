/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures of a wlroots compositor. It answers a request when something
 * changed, so a static screen costs nothing here. Two buffers take turns: the
 * compositor writes the whole picture into one, the other still holds the
 * picture before, and comparing both inside the boxes that the compositor
 * names tells what really changed.
 */
#include "deskd/capture.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "capture"
#include "common/log.h"
#include "deskd/wayland.h"
#include "deskd/wlr_copy.h"
#include "deskd/wlr_outputs.h"
#include "video/damage.h"

/* Failed copies in a row after which the output counts as lost. */
#define MAX_FAILURES 3
/* A time stamp older than this is of some other clock. */
#define MAX_AGE_NS PH_NS_PER_S

struct wlr {
    struct ph_capture base;
    struct ph_wayland wayland;
    struct wl_output *output;
    struct ph_wlr_outputs *outputs; /* NULL: its size cannot be changed */

    struct ph_wlr_copy *copy;

    struct ph_wlr_shape shape; /* of the buffers */
    struct wl_buffer *buffers[2];
    /* In each, the boxes of what changed with the picture that it holds. */
    struct ph_region boxes[2];
    uint8_t *memory;
    size_t half; /* bytes from one buffer to the other */
    unsigned target; /* the buffer that the compositor may write */
    bool has_before; /* the other one holds the frame before */

    bool requested;
    unsigned failures;
    const char *lost; /* why, to be told at the end of dispatch */
};

static struct wlr *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct wlr, base);
}

static void release_buffers(struct wlr *c)
{
    for (unsigned i = 0; i < 2; i++) {
        if (c->buffers[i]) {
            wl_buffer_destroy(c->buffers[i]);
            c->buffers[i] = NULL;
        }
    }
    if (c->memory) {
        munmap(c->memory, 2 * c->half);
        c->memory = NULL;
    }
    memset(&c->shape, 0, sizeof(c->shape));
    c->has_before = false;
}

static bool shape_is_sane(const struct ph_wlr_shape *s)
{
    return s->width > 0 && s->width <= PH_HXFR_MAX_SIDE && s->height > 0 &&
            s->height <= PH_HXFR_MAX_SIDE && s->stride >= s->width * 4 &&
            s->stride <= PH_HXFR_MAX_SIDE * 8 && s->stride % 4 == 0 &&
            ph_wlr_pixel_format(s->shm_format) != 0;
}

static bool make_buffers(struct wlr *c, const struct ph_wlr_shape *s)
{
    release_buffers(c);
    c->half = (size_t)s->stride * s->height;
    AUTOCLOSE int fd = memfd_create("porthole-capture", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)(2 * c->half)) < 0) {
        LOG_ERRNO("memory for %ux%u pixels", s->width, s->height);
        return false;
    }
    void *memory =
            mmap(NULL, 2 * c->half, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        LOG_ERRNO("map memory for %ux%u pixels", s->width, s->height);
        return false;
    }
    c->memory = memory;
    struct wl_shm_pool *pool =
            wl_shm_create_pool(c->wayland.shm, fd, (int32_t)(2 * c->half));
    for (unsigned i = 0; i < 2; i++) {
        c->buffers[i] = wl_shm_pool_create_buffer(pool, (int32_t)(i * c->half),
                (int32_t)s->width, (int32_t)s->height, (int32_t)s->stride,
                s->shm_format);
    }
    wl_shm_pool_destroy(pool);
    c->shape = *s;
    LOG_DBG("%ux%u, stride %u, format 0x%x", s->width, s->height, s->stride,
            s->shm_format);
    return true;
}

static bool give_target(
        void *data, const struct ph_wlr_shape *shape, struct ph_wlr_target *out)
{
    struct wlr *c = data;
    if (!shape_is_sane(shape)) {
        c->lost = "the output has a size or pixel format that is not "
                  "supported";
        return false;
    }
    if (memcmp(shape, &c->shape, sizeof(*shape)) != 0 &&
            !make_buffers(c, shape)) {
        c->lost = "no memory for the output's size";
        return false;
    }
    struct ph_region *before = &c->boxes[c->target ^ 1];
    if (!c->has_before) {
        ph_region_set(before, (uint16_t)shape->width, (uint16_t)shape->height);
    }
    ph_region_clear(&c->boxes[c->target]);
    *out = (struct ph_wlr_target){
            c->buffers[c->target], !c->has_before, before};
    return true;
}

static void handle_damage(
        void *data, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    struct wlr *c = data;
    x = PH_MIN(x, c->shape.width);
    y = PH_MIN(y, c->shape.height);
    struct ph_rect box = {(uint16_t)x, (uint16_t)y,
            (uint16_t)PH_MIN(width, c->shape.width - x),
            (uint16_t)PH_MIN(height, c->shape.height - y)};
    ph_region_add(&c->boxes[c->target], box);
}

static void flip(uint8_t *pixels, const struct ph_wlr_shape *s)
{
    uint8_t *top = pixels;
    uint8_t *bottom = pixels + (size_t)s->stride * (s->height - 1);
    for (; top < bottom; top += s->stride, bottom -= s->stride) {
        for (uint32_t i = 0; i < s->stride; i++) {
            uint8_t byte = top[i];
            top[i] = bottom[i];
            bottom[i] = byte;
        }
    }
}

/* boxes: of this picture; everything when it has none before it. */
static void find_damage(const struct wlr *c, const struct ph_region *boxes,
        struct ph_region *out)
{
    if (!c->has_before) {
        *out = *boxes;
        return;
    }
    struct ph_damage_pictures pictures = {
            .before = c->memory + (c->target ^ 1) * c->half,
            .now = c->memory + c->target * c->half,
            .stride = c->shape.stride,
            .width = (uint16_t)c->shape.width,
            .height = (uint16_t)c->shape.height,
    };
    ph_region_clear(out);
    for (uint16_t i = 0; i < boxes->count; i++) {
        ph_damage_compare(&pictures, boxes->rects[i], out);
    }
}

static void handle_ready(void *data, int64_t time_ns, bool flipped)
{
    struct wlr *c = data;
    struct ph_region *boxes = &c->boxes[c->target];
    int64_t now = ph_clock_ns();
    uint8_t *pixels = c->memory + c->target * c->half;
    if (flipped) {
        flip(pixels, &c->shape);
    }
    if (flipped ||
            !c->has_before) { /* whether boxes are flipped, nobody says */
        ph_region_set(
                boxes, (uint16_t)c->shape.width, (uint16_t)c->shape.height);
    }
    struct ph_region damage;
    find_damage(c, boxes, &damage);
    struct ph_capture_frame event = {
            .data = pixels,
            .stride = c->shape.stride,
            .width = c->shape.width,
            .height = c->shape.height,
            .format = ph_wlr_pixel_format(c->shape.shm_format),
            .time_ns =
                    time_ns > now || time_ns < now - MAX_AGE_NS ? now : time_ns,
            .ready_ns = now,
            .damage = &damage,
    };
    c->requested = false;
    c->failures = 0;
    c->has_before = true;
    c->target ^= 1;
    c->base.events->frame(c->base.data, &event);
}

static void request(struct ph_capture *capture, bool whole);

static void handle_failed(void *data)
{
    struct wlr *c = data;
    c->requested = false;
    if (++c->failures >= MAX_FAILURES) {
        c->lost = "the compositor does not give pictures of its output";
        return;
    }
    request(&c->base, true);
}

static const struct ph_wlr_copy_events copy_events = {
        .target = give_target,
        .damage = handle_damage,
        .ready = handle_ready,
        .failed = handle_failed,
};

static int fd(struct ph_capture *capture)
{
    return wl_display_get_fd(from_base(capture)->wayland.display);
}

static void cancel(struct ph_capture *capture)
{
    struct wlr *c = from_base(capture);
    if (c->requested) {
        c->copy->ops->cancel(c->copy);
        c->requested = false;
        /* The compositor may have answered already, and forgotten what had
         * changed: never compare across that. */
        c->has_before = false;
        wl_display_flush(c->wayland.display);
    }
}

static void request(struct ph_capture *capture, bool whole)
{
    struct wlr *c = from_base(capture);
    if (c->requested && (!whole || !c->has_before)) {
        return;
    }
    cancel(capture);
    c->has_before = c->has_before && !whole;
    c->requested = true;
    c->copy->ops->request(c->copy, !c->has_before);
    wl_display_flush(c->wayland.display); /* an error shows in dispatch */
}

static void dispatch(struct ph_capture *capture)
{
    struct wlr *c = from_base(capture);
    bool was_lost = c->lost;
    if (!ph_wayland_dispatch(&c->wayland)) {
        c->lost = "the compositor closed the connection";
    } else if (!ph_wayland_has_output(&c->wayland, c->output)) {
        c->lost = "the compositor removed the output";
    }
    if (c->lost && !was_lost) {
        c->copy->ops->cancel(c->copy);
        c->base.events->lost(c->base.data, c->lost);
    }
}

static void resize(struct ph_capture *capture, uint32_t width, uint32_t height,
        uint32_t scale)
{
    struct wlr *c = from_base(capture);
    const char *name = ph_wayland_output_name(&c->wayland, c->output);
    ph_wlr_outputs_resize(c->outputs, name, width, height, scale);
}

static void destroy(struct ph_capture *capture)
{
    struct wlr *c = from_base(capture);
    if (c->copy) {
        c->copy->ops->destroy(c->copy);
    }
    release_buffers(c);
    ph_wlr_outputs_destroy(c->outputs);
    ph_wayland_finish(&c->wayland);
    free(c);
}

static const struct ph_capture_ops ops = {
        .name = "wlr",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .destroy = destroy,
};

static const struct ph_capture_ops ops_resize = {
        .name = "wlr",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .resize = resize,
        .destroy = destroy,
};

/* The best first. */
static const struct {
    const char *name;
    struct ph_wlr_copy *(*create)(const struct ph_wayland *wayland,
            struct wl_output *output, const struct ph_wlr_copy_events *events,
            void *data);
} protocols[] = {
        {"ext", ph_wlr_copy_ext_create},
        {"screencopy", ph_wlr_copy_screencopy_create},
};

static bool find_protocol(
        struct wlr *c, const char *protocol, char *error, size_t size)
{
    for (size_t i = 0; i < PH_LEN(protocols) && c->wayland.shm; i++) {
        if (!protocol || strcmp(protocol, protocols[i].name) == 0) {
            c->copy = protocols[i].create(
                    &c->wayland, c->output, &copy_events, c);
        }
        if (c->copy) {
            LOG_DBG("copies by %s", c->copy->ops->name);
            return true;
        }
    }
    if (protocol) {
        snprintf(error, size,
                "the Wayland compositor does not offer what --capture wlr:%s "
                "asks for: leave it to wlr, or use wlr:ext or wlr:screencopy",
                protocol);
    } else {
        snprintf(error, size,
                "the Wayland compositor offers neither ext-image-copy-capture "
                "nor wlr-screencopy version 3: use sway 1.6 or newer, or "
                "another wlroots compositor");
    }
    return false;
}

struct ph_capture *ph_capture_wlr_create(const char *display,
        const char *output, const char *protocol,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    struct wlr *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_capture){&ops, events, data};
    if (!ph_wayland_connect(&c->wayland, display,
                ph_deadline_ms(PH_WAYLAND_PATIENCE_MS), error, size)) {
        goto fail;
    }
    c->output = ph_wayland_find_output(&c->wayland, output);
    if (!c->output) {
        snprintf(error, size, "the Wayland compositor has no output%s%s",
                output ? " " : "", output ? output : "");
        goto fail;
    }
    if (!find_protocol(c, protocol, error, size)) {
        goto fail;
    }
    c->outputs = ph_wlr_outputs_create(&c->wayland);
    if (c->outputs && ph_wayland_output_name(&c->wayland, c->output)[0]) {
        c->base.ops = &ops_resize;
    }
    return &c->base;
fail:
    destroy(&c->base);
    return NULL;
}
