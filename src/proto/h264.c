/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264.h"

#include <string.h>

enum {
    PROFILE_HIGH_444 = 244,
    MAX_SPS = 1024,
    EXTENDED_SAR = 255,
};

/* The offset of the next 00 00 01 at or after pos, or size. */
static size_t find_start(const uint8_t *data, size_t size, size_t pos)
{
    while (pos + 3 <= size) {
        const uint8_t *one = memchr(data + pos + 2, 1, size - pos - 2);
        if (!one) {
            break;
        }
        if (one[-1] == 0 && one[-2] == 0) {
            return (size_t)(one - data) - 2;
        }
        pos = (size_t)(one - data) - 1;
    }
    return size;
}

bool ph_h264_next_nal(
        const uint8_t *data, size_t size, size_t *pos, struct ph_h264_nal *out)
{
    size_t start = find_start(data, size, *pos);
    if (start + 3 >= size) {
        *pos = size;
        return false;
    }
    start += 3;
    size_t end = find_start(data, size, start);
    *pos = end;
    while (end > start && data[end - 1] == 0) {
        end--; /* trailing_zero_8bits, and the zero of a long start code */
    }
    *out = (struct ph_h264_nal){data + start, end - start, data[start] & 31};
    return end > start;
}

/* Bits of an RBSP; past the end it gives zeros and clears ok. */
struct bits {
    const uint8_t *data;
    size_t count; /* bits */
    size_t pos;
    bool ok;
};

static uint32_t get_bits(struct bits *b, uint32_t n)
{
    uint32_t v = 0;
    for (; n > 0; n--) {
        if (b->pos >= b->count) {
            b->ok = false;
            return 0;
        }
        uint32_t bit = b->data[b->pos / 8] >> (7 - b->pos % 8) & 1u;
        v = v << 1 | bit;
        b->pos++;
    }
    return v;
}

static uint32_t get_ue(struct bits *b)
{
    uint32_t zeros = 0;
    while (b->ok && !get_bits(b, 1)) {
        if (++zeros > 31) {
            b->ok = false;
            return 0;
        }
    }
    return b->ok ? (1u << zeros) - 1 + get_bits(b, zeros) : 0;
}

static int32_t get_se(struct bits *b)
{
    uint32_t v = get_ue(b);
    return v & 1 ? (int32_t)(v / 2 + 1) : -(int32_t)(v / 2);
}

static void skip_scaling_list(struct bits *b, int size)
{
    int32_t last = 8;
    int32_t next = 8;
    for (int i = 0; i < size && b->ok; i++) {
        if (next != 0) {
            next = (last + get_se(b) + 256) % 256;
        }
        last = next ? next : last;
    }
}

static bool has_chroma_info(uint8_t profile)
{
    static const uint8_t with[] = {
            100, 110, 122, PROFILE_HIGH_444, 44, 83, 86, 118, 128, 138};
    return memchr(with, profile, sizeof(with)) != NULL;
}

static void parse_chroma_info(struct bits *b, struct ph_h264_sps *s)
{
    s->chroma_format = (uint8_t)get_ue(b);
    if (s->chroma_format == 3) {
        get_bits(b, 1); /* separate_colour_plane_flag */
    }
    get_ue(b); /* bit_depth_luma_minus8 */
    get_ue(b); /* bit_depth_chroma_minus8 */
    get_bits(b, 1); /* qpprime_y_zero_transform_bypass_flag */
    if (get_bits(b, 1)) { /* seq_scaling_matrix_present_flag */
        int lists = s->chroma_format == 3 ? 12 : 8;
        for (int i = 0; i < lists; i++) {
            if (get_bits(b, 1)) {
                skip_scaling_list(b, i < 6 ? 16 : 64);
            }
        }
    }
}

static void parse_picture_order(struct bits *b)
{
    uint32_t type = get_ue(b);
    if (type == 0) {
        get_ue(b); /* log2_max_pic_order_cnt_lsb_minus4 */
    } else if (type == 1) {
        get_bits(b, 1);
        get_se(b);
        get_se(b);
        uint32_t cycle = get_ue(b);
        for (uint32_t i = 0; i < cycle && b->ok; i++) {
            get_se(b);
        }
    }
}

static bool parse_size(struct bits *b, struct ph_h264_sps *s)
{
    uint32_t mbs_wide = get_ue(b) + 1;
    uint32_t map_units = get_ue(b) + 1;
    uint32_t frame_mbs_only = get_bits(b, 1);
    if (!frame_mbs_only) {
        get_bits(b, 1); /* mb_adaptive_frame_field_flag */
    }
    get_bits(b, 1); /* direct_8x8_inference_flag */
    if (mbs_wide > 4096 || map_units > 4096) {
        return false;
    }
    s->width = mbs_wide * 16;
    s->height = map_units * 16 * (2 - frame_mbs_only);
    if (get_bits(b, 1)) { /* frame_cropping_flag */
        uint32_t unit_x =
                s->chroma_format == 1 || s->chroma_format == 2 ? 2 : 1;
        uint32_t unit_y =
                (s->chroma_format == 1 ? 2 : 1) * (2 - frame_mbs_only);
        uint64_t x = get_ue(b);
        x += get_ue(b);
        uint64_t y = get_ue(b);
        y += get_ue(b);
        if (x * unit_x >= s->width || y * unit_y >= s->height) {
            return false;
        }
        s->width -= (uint32_t)x * unit_x;
        s->height -= (uint32_t)y * unit_y;
    }
    return true;
}

