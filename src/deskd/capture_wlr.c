/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures by wlr-screencopy version 3. copy_with_damage waits in the
 * compositor until something changed, so a static screen costs nothing here.
 * Two buffers take turns: the compositor writes the whole picture into one,
 * the other still holds the picture before, and comparing both inside the box
 * that the compositor names tells what really changed.
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
#include "deskd/wlr_outputs.h"
#include "video/damage.h"

/* Failed copies in a row after which the output counts as lost. */
#define MAX_FAILURES 3
/* A time stamp older than this is of some other clock. */
#define MAX_AGE_NS PH_NS_PER_S

struct shape {
    uint32_t shm_format;
    uint32_t width;
    uint32_t height;
    uint32_t stride;
};

struct wlr {
    struct ph_capture base;
    struct ph_wayland wayland;
    struct wl_output *output;
    struct ph_wlr_outputs *outputs; /* NULL: its size cannot be changed */

    struct shape shape; /* of the buffers */
    struct wl_buffer *buffers[2];
    uint8_t *memory;
    size_t half; /* bytes from one buffer to the other */
    unsigned target; /* the buffer that the compositor may write */
    bool has_before; /* the other one holds the frame before */

    struct zwlr_screencopy_frame_v1 *frame; /* the request */
    struct shape offer; /* what the compositor wants for it */
    bool whole;
    bool flipped;
    struct ph_region boxes;
    unsigned failures;
    const char *lost; /* why, to be told at the end of dispatch */
};

static struct wlr *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct wlr, base);
}

