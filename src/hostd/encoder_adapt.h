/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between sessions and encoders that are made for something else: pictures
 * smaller than they take are extended (and cropped again in what they write),
 * and what they write is repaired for decoders of browsers. Part of an
 * encoder, used on its thread.
 */
#pragma once

#include "hostd/encoder.h"
#include "proto/h264_repair.h"

struct ph_adapt {
    uint32_t width; /* what the encoder is made for */
    uint32_t height;
    struct ph_h264_repair repair; /* length_size is the encoder's to set */
    struct ph_nv12 larger; /* no planes: the pictures are large enough */
    uint8_t *out;
    size_t out_size;
};

/* For pictures as the config says, and an encoder that takes no side shorter
 * than `least` pixels (even). False: out of memory. */
bool ph_adapt_init(struct ph_adapt *adapt,
        const struct ph_encoder_config *config, uint32_t least);
void ph_adapt_finish(struct ph_adapt *adapt);

/* The picture in the encoder's size; valid until the next call. */
const struct ph_nv12 *ph_adapt_picture(
        struct ph_adapt *adapt, const struct ph_nv12 *picture);
/* One access unit. False: it cannot be read, or out of memory. */
bool ph_adapt_unit(struct ph_adapt *adapt, const uint8_t *data, size_t size,
        struct ph_encoder_output *out);
