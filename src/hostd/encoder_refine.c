/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/encoder_refine.h"

#include <stdlib.h>
#include <string.h>

#include "common/macros.h"

enum {
    MB = 16, /* a macroblock's side */
    /* The error that is allowed, squared, over 100 values: 45 dB for luma, 42
     * for chroma, of which the eye sees less. */
    LUMA_ERROR = 206,
    CHROMA_ERROR = 410,
};

void ph_refine_set(uint8_t *map, uint32_t mbs_wide, uint32_t mbs_high,
        const struct ph_rect *r, uint8_t value)
{
    uint32_t x0 = r->x / MB;
    uint32_t y0 = r->y / MB;
    uint32_t x1 = PH_MIN(((uint32_t)r->x + r->width + MB - 1) / MB, mbs_wide);
    uint32_t y1 = PH_MIN(((uint32_t)r->y + r->height + MB - 1) / MB, mbs_high);
    for (uint32_t y = y0; y < y1 && x0 < x1; y++) {
        memset(map + (size_t)y * mbs_wide + x0, value, x1 - x0);
    }
}

bool ph_refine_init(struct ph_refine *r, uint32_t width, uint32_t height)
{
    *r = (struct ph_refine){
            .mbs_wide = (width + MB - 1) / MB,
            .mbs_high = (height + MB - 1) / MB,
    };
    r->coarse = calloc(r->mbs_wide, r->mbs_high);
    return r->coarse;
}

void ph_refine_finish(struct ph_refine *r)
{
    free(r->coarse);
    free(r->blended.plane[0]);
    *r = (struct ph_refine){0};
}

void ph_refine_clear(struct ph_refine *r)
{
    memset(r->coarse, 0, (size_t)r->mbs_wide * r->mbs_high);
}

void ph_refine_mark(struct ph_refine *r, const struct ph_region *changed)
{
    if (!changed) {
        memset(r->coarse, 1, (size_t)r->mbs_wide * r->mbs_high);
        return;
    }
    for (uint16_t i = 0; i < changed->count; i++) {
        ph_refine_set(
                r->coarse, r->mbs_wide, r->mbs_high, &changed->rects[i], 1);
    }
}

/* One row of one macroblock in one plane. Of constant length where it can be:
 * that is what compilers make quick. */
static uint32_t row_error(const uint8_t *a, const uint8_t *b, uint32_t count)
{
    uint32_t sum = 0;
    if (count == MB) {
        for (uint32_t i = 0; i < MB; i++) {
            int d = a[i] - b[i];
            sum += (uint32_t)(d * d);
        }
        return sum;
    }
    for (uint32_t i = 0; i < count; i++) {
        int d = a[i] - b[i];
        sum += (uint32_t)(d * d);
    }
    return sum;
}

/* Bytes of a macroblock in a plane, cut at the picture's edge. */
struct block {
    uint32_t x;
    uint32_t y;
    uint32_t width;
    uint32_t height;
};

static struct block block_at(
        const struct ph_nv12 *p, int plane, uint32_t mb_x, uint32_t mb_y)
{
    uint32_t rows = (uint32_t)MB >> (plane > 0);
    uint32_t height = p->height >> (plane > 0);
    struct block b = {mb_x * MB, mb_y * rows, 0, 0};
    b.width = PH_MIN((uint32_t)MB, p->width - b.x);
    b.height = PH_MIN(rows, height - b.y);
    return b;
}

static bool is_fine(const struct ph_nv12 *picture, const struct ph_nv12 *seen,
        uint32_t mb_x, uint32_t mb_y)
{
    static const uint32_t allowed[] = {LUMA_ERROR, CHROMA_ERROR};
    for (int plane = 0; plane < 2; plane++) {
        struct block b = block_at(picture, plane, mb_x, mb_y);
        uint32_t sum = 0;
        for (uint32_t y = b.y; y < b.y + b.height; y++) {
            size_t at = (size_t)y * picture->stride[plane] + b.x;
            sum += row_error(picture->plane[plane] + at,
                    seen->plane[plane] + (size_t)y * seen->stride[plane] + b.x,
                    b.width);
        }
        if (sum * 100 > allowed[plane] * b.width * b.height) {
            return false;
        }
    }
    return true;
}

size_t ph_refine_judge(struct ph_refine *r, const struct ph_nv12 *picture,
        const struct ph_nv12 *seen)
{
    size_t left = 0;
    for (uint32_t y = 0; y < r->mbs_high; y++) {
        uint8_t *row = r->coarse + (size_t)y * r->mbs_wide;
        for (uint32_t x = 0; x < r->mbs_wide; x++) {
            row[x] = row[x] && !is_fine(picture, seen, x, y);
            left += row[x];
        }
    }
    return left;
}

static void copy_block(const struct ph_nv12 *from, const struct ph_nv12 *to,
        int plane, struct block b)
{
    for (uint32_t y = b.y; y < b.y + b.height; y++) {
        memcpy(to->plane[plane] + (size_t)y * to->stride[plane] + b.x,
                from->plane[plane] + (size_t)y * from->stride[plane] + b.x,
                b.width);
    }
}

const struct ph_nv12 *ph_refine_blend(struct ph_refine *r,
        const struct ph_nv12 *picture, const struct ph_nv12 *seen)
{
    struct ph_nv12 *to = &r->blended;
    if (!to->plane[0]) {
        size_t luma = (size_t)picture->width * picture->height;
        uint8_t *memory = malloc(luma / 2 * 3);
        if (!memory) {
            return NULL;
        }
        *to = (struct ph_nv12){{memory, memory + luma},
                {picture->width, picture->width}, picture->width,
                picture->height};
    }
    for (uint32_t y = 0; y < r->mbs_high; y++) {
        for (uint32_t x = 0; x < r->mbs_wide; x++) {
            bool coarse = r->coarse[(size_t)y * r->mbs_wide + x];
            for (int plane = 0; plane < 2; plane++) {
                copy_block(coarse ? picture : seen, to, plane,
                        block_at(picture, plane, x, y));
            }
        }
    }
    return to;
}
