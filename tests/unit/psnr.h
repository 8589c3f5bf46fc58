/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How near a decoded picture is to what was encoded. */
#pragma once

#include <math.h>

#include "integration/decode.h"
#include "video/pixels.h"

/* The least of Y, U and V of the picture decoded last against what was
 * encoded, in dB. */
static inline double least_psnr(struct decoder *d, const struct ph_nv12 *want)
{
    double sum[3] = {0};
    bool inside = true;
    for (uint32_t y = 0; y < want->height; y++) {
        const uint8_t *luma = want->plane[0] + (size_t)y * want->stride[0];
        const uint8_t *chroma =
                want->plane[1] + (size_t)(y / 2) * want->stride[1];
        for (uint32_t x = 0; x < want->width; x++) {
            uint8_t got[3] = {0};
            inside = decoder_pixel(d, x, y, got) && inside;
            double error[] = {got[0] - luma[x], got[1] - chroma[x & ~1u],
                    got[2] - chroma[(x & ~1u) + 1]};
            for (int c = 0; c < 3; c++) {
                sum[c] += error[c] * error[c];
            }
        }
    }
    CHECK(inside);
    double most = fmax(sum[0], fmax(sum[1], sum[2]));
    double mean = most / ((double)want->width * want->height);
    return mean > 0 ? 10 * log10(255 * 255 / mean) : 99;
}
