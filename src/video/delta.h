/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What to send so that a picture elsewhere becomes the new one: areas that
 * moved, then tiles of single planes. A delta keeps that other picture, the
 * mirror, so what it finds is exact whatever it was told: a move that is not
 * right everywhere is put right by tiles.
 *
 * NV12 of even size. Owns its memory; one thread.
 */
#pragma once

#include "video/moves.h"

enum {
    PH_DELTA_MAX_MOVES = 4
};

struct ph_delta_scratch;

struct ph_delta {
    struct ph_nv12 mirror; /* rows without padding */
    bool valid; /* the mirror is a picture */
    struct ph_delta_scratch *scratch;
    /* What the last update found: first the moves, in order. */
    uint8_t move_count;
    struct ph_move moves[PH_DELTA_MAX_MOVES];
    uint16_t tile_count;
    struct ph_tile tiles[PH_HXFR_MAX_RECTS];
    size_t bytes; /* of all tiles */
};

/* NULL: no memory. */
struct ph_delta *ph_delta_create(uint32_t width, uint32_t height);
void ph_delta_destroy(struct ph_delta *delta);

/* Makes the mirror what `now` is inside the rectangles (even, inside the
 * picture), outside of which nothing changed. whole: sends everything. */
void ph_delta_update(struct ph_delta *delta, const struct ph_nv12 *now,
        const struct ph_rect *rects, size_t count, bool whole);

/* Copies the pixels of the tiles, as TILES carries them, to out (`bytes`). */
void ph_delta_gather(const struct ph_delta *delta, uint8_t *out);

/* The sum of a picture that CHECKSUM carries. */
uint64_t ph_delta_sum(const struct ph_nv12 *picture);
