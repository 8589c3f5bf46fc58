/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What encoders give, made what decoders of browsers show at once: Annex B,
 * each IDR picture with its parameter sets in front, an SPS which says that
 * no picture is shown out of its turn (else a decoder keeps pictures back, to
 * put them into order), what is shown cropped, and colours. Only for streams
 * that indeed reorder nothing. Pure, without allocation.
 */
#pragma once

#include "proto/h264.h"

enum {
    PH_H264_MAX_SETS = 2048, /* bytes of all parameter sets of one type */
};

struct ph_h264_colour {
    uint8_t primaries; /* 0: nothing is known */
    uint8_t transfer;
    uint8_t matrix;
    bool full_range;
};

/* Parameter sets as Annex B, one of each id. */
struct ph_h264_sets {
    size_t size;
    uint8_t data[PH_H264_MAX_SETS];
};

/* Zeroed, but for what the caller sets. */
struct ph_h264_repair {
    /* What comes: Annex B (0), or each NAL unit behind its size (AVCC), which
     * has 1, 2 or 4 bytes. */
    uint8_t length_size;
    uint32_t width; /* to be shown, where the SPS says more; 0: as it says */
    uint32_t height;
    struct ph_h264_colour colour; /* for an SPS that says none */
    /* The newest that came, repaired. */
    struct ph_h264_sets sps;
    struct ph_h264_sets pps;
};

/* A parameter set from outside of the stream: with its NAL unit's header. Put
 * in front of each IDR picture from now on, as are those that come in the
 * stream. False: it is none that can be read, or one too many. */
bool ph_h264_repair_set(
        struct ph_h264_repair *repair, const uint8_t *nal, size_t size);

/* An access unit. *needed: the bytes of the result, which is in out when that
 * is at most cap; else it can be asked for again. False: there is no slice in
 * it, its sizes do not fit, or a parameter set cannot be read. What says
 * nothing to a viewer (delimiters, filler, the end of a sequence) is left
 * out. */
bool ph_h264_repair_unit(struct ph_h264_repair *repair, const uint8_t *data,
        size_t size, uint8_t *out, size_t cap, size_t *needed);
