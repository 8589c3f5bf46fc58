/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures without an encoder, between an encoder's own: macroblocks that
 * changed go as they are (I_PCM), all others are skipped. Nothing refers to
 * such a picture (nal_ref_idc 0), so that the encoder need not know of it: its
 * next picture says everything again that has changed since its last one.
 * Costs microseconds where an encoder takes milliseconds, and 384 bytes a
 * macroblock. Pure; ITU-T H.264 (08/2021), clauses 7.3.3 to 7.3.5.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the encoder's stream says. Zeroed at the encoder's start. */
struct ph_h264_quick {
    bool has_sets;
    bool ready; /* a picture may come now: see ph_h264_quick_write */
    uint32_t mbs_wide;
    uint32_t mbs_high;
    uint32_t frame_num_bits;
    uint32_t frame_num; /* of the encoder's last picture */
    uint32_t pps_id;
    int32_t qp; /* SliceQPY without a delta */
    bool deblocking_control;
};

/* Each access unit (Annex B) of the encoder, in order. */
void ph_h264_quick_note(
        struct ph_h264_quick *quick, const uint8_t *data, size_t size);

/* The most bytes that a picture with so many coded macroblocks has. */
size_t ph_h264_quick_bound(uint32_t macroblocks);

/* NV12: two planes; width and height even, what is beyond them in the last
 * macroblocks is as at the edge. */
struct ph_h264_quick_picture {
    const uint8_t *plane[2];
    uint32_t stride[2];
    uint32_t width;
    uint32_t height;
    /* A byte for each macroblock, row by row, mbs_wide in each: not 0 where it
     * is to be coded. */
    const uint8_t *macroblocks;
};

/* Writes an access unit; its bytes. 0: it does not fit, or this is no stream
 * (CAVLC, 4:2:0, frames, each picture a reference, order of output that of
 * decoding) or moment for it: not before the first picture of the encoder,
 * and not twice between two of them, which picture order count type 2
 * forbids. */
size_t ph_h264_quick_write(struct ph_h264_quick *quick,
        const struct ph_h264_quick_picture *picture, uint8_t *out, size_t cap);
