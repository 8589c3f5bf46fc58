/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "proto/h264_bits.h"

enum {
    PROFILE_HIGH_444 = 244,
    EXTENDED_SAR = 255,
};

static void skip_scaling_list(struct ph_h264_bits *b, int size)
{
    int32_t last = 8;
    int32_t next = 8;
    for (int i = 0; i < size && b->ok; i++) {
        if (next != 0) {
            next = (last + ph_h264_get_se(b) + 256) % 256;
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

static void parse_chroma_info(struct ph_h264_bits *b, struct ph_h264_sps *s,
        struct ph_h264_sps_layout *at)
{
    s->chroma_format = (uint8_t)ph_h264_get_ue(b);
    if (s->chroma_format == 3) {
        ph_h264_get(b, 1); /* separate_colour_plane_flag */
    }
    uint32_t luma = ph_h264_get_ue(b); /* bit_depth_luma_minus8 */
    at->eight_bits = !ph_h264_get_ue(b) && !luma;
    ph_h264_get(b, 1); /* qpprime_y_zero_transform_bypass_flag */
    if (ph_h264_get(b, 1)) { /* seq_scaling_matrix_present_flag */
        int lists = s->chroma_format == 3 ? 12 : 8;
        for (int i = 0; i < lists; i++) {
            if (ph_h264_get(b, 1)) {
                skip_scaling_list(b, i < 6 ? 16 : 64);
            }
        }
    }
}

static void parse_picture_order(
        struct ph_h264_bits *b, struct ph_h264_sps_layout *at)
{
    uint32_t type = ph_h264_get_ue(b);
    at->order_type = type;
    if (type == 0) {
        ph_h264_get_ue(b); /* log2_max_pic_order_cnt_lsb_minus4 */
    } else if (type == 1) {
        ph_h264_get(b, 1);
        ph_h264_get_se(b);
        ph_h264_get_se(b);
        uint32_t cycle = ph_h264_get_ue(b);
        for (uint32_t i = 0; i < cycle && b->ok; i++) {
            ph_h264_get_se(b);
        }
    }
}

static bool parse_size(struct ph_h264_bits *b, struct ph_h264_sps *s,
        struct ph_h264_sps_layout *at)
{
    uint32_t mbs_wide = ph_h264_get_ue(b) + 1;
    uint32_t map_units = ph_h264_get_ue(b) + 1;
    uint32_t frame_mbs_only = ph_h264_get(b, 1);
    at->frames_only = frame_mbs_only;
    if (!frame_mbs_only) {
        ph_h264_get(b, 1); /* mb_adaptive_frame_field_flag */
    }
    ph_h264_get(b, 1); /* direct_8x8_inference_flag */
    if (mbs_wide > 4096 || map_units > 4096) {
        return false;
    }
    at->coded_width = mbs_wide * 16;
    at->coded_height = map_units * 16 * (2 - frame_mbs_only);
    at->crop_unit_x = s->chroma_format == 1 || s->chroma_format == 2 ? 2 : 1;
    at->crop_unit_y = (s->chroma_format == 1 ? 2 : 1) * (2 - frame_mbs_only);
    s->width = at->coded_width;
    s->height = at->coded_height;
    at->crop = b->pos;
    if (ph_h264_get(b, 1)) { /* frame_cropping_flag */
        uint64_t x = ph_h264_get_ue(b);
        x += ph_h264_get_ue(b);
        uint64_t y = ph_h264_get_ue(b);
        y += ph_h264_get_ue(b);
        if (x * at->crop_unit_x >= s->width ||
                y * at->crop_unit_y >= s->height) {
            return false;
        }
        s->width -= (uint32_t)x * at->crop_unit_x;
        s->height -= (uint32_t)y * at->crop_unit_y;
    }
    return true;
}

static void skip_hrd(struct ph_h264_bits *b)
{
    uint32_t count = ph_h264_get_ue(b) + 1;
    ph_h264_get(b, 8); /* bit_rate_scale, cpb_size_scale */
    for (uint32_t i = 0; i < count && i < 32 && b->ok; i++) {
        ph_h264_get_ue(b);
        ph_h264_get_ue(b);
        ph_h264_get(b, 1);
    }
    ph_h264_get(b, 20); /* four lengths of 5 bits */
}

static void parse_video_signal(struct ph_h264_bits *b, struct ph_h264_sps *s)
{
    ph_h264_get(b, 3); /* video_format */
    s->has_range = true;
    s->full_range = ph_h264_get(b, 1);
    if (ph_h264_get(b, 1)) { /* colour_description_present_flag */
        s->has_colour = true;
        s->primaries = (uint8_t)ph_h264_get(b, 8);
        s->transfer = (uint8_t)ph_h264_get(b, 8);
        s->matrix = (uint8_t)ph_h264_get(b, 8);
    }
}

static void parse_vui(struct ph_h264_bits *b, struct ph_h264_sps *s,
        struct ph_h264_sps_layout *at)
{
    if (ph_h264_get(b, 1) && ph_h264_get(b, 8) == EXTENDED_SAR) {
        ph_h264_get(b, 32);
    }
    if (ph_h264_get(b, 1)) { /* overscan_info_present_flag */
        ph_h264_get(b, 1);
    }
    at->signal = b->pos;
    if (ph_h264_get(b, 1)) { /* video_signal_type_present_flag */
        parse_video_signal(b, s);
    }
    at->signal_end = b->pos;
    if (ph_h264_get(b, 1)) { /* chroma_loc_info_present_flag */
        ph_h264_get_ue(b);
        ph_h264_get_ue(b);
    }
    if (ph_h264_get(b, 1)) { /* timing_info_present_flag */
        ph_h264_get(b, 32);
        ph_h264_get(b, 32);
        ph_h264_get(b, 1);
    }
    bool nal_hrd = ph_h264_get(b, 1);
    if (nal_hrd) {
        skip_hrd(b);
    }
    bool vcl_hrd = ph_h264_get(b, 1);
    if (vcl_hrd) {
        skip_hrd(b);
    }
    if (nal_hrd || vcl_hrd) {
        ph_h264_get(b, 1); /* low_delay_hrd_flag */
    }
    ph_h264_get(b, 1); /* pic_struct_present_flag */
    at->restriction = b->pos;
    if (ph_h264_get(b, 1)) { /* bitstream_restriction_flag */
        ph_h264_get(b, 1);
        ph_h264_get_ue(b);
        ph_h264_get_ue(b);
        ph_h264_get_ue(b);
        ph_h264_get_ue(b);
        at->reorder = b->pos;
        s->max_reorder_frames = ph_h264_get_ue(b);
        s->max_dec_frame_buffering = ph_h264_get_ue(b);
        s->has_reorder_bound = b->ok;
    }
}

bool ph_h264_read_sps(const uint8_t *rbsp, size_t size, struct ph_h264_sps *sps,
        struct ph_h264_sps_layout *layout)
{
    struct ph_h264_bits b = {rbsp, size * 8, 0, true};
    struct ph_h264_sps s = {.chroma_format = 1};
    struct ph_h264_sps_layout at = {.eight_bits = true};
    s.profile = (uint8_t)ph_h264_get(&b, 8);
    s.constraints = (uint8_t)ph_h264_get(&b, 8);
    s.level = (uint8_t)ph_h264_get(&b, 8);
    at.id = ph_h264_get_ue(&b);
    if (has_chroma_info(s.profile)) {
        parse_chroma_info(&b, &s, &at);
    }
    at.frame_num_bits = ph_h264_get_ue(&b) + 4;
    if (at.frame_num_bits > 16) {
        return false;
    }
    parse_picture_order(&b, &at);
    at.ref_frames = ph_h264_get_ue(&b);
    ph_h264_get(&b, 1); /* gaps_in_frame_num_value_allowed_flag */
    if (!parse_size(&b, &s, &at)) {
        return false;
    }
    at.vui = b.pos;
    at.has_vui = ph_h264_get(&b, 1);
    if (at.has_vui) {
        parse_vui(&b, &s, &at);
    }
    if (!b.ok) {
        return false;
    }
    *sps = s;
    *layout = at;
    return true;
}

bool ph_h264_parse_sps(const uint8_t *nal, size_t size, struct ph_h264_sps *out)
{
    uint8_t rbsp[PH_H264_MAX_SET];
    struct ph_h264_sps_layout layout;
    if (size < 4 || size > sizeof(rbsp) || (nal[0] & 31) != PH_H264_SPS) {
        return false;
    }
    size_t len = ph_h264_unescape(nal + 1, size - 1, rbsp);
    return ph_h264_read_sps(rbsp, len, out, &layout);
}
