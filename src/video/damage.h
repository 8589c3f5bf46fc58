/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What really changed between two pictures: compositors name one box (or
 * nothing at all), most of which is as it was. Rows are compared first, then,
 * in rows that differ, tiles of PH_DAMAGE_TILE pixels.
 */
#pragma once

#include "video/region.h"

#define PH_DAMAGE_TILE 32

/* Two pictures of 4 bytes a pixel, of the same size and stride. */
struct ph_damage_pictures {
    const uint8_t *before;
    const uint8_t *now;
    uint32_t stride; /* bytes */
    uint16_t width;
    uint16_t height;
};

/* Adds to *out what differs inside box (clipped to the picture). The fourth
 * byte of a pixel counts as well. */
void ph_damage_compare(const struct ph_damage_pictures *p, struct ph_rect box,
        struct ph_region *out);