static void skip_hrd(struct bits *b)
{
    uint32_t count = get_ue(b) + 1;
    get_bits(b, 8); /* bit_rate_scale, cpb_size_scale */
    for (uint32_t i = 0; i < count && i < 32 && b->ok; i++) {
        get_ue(b);
        get_ue(b);
        get_bits(b, 1);
    }
    get_bits(b, 20); /* four lengths of 5 bits */
}

static void parse_video_signal(struct bits *b, struct ph_h264_sps *s)
{
    get_bits(b, 3); /* video_format */
    s->has_range = true;
    s->full_range = get_bits(b, 1);
    if (get_bits(b, 1)) { /* colour_description_present_flag */
        s->has_colour = true;
        s->primaries = (uint8_t)get_bits(b, 8);
        s->transfer = (uint8_t)get_bits(b, 8);
        s->matrix = (uint8_t)get_bits(b, 8);
    }
}

static void parse_vui(struct bits *b, struct ph_h264_sps *s)
{
    if (get_bits(b, 1) && get_bits(b, 8) == EXTENDED_SAR) {
        get_bits(b, 32);
    }
    if (get_bits(b, 1)) { /* overscan_info_present_flag */
        get_bits(b, 1);
    }
    if (get_bits(b, 1)) { /* video_signal_type_present_flag */
        parse_video_signal(b, s);
    }
    if (get_bits(b, 1)) { /* chroma_loc_info_present_flag */
        get_ue(b);
        get_ue(b);
    }
    if (get_bits(b, 1)) { /* timing_info_present_flag */
        get_bits(b, 32);
        get_bits(b, 32);
        get_bits(b, 1);
    }
    bool nal_hrd = get_bits(b, 1);
    if (nal_hrd) {
        skip_hrd(b);
    }
    bool vcl_hrd = get_bits(b, 1);
    if (vcl_hrd) {
        skip_hrd(b);
    }
    if (nal_hrd || vcl_hrd) {
        get_bits(b, 1); /* low_delay_hrd_flag */
    }
    get_bits(b, 1); /* pic_struct_present_flag */
    if (get_bits(b, 1)) { /* bitstream_restriction_flag */
        get_bits(b, 1);
        get_ue(b);
        get_ue(b);
        get_ue(b);
        get_ue(b);
        s->max_reorder_frames = get_ue(b);
        s->max_dec_frame_buffering = get_ue(b);
        s->has_reorder_bound = b->ok;
    }
}

/* Copies without emulation prevention bytes (00 00 03). */
static size_t unescape(const uint8_t *nal, size_t size, uint8_t *out)
{
    size_t n = 0;
    int zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        out[n++] = nal[i];
    }
    return n;
}

bool ph_h264_parse_sps(const uint8_t *nal, size_t size, struct ph_h264_sps *out)
{
    uint8_t rbsp[MAX_SPS];
    if (size < 4 || size > sizeof(rbsp) || (nal[0] & 31) != PH_H264_SPS) {
        return false;
    }
    size_t len = unescape(nal + 1, size - 1, rbsp);
    struct bits b = {rbsp, len * 8, 0, true};
    struct ph_h264_sps s = {.chroma_format = 1};
    s.profile = (uint8_t)get_bits(&b, 8);
    s.constraints = (uint8_t)get_bits(&b, 8);
    s.level = (uint8_t)get_bits(&b, 8);
    get_ue(&b); /* seq_parameter_set_id */
    if (has_chroma_info(s.profile)) {
        parse_chroma_info(&b, &s);
    }
    get_ue(&b); /* log2_max_frame_num_minus4 */
    parse_picture_order(&b);
    get_ue(&b); /* max_num_ref_frames */
    get_bits(&b, 1); /* gaps_in_frame_num_value_allowed_flag */
    if (!parse_size(&b, &s)) {
        return false;
    }
    if (get_bits(&b, 1)) { /* vui_parameters_present_flag */
        parse_vui(&b, &s);
    }
    if (!b.ok) {
        return false;
    }
    *out = s;
    return true;
}

void ph_h264_codec_text(
        const struct ph_h264_sps *sps, char out[PH_H264_CODEC_TEXT])
{
    static const char hex[] = "0123456789ABCDEF";
    const uint8_t parts[] = {sps->profile, sps->constraints, sps->level};
    memcpy(out, "avc1.", 5);
    for (size_t i = 0; i < sizeof(parts); i++) {
        out[5 + 2 * i] = hex[parts[i] >> 4];
        out[6 + 2 * i] = hex[parts[i] & 15];
    }
    out[PH_H264_CODEC_TEXT - 1] = 0;
}

bool ph_h264_inspect(const uint8_t *data, size_t size, struct ph_h264_unit *out)
{
    struct ph_h264_unit u = {0};
    struct ph_h264_nal nal;
    size_t pos = 0;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        switch (nal.type) {
        case PH_H264_IDR:
            u.idr = true;
            u.slices++;
            break;
        case PH_H264_SLICE:
            u.slices++;
            break;
        case PH_H264_SPS:
            if (!u.has_sps) {
                u.sps = nal;
            }
            u.has_sps = true;
            break;
        case PH_H264_PPS:
            u.has_pps = true;
            break;
        default:
            break;
        }
    }
    *out = u;
    return u.slices > 0;
}
