/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory that pictures are drawn into: of our own, or shared by the host.
 * Reference counted, since the caller may still draw into a slot when the
 * link has gone on to another surface.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "proto/hxfr_ext.h"

struct ph_slots {
    atomic_uint refs;
    struct ph_hxfr_slots layout;
    uint32_t format; /* enum ph_hxfr_format */
    uint32_t width;
    uint32_t height;
    uint8_t *memory; /* layout.count * layout.slot_size bytes */
    bool shared; /* mapped, else malloc'ed */
    bool in_region; /* mapped by link/region.h */
};

/* Rows without padding, so that rectangles of full width lie in one piece.
 * NULL when there is not enough memory. */
struct ph_slots *ph_slots_create(
        const struct ph_hxfr_surface *surface, uint8_t count);

/* Maps what came with a SLOTS message. fd stays the caller's. NULL with errno
 * when it is not as it should be: smaller than announced, not sealed. */
struct ph_slots *ph_slots_map(const struct ph_hxfr_surface *surface,
        const struct ph_hxfr_slots *layout, int fd);

/* The same for slots in a range of the BAR. */
struct ph_slots *ph_slots_map_range(const struct ph_hxfr_surface *surface,
        const struct ph_hxfr_slots *layout, int bar);

struct ph_slots *ph_slots_ref(struct ph_slots *slots);
void ph_slots_unref(struct ph_slots *slots);

static inline uint8_t *ph_slots_plane(
        const struct ph_slots *s, uint8_t slot, int plane)
{
    return s->memory + (size_t)slot * s->layout.slot_size +
            s->layout.offset[plane];
}

/*
 * The pixels of rectangles of one slot, in the order in which TILES carries
 * them, as pieces of memory: what writev() sends without a copy. slots and
 * rects must outlive it.
 */
struct ph_slots_reader {
    const struct ph_slots *slots; /* NULL: nothing (left) to read */
    uint8_t slot;
    const struct ph_rect *rects;
    size_t count;
    size_t left; /* bytes */
    /* The position. */
    size_t rect;
    int plane;
    size_t done; /* bytes of this plane of this rectangle */
};

struct ph_slots_reader ph_slots_read(const struct ph_slots *slots, uint8_t slot,
        const struct ph_rect *rects, size_t count);
/* The next pieces, at most max of them, without moving. Returns how many. */
int ph_slots_peek(const struct ph_slots_reader *r, struct iovec *iov, int max);
/* Moves on by n bytes, at most r->left. */
void ph_slots_advance(struct ph_slots_reader *r, size_t n);
