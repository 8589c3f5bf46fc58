/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a picture is, as one number: guest and host must agree on it. */
#pragma once

#include <stdint.h>

#include "common/bytes.h"
#include "video/pixels.h"

static inline uint64_t sum_row(uint64_t sum, const uint8_t *row, uint32_t bytes)
{
    uint32_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        sum = (sum ^ ph_load_u64(row + i)) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    for (; i < bytes; i++) {
        sum = (sum ^ row[i]) * UINT64_C(0x100000001B3);
    }
    return sum;
}

/* Of every pixel of an NV12 picture, whatever its strides. */
static inline uint64_t sum_picture(const struct ph_nv12 *p)
{
    uint64_t sum = 1;
    for (uint32_t plane = 0; plane < 2; plane++) {
        const uint8_t *row = p->plane[plane];
        for (uint32_t y = 0; y < p->height >> plane; y++) {
            sum = sum_row(sum, row, p->width);
            row += p->stride[plane];
        }
    }
    return sum;
}
