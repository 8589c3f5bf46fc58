/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our copy of an X screen, and what reads what changed into it. Three ways,
 * the best that the server has: it copies into shared memory that it sees as
 * a pixmap, in place and in one round trip; it copies rectangles into shared
 * memory; or it sends them (a display on another machine).
 */
#pragma once

#include "video/region.h"
#include "x11/x11.h"

struct ph_x11_picture;

enum ph_x11_way {
    PH_X11_WAY_IMAGE,
    PH_X11_WAY_SHM,
    PH_X11_WAY_PIXMAP,
};

/* The screen as it is now: x->width, x->height. best: the best way to try.
 * NULL: error[size] says why. x must outlive the picture, but its connection
 * may be broken. */
struct ph_x11_picture *ph_x11_picture_create(
        struct ph_x11 *x, enum ph_x11_way best, char *error, size_t size);
void ph_x11_picture_destroy(struct ph_x11_picture *picture);

/* Reads what the damage says, and takes it off the damage first, so that what
 * changes meanwhile counts for the next time. whole: everything. *out is what
 * was read. False: it could not be read (the screen has just changed its
 * size, or the connection is broken). Waits for the server. */
bool ph_x11_picture_read(struct ph_x11_picture *picture, uint32_t damage,
        bool whole, struct ph_region *out);

uint8_t *ph_x11_picture_data(
        const struct ph_x11_picture *picture, uint32_t *stride);
/* PH_HXFR_BGRA or PH_HXFR_RGBA. */
uint32_t ph_x11_picture_format(const struct ph_x11_picture *picture);
/* How it reads. */
enum ph_x11_way ph_x11_picture_way(const struct ph_x11_picture *picture);
