/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From viewers' input messages to the one seat of the desktop. Several
 * viewers may hold the same key: it goes down with the first and up with the
 * last. What a viewer holds is released when it leaves. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskd/input.h"

#define PH_SEAT_CODES 0x300 /* KEY_CNT */

/* What all viewers share. The input stays the owner's. */
struct ph_seat {
    struct ph_input *input;
    uint32_t width; /* of the picture now; 0 when there was none yet */
    uint32_t height;
    uint16_t holders[PH_SEAT_CODES];
    uint16_t fingers; /* that are down, a bit each */
};

/* What one viewer holds down. */
struct ph_viewer_input {
    uint64_t held[PH_SEAT_CODES / 64];
    uint16_t fingers;
    unsigned held_count; /* of both */
};

/* A message of input, KEY to RELEASE_ALL or TEXT to HELD. False: it is
 * malformed. What no keyboard or mouse has, or the desktop cannot do, is
 * ignored. */
bool ph_viewer_input_message(struct ph_viewer_input *in, struct ph_seat *seat,
        const uint8_t *msg, size_t len);

void ph_viewer_input_release(struct ph_viewer_input *in, struct ph_seat *seat);
