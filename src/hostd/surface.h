/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's screen as the host holds it, in NV12 of even size: either the
 * newest of the slots that guest and host share, or a picture of our own that
 * tiles and whole frames are drawn into.
 */
#pragma once

#include "hostd/budget.h"
#include "hostd/share.h"
#include "proto/hxfr_ext.h"
#include "video/pixels.h"

struct ph_surface {
    struct ph_budget *budget;
    struct ph_hxfr_surface info;
    struct ph_nv12 picture; /* what is encoded */
    uint8_t *memory;
    size_t size;
    bool shared;
    struct ph_hxfr_slots slots; /* shared */
    int fd; /* memfd, until it was sent; else -1 */
    struct ph_share_range range; /* shared, and not a memfd */
};

/* A picture of our own for this size, black; odd sides are rounded up. */
bool ph_surface_init(struct ph_surface *surface, struct ph_budget *budget,
        const struct ph_hxfr_surface *info);
/* `count` slots in memory that a guest can map. False also where the system
 * has no sealed memory files. */
bool ph_surface_init_shared(struct ph_surface *surface,
        struct ph_budget *budget, const struct ph_hxfr_surface *info,
        uint8_t count);
/* `count` slots in a range of what a virtual machine sees. */
bool ph_surface_init_range(struct ph_surface *surface, struct ph_share *share,
        const struct ph_hxfr_surface *info, uint8_t count);
void ph_surface_finish(struct ph_surface *surface);

/* The picture is now in this slot (< slots.count). */
void ph_surface_use_slot(struct ph_surface *surface, uint8_t slot);
/* Makes the moves of a parsed TILES message and draws its pixels, unpacked;
 * not for shared ones. */
void ph_surface_patch(struct ph_surface *surface,
        const struct ph_hxfr_frame *frame, const uint8_t *pixels);
/* Draws a whole picture of a version 1 guest. */
void ph_surface_draw(struct ph_surface *surface,
        const struct ph_hxfr_frame_request *req, const uint8_t *pixels);

/* memfile.c: a memory file of this size that can neither shrink nor grow, or
 * -1 with errno. */
int ph_memfile_create(size_t size);
bool ph_memfile_supported(void);
