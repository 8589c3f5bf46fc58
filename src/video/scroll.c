/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * By how much something was scrolled or dragged. Pieces of rows of the older
 * picture, at every 64th pixel, are remembered by their hash; pieces of some
 * rows of the newer one, at every pixel, are looked up. Each piece that is
 * found once votes for an offset.
 */
#include <string.h>

#include "common/macros.h"
#include "video/delta_private.h"

enum {
    PIECE = 32, /* pixels that are hashed */
    GRID = 64,
    SAMPLED_ROWS = 24,
    MIN_VOTES = 6,
};

/* Of a piece; 0 for one that has nothing in it to recognise. */
static uint32_t hash_of(const uint8_t *p)
{
    uint64_t v[PIECE / 8];
    memcpy(v, p, sizeof(v));
    uint64_t first = v[0];
    if (v[1] == first && v[2] == first && v[3] == first) {
        return 0;
    }
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = (v[0] ^ v[1] << 1) * k ^ (v[2] ^ v[3] >> 1) * (k << 1 | 1);
    h ^= (v[1] + v[2]) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (uint32_t)(h >> 32) | 1;
}

static struct ph_delta_place *find(struct ph_delta_scratch *s, uint32_t hash)
{
    return &s->places[(hash >> 1) % PH_DELTA_TABLE];
}

static void remember(struct ph_delta_scratch *s, const struct ph_nv12 *before,
        struct ph_rect box)
{
    memset(s->places, 0, sizeof(s->places));
    for (uint32_t y = box.y; y < (uint32_t)box.y + box.height; y++) {
        const uint8_t *row = before->plane[0] + (size_t)y * before->stride[0];
        for (uint32_t x = box.x; x + PIECE <= (uint32_t)box.x + box.width;
                x += GRID) {
            uint32_t hash = hash_of(row + x);
            struct ph_delta_place *p = find(s, hash);
            if (!hash) {
                continue;
            }
            if (p->hash == hash) {
                p->y = UINT16_MAX;
            } else if (!p->hash) {
                *p = (struct ph_delta_place){hash, (uint16_t)x, (uint16_t)y};
            }
        }
    }
}

static void vote(struct ph_delta_scratch *s, int32_t dx, int32_t dy)
{
    uint32_t at = ((uint32_t)dx * 31 + (uint32_t)dy * 1021) % PH_DELTA_OFFSETS;
    for (uint32_t i = 0; i < 8; i++) {
        struct ph_delta_offset *o = &s->offsets[(at + i) % PH_DELTA_OFFSETS];
        if (o->votes == 0) {
            *o = (struct ph_delta_offset){dx, dy, 1};
            return;
        }
        if (o->dx == dx && o->dy == dy) {
            o->votes++;
            return;
        }
    }
}

static void look_up(struct ph_delta_scratch *s, const struct ph_nv12 *now,
        struct ph_rect box)
{
    uint32_t step = PH_MAX(box.height / SAMPLED_ROWS, 1u);
    memset(s->offsets, 0, sizeof(s->offsets));
    for (uint32_t i = step / 2; i < box.height; i += step) {
        uint32_t y = box.y + i;
        const uint8_t *row = now->plane[0] + (size_t)y * now->stride[0];
        for (uint32_t x = box.x; x + PIECE <= (uint32_t)box.x + box.width;
                x++) {
            uint32_t hash = hash_of(row + x);
            const struct ph_delta_place *p = find(s, hash);
            if (hash && p->hash == hash && p->y != UINT16_MAX &&
                    (p->x != x || p->y != y)) {
                vote(s, (int32_t)x - p->x, (int32_t)y - p->y);
            }
        }
    }
}

size_t ph_scroll_guess(struct ph_delta_scratch *s, const struct ph_nv12 *before,
        const struct ph_nv12 *now, struct ph_rect box,
        struct ph_delta_offset *out, size_t most)
{
    size_t count = 0;
    if (box.width < PIECE) {
        return 0;
    }
    remember(s, before, box);
    look_up(s, now, box);
    while (count < most) {
        struct ph_delta_offset *best = &s->offsets[0];
        for (uint32_t i = 1; i < PH_DELTA_OFFSETS; i++) {
            if (s->offsets[i].votes > best->votes) {
                best = &s->offsets[i];
            }
        }
        if (best->votes < MIN_VOTES) {
            break;
        }
        out[count++] = *best;
        best->votes = 0;
    }
    return count;
}