static void end_request(struct wlr *c)
{
    if (c->frame) {
        zwlr_screencopy_frame_v1_destroy(c->frame);
        c->frame = NULL;
    }
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

/* The bytes of a pixel as hxfr.h names them; 0: not one that we know. */
static uint32_t pixel_format(uint32_t shm_format)
{
    switch (shm_format) {
    case WL_SHM_FORMAT_ARGB8888:
    case WL_SHM_FORMAT_XRGB8888:
        return PH_HXFR_BGRA;
    case WL_SHM_FORMAT_ABGR8888:
    case WL_SHM_FORMAT_XBGR8888:
        return PH_HXFR_RGBA;
    default:
        return 0;
    }
}

static bool shape_is_sane(const struct shape *s)
{
    return s->width > 0 && s->width <= PH_HXFR_MAX_SIDE && s->height > 0 &&
            s->height <= PH_HXFR_MAX_SIDE && s->stride >= s->width * 4 &&
            s->stride <= PH_HXFR_MAX_SIDE * 8 && s->stride % 4 == 0 &&
            pixel_format(s->shm_format) != 0;
}

static bool make_buffers(struct wlr *c, const struct shape *s)
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

static void handle_buffer(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t format, uint32_t width, uint32_t height, uint32_t stride)
{
    struct wlr *c = data;
    c->offer = (struct shape){format, width, height, stride};
}

static void handle_dmabuf(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t format, uint32_t width, uint32_t height)
{
}

static void handle_buffer_done(
        void *data, struct zwlr_screencopy_frame_v1 *frame)
{
    struct wlr *c = data;
    if (!shape_is_sane(&c->offer)) {
        c->lost = "the output has a size or pixel format that is not "
                  "supported";
        return;
    }
    if (memcmp(&c->offer, &c->shape, sizeof(c->offer)) != 0 &&
            !make_buffers(c, &c->offer)) {
        c->lost = "no memory for the output's size";
        return;
    }
    c->whole = c->whole || !c->has_before;
    if (c->whole) {
        zwlr_screencopy_frame_v1_copy(frame, c->buffers[c->target]);
    } else {
        zwlr_screencopy_frame_v1_copy_with_damage(frame, c->buffers[c->target]);
    }
}

static void handle_flags(
        void *data, struct zwlr_screencopy_frame_v1 *frame, uint32_t flags)
{
    struct wlr *c = data;
    c->flipped = flags & ZWLR_SCREENCOPY_FRAME_V1_FLAGS_Y_INVERT;
}

static void handle_damage(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    struct wlr *c = data;
    x = PH_MIN(x, c->shape.width);
    y = PH_MIN(y, c->shape.height);
    struct ph_rect box = {(uint16_t)x, (uint16_t)y,
            (uint16_t)PH_MIN(width, c->shape.width - x),
            (uint16_t)PH_MIN(height, c->shape.height - y)};
    ph_region_add(&c->boxes, box);
}

static void flip(uint8_t *pixels, const struct shape *s)
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

static void find_damage(const struct wlr *c, struct ph_region *out)
{
    const struct shape *s = &c->shape;
    ph_region_clear(out);
    if (c->whole) {
        ph_region_set(out, (uint16_t)s->width, (uint16_t)s->height);
        return;
    }
    struct ph_damage_pictures pictures = {
            .before = c->memory + (c->target ^ 1) * c->half,
            .now = c->memory + c->target * c->half,
            .stride = s->stride,
            .width = (uint16_t)s->width,
            .height = (uint16_t)s->height,
    };
    if (c->flipped) { /* whether the boxes are as well, nobody says */
        struct ph_rect all = {0, 0, pictures.width, pictures.height};
        ph_damage_compare(&pictures, all, out);
        return;
    }
    for (uint16_t i = 0; i < c->boxes.count; i++) {
        ph_damage_compare(&pictures, c->boxes.rects[i], out);
    }
}

static void handle_ready(void *data, struct zwlr_screencopy_frame_v1 *frame,
        uint32_t sec_high, uint32_t sec_low, uint32_t nsec)
{
    struct wlr *c = data;
    int64_t now = ph_clock_ns();
    int64_t time =
            (int64_t)((uint64_t)sec_high << 32 | sec_low) * PH_NS_PER_S + nsec;
    if (time > now || time < now - MAX_AGE_NS) {
        time = now;
    }
    uint8_t *pixels = c->memory + c->target * c->half;
    if (c->flipped) {
        flip(pixels, &c->shape);
    }
    struct ph_region damage;
    find_damage(c, &damage);
    struct ph_capture_frame event = {
            .data = pixels,
            .stride = c->shape.stride,
            .width = c->shape.width,
            .height = c->shape.height,
            .format = pixel_format(c->shape.shm_format),
            .time_ns = time,
            .ready_ns = now,
            .damage = &damage,
    };
    end_request(c);
    c->failures = 0;
    c->has_before = true;
    c->target ^= 1;
    c->base.events->frame(c->base.data, &event);
}

static void request(struct ph_capture *capture, bool whole);

static void handle_failed(void *data, struct zwlr_screencopy_frame_v1 *frame)
{
    struct wlr *c = data;
    end_request(c);
    if (++c->failures >= MAX_FAILURES) {
        c->lost = "the compositor does not give pictures of its output";
        return;
    }
    request(&c->base, true);
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

static int fd(struct ph_capture *capture)
{
    return wl_display_get_fd(from_base(capture)->wayland.display);
}

static void request(struct ph_capture *capture, bool whole)
{
    struct wlr *c = from_base(capture);
    if (c->frame && (!whole || c->whole)) {
        return;
    }
    end_request(c);
    c->whole = whole;
    c->flipped = false;
    ph_region_clear(&c->boxes);
    c->frame = zwlr_screencopy_manager_v1_capture_output(
            c->wayland.screencopy, 1, c->output);
    zwlr_screencopy_frame_v1_add_listener(c->frame, &frame_listener, c);
    wl_display_flush(c->wayland.display); /* an error shows in dispatch */
}

static void cancel(struct ph_capture *capture)
{
    struct wlr *c = from_base(capture);
    if (c->frame) {
        end_request(c);
        /* The compositor may have answered already, and forgotten what had
         * changed: never compare across that. */
        c->has_before = false;
        wl_display_flush(c->wayland.display);
    }
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
        end_request(c);
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
    end_request(c);
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

struct ph_capture *ph_capture_wlr_create(const char *display,
        const char *output, const struct ph_capture_events *events, void *data,
        char *error, size_t size)
{
    struct wlr *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_capture){&ops, events, data};
    if (!ph_wayland_connect(&c->wayland, display,
                ph_deadline_ms(PH_WAYLAND_PATIENCE_MS), error, size)) {
        goto fail;
    }
    if (!c->wayland.screencopy || !c->wayland.shm) {
        snprintf(error, size,
                "the Wayland compositor does not offer wlr-screencopy version "
                "3: use sway 1.6 or newer, or another wlroots compositor");
        goto fail;
    }
    c->output = ph_wayland_find_output(&c->wayland, output);
    if (!c->output) {
        snprintf(error, size, "the Wayland compositor has no output%s%s",
                output ? " " : "", output ? output : "");
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
