/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts about H.264 byte streams (Annex B): walk the NAL units, read what a
 * sequence parameter set (SPS) says, check an access unit. Pure; numbers as
 * in ITU-T H.264 (08/2021), clauses 7.3 and E.1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ph_h264_nal_type {
    PH_H264_SLICE = 1,
    PH_H264_IDR = 5,
    PH_H264_SEI = 6,
    PH_H264_SPS = 7,
    PH_H264_PPS = 8,
    PH_H264_AUD = 9,
    PH_H264_END_OF_SEQUENCE = 10,
    PH_H264_END_OF_STREAM = 11,
    PH_H264_FILLER = 12,
};

/* A NAL unit without its start code; type is data[0] & 31. */
struct ph_h264_nal {
    const uint8_t *data;
    size_t size;
    uint8_t type;
};

/* The NAL unit at or after *pos; moves *pos behind it. False at the end. */
bool ph_h264_next_nal(
        const uint8_t *data, size_t size, size_t *pos, struct ph_h264_nal *out);

struct ph_h264_sps {
    uint8_t profile; /* profile_idc */
    uint8_t constraints;
    uint8_t level; /* times 10 */
    uint8_t chroma_format; /* 1 = 4:2:0, 3 = 4:4:4 */
    uint32_t width; /* of the picture shown, after cropping */
    uint32_t height;
    bool has_colour; /* the four below were signalled */
    uint8_t primaries;
    uint8_t transfer;
    uint8_t matrix;
    bool has_range; /* full_range was signalled */
    bool full_range;
    bool has_reorder_bound; /* the two below were signalled */
    uint32_t max_reorder_frames;
    uint32_t max_dec_frame_buffering;
};

/* nal: an SPS with its NAL header byte, emulation prevention bytes in it. */
bool ph_h264_parse_sps(
        const uint8_t *nal, size_t size, struct ph_h264_sps *out);

/* "avc1.42E01F": the codec string of RFC 6381 for WebCodecs. */
#define PH_H264_CODEC_TEXT 12
void ph_h264_codec_text(
        const struct ph_h264_sps *sps, char out[PH_H264_CODEC_TEXT]);

/* What an access unit is made of. */
struct ph_h264_unit {
    bool idr;
    bool has_sps;
    bool has_pps;
    uint32_t slices;
    struct ph_h264_nal sps; /* the first one, when has_sps */
};

/* False: not Annex B, or no slice in it. */
bool ph_h264_inspect(
        const uint8_t *data, size_t size, struct ph_h264_unit *out);

/* Whether a decoder can begin with it: an IDR picture with a PPS and an SPS
 * that can be read. */
bool ph_h264_is_entry(const uint8_t *data, size_t size);
