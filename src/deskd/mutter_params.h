/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream is agreed on with PipeWire: formats and buffers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "video/region.h"

struct spa_pod;
struct spa_region;

#define PH_MUTTER_PARAMS_SIZE 4096
#define PH_MUTTER_PARAMS 6

/* Fill in out with params that lie in memory; return how many. width 0: any
 * size. fps 0: any rate. */
size_t ph_mutter_params_format(uint32_t width, uint32_t height, uint32_t fps,
        uint8_t *memory, size_t size,
        const struct spa_pod *out[PH_MUTTER_PARAMS]);
size_t ph_mutter_params_buffers(uint32_t most, uint8_t *memory, size_t size,
        const struct spa_pod *out[PH_MUTTER_PARAMS]);

/* The part of a region that lies in a picture; false: none. */
bool ph_mutter_clip(const struct spa_region *region, uint32_t width,
        uint32_t height, struct ph_rect *out);
