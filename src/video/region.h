/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A set of pixels as at most PH_REGION_MAX rectangles: damage on its way from
 * the compositor to the encoder. A region may cover more than was added (it
 * joins rectangles when they are many), never less. Plain values, no
 * allocation; not thread safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/hxfr_ext.h"

#define PH_REGION_MAX 64

struct ph_region {
    uint16_t count;
    struct ph_rect rects[PH_REGION_MAX]; /* none empty, none overlapping */
};

void ph_region_clear(struct ph_region *region);
void ph_region_set(struct ph_region *region, uint16_t width, uint16_t height);
/* An empty rectangle adds nothing. */
void ph_region_add(struct ph_region *region, struct ph_rect rect);
void ph_region_union(struct ph_region *region, const struct ph_region *other);
/* Grows every rectangle to even sides and positions inside width x height
 * (both even), as 4:2:0 chroma needs it. */
void ph_region_align(struct ph_region *region, uint16_t width, uint16_t height);
bool ph_region_is_empty(const struct ph_region *region);
uint64_t ph_region_pixels(const struct ph_region *region);
