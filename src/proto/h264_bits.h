/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the files h264_*.c alone: the bits of a parameter set, read and written,
 * and where in a sequence parameter set that is which is rewritten.
 */
#pragma once

#include "proto/h264.h"

enum {
    PH_H264_MAX_SET = 1024, /* bytes of a parameter set that we look at */
};

/* Read; past the end it gives zeros and clears ok. */
struct ph_h264_bits {
    const uint8_t *data;
    size_t count; /* bits */
    size_t pos;
    bool ok;
};

uint32_t ph_h264_get(struct ph_h264_bits *b, uint32_t n);
uint32_t ph_h264_get_ue(struct ph_h264_bits *b);
int32_t ph_h264_get_se(struct ph_h264_bits *b);

/* Written; past the end it writes nothing and clears ok. */
struct ph_h264_bit_writer {
    uint8_t *data;
    size_t count; /* bits */
    size_t pos;
    bool ok;
};

void ph_h264_put(struct ph_h264_bit_writer *w, uint32_t n, uint32_t value);
void ph_h264_put_ue(struct ph_h264_bit_writer *w, uint32_t value);

/* Copies without emulation prevention bytes (00 00 03); the number of bytes,
 * of at most `size`. */
size_t ph_h264_unescape(const uint8_t *nal, size_t size, uint8_t *out);
/* Puts them in. False: more than cap bytes. */
bool ph_h264_escape(const uint8_t *rbsp, size_t size, uint8_t *out, size_t cap,
        size_t *len);

/* Offsets in bits, from behind the NAL unit's header; those in the VUI count
 * only when there is one. */
struct ph_h264_sps_layout {
    uint32_t id;
    bool eight_bits; /* a sample has */
    uint32_t frame_num_bits;
    uint32_t order_type; /* pic_order_cnt_type */
    bool frames_only; /* frame_mbs_only_flag */
    uint32_t ref_frames;
    uint32_t coded_width; /* before cropping */
    uint32_t coded_height;
    uint32_t crop_unit_x;
    uint32_t crop_unit_y;
    size_t crop; /* frame_cropping_flag */
    size_t vui; /* vui_parameters_present_flag */
    bool has_vui;
    size_t signal; /* video_signal_type_present_flag */
    size_t signal_end;
    size_t restriction; /* bitstream_restriction_flag */
    size_t reorder; /* max_num_reorder_frames, if there is a restriction */
};

/* rbsp: without its NAL unit's header and emulation prevention. */
bool ph_h264_read_sps(const uint8_t *rbsp, size_t size, struct ph_h264_sps *sps,
        struct ph_h264_sps_layout *layout);
