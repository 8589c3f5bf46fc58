/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two ways to ask a compositor for a copy of an output:
 * ext-image-copy-capture, and wlr-screencopy, which came before. Both name
 * the buffer that they want, wait until something changed, write the whole
 * picture and name boxes outside of which nothing changed. A copier belongs to
 * its capture, whose thread and connection it uses; nothing waits.
 */
#pragma once

#include "deskd/wayland.h"
#include "video/region.h"

struct ph_wlr_shape {
    uint32_t shm_format;
    uint32_t width;
    uint32_t height;
    uint32_t stride; /* bytes */
};

/* Where a picture is to be written. */
struct ph_wlr_target {
    struct wl_buffer *buffer;
    bool whole; /* at once, whatever changed */
    const struct ph_region *stale; /* what to bring up to date in any case */
};

/* Each request ends in ready or failed, unless it is cancelled. */
struct ph_wlr_copy_events {
    /* Fills *out for a picture of this shape. False: there is no buffer for
     * it, the request will never end. */
    bool (*target)(void *data, const struct ph_wlr_shape *shape,
            struct ph_wlr_target *out);
    void (*damage)(void *data, uint32_t x, uint32_t y, uint32_t width,
            uint32_t height);
    /* The request is over. time_ns: as the compositor says; flipped: the
     * lowest row is the first. */
    void (*ready)(void *data, int64_t time_ns, bool flipped);
    /* The same; another request may do. */
    void (*failed)(void *data);
};

struct ph_wlr_copy;

struct ph_wlr_copy_ops {
    const char *name;
    /* None is under way. whole: as in ph_wlr_target. */
    void (*request)(struct ph_wlr_copy *copy, bool whole);
    /* Forgets the request, if there is one. The next one has to be whole. */
    void (*cancel)(struct ph_wlr_copy *copy);
    void (*destroy)(struct ph_wlr_copy *copy);
};

/* First member of every implementation. */
struct ph_wlr_copy {
    const struct ph_wlr_copy_ops *ops;
    const struct ph_wlr_copy_events *events;
    void *data;
};

/* NULL: the compositor does not offer it. */
struct ph_wlr_copy *ph_wlr_copy_ext_create(const struct ph_wayland *wayland,
        struct wl_output *output, const struct ph_wlr_copy_events *events,
        void *data);
struct ph_wlr_copy *ph_wlr_copy_screencopy_create(
        const struct ph_wayland *wayland, struct wl_output *output,
        const struct ph_wlr_copy_events *events, void *data);

/* The bytes of a pixel as hxfr.h names them; 0: not one that we know. */
static inline uint32_t ph_wlr_pixel_format(uint32_t shm_format)
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

/* A time as both of them send it. */
static inline int64_t ph_wlr_copy_time_ns(
        uint32_t sec_high, uint32_t sec_low, uint32_t nsec)
{
    uint64_t sec = (uint64_t)sec_high << 32 | sec_low;
    return (int64_t)(sec * 1000000000 + nsec);
}
