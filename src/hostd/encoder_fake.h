/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Encoders for tests: their access units are well-formed only as far as NAL
 * unit types go, and say in their slice what was encoded.
 */
#pragma once

#include "hostd/encoder.h"

/* What the payload of a slice says: see ph_fake_parse. */
struct ph_fake_picture {
    uint32_t width;
    uint32_t height;
    uint32_t bitrate;
    uint32_t count; /* pictures since open, from 1 */
    uint32_t changed; /* pixels; UINT32_MAX: unknown */
    uint8_t corner[3]; /* Y, U, V at the top left */
    uint8_t refine; /* step of refinement */
};

extern const struct ph_encoder_ops ph_fake_encoder; /* as it should be */
extern const struct ph_encoder_ops ph_fake_stiff; /* one rate for life */
extern const struct ph_encoder_ops ph_fake_absent; /* cannot be opened */
extern const struct ph_encoder_ops ph_fake_holds; /* one frame behind */
extern const struct ph_encoder_ops ph_fake_no_idr; /* deaf to force_idr */
extern const struct ph_encoder_ops ph_fake_bare; /* no SPS, no PPS */
extern const struct ph_encoder_ops ph_fake_fails; /* from its third picture */

/* Reads what a fake encoder wrote. False: it did not. */
bool ph_fake_parse(
        const uint8_t *data, size_t size, struct ph_fake_picture *out);
