/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264_quick.h"

#include <string.h>

#include "common/macros.h"
#include "proto/h264_bits.h"

enum {
    MB = 16,
    MB_BYTES = 384,
    MB_ROOM = MB_BYTES * 3 / 2 + 16, /* 00 00 xx becomes 00 00 03 xx */
    HEADER_ROOM = 64,
    SLICE_P = 5, /* as all slices of the picture */
    MB_TYPE_PCM = 30, /* table 7-13: 5 + 25 */
    NO_DEBLOCKING = 1,
    QP = 10, /* too low for a deblocking filter that cannot be turned off */
};

/* --- what the stream says --- */

static bool read_sps(struct ph_h264_quick *q, const struct ph_h264_nal *nal)
{
    uint8_t rbsp[PH_H264_MAX_SET];
    struct ph_h264_sps sps;
    struct ph_h264_sps_layout at;
    if (nal->size > sizeof(rbsp)) {
        return false;
    }
    size_t len = ph_h264_unescape(nal->data + 1, nal->size - 1, rbsp);
    if (!ph_h264_read_sps(rbsp, len, &sps, &at) || sps.chroma_format != 1 ||
            at.order_type != 2 || !at.frames_only || !at.eight_bits) {
        return false;
    }
    q->mbs_wide = at.coded_width / MB;
    q->mbs_high = at.coded_height / MB;
    q->frame_num_bits = at.frame_num_bits;
    return true;
}

static bool read_pps(struct ph_h264_quick *q, const struct ph_h264_nal *nal)
{
    uint8_t rbsp[PH_H264_MAX_SET];
    if (nal->size > sizeof(rbsp)) {
        return false;
    }
    size_t len = ph_h264_unescape(nal->data + 1, nal->size - 1, rbsp);
    struct ph_h264_bits b = {rbsp, len * 8, 0, true};
    q->pps_id = ph_h264_get_ue(&b);
    ph_h264_get_ue(&b); /* seq_parameter_set_id */
    bool cabac = ph_h264_get(&b, 1);
    ph_h264_get(&b, 1); /* bottom_field_pic_order_in_frame_present_flag */
    uint32_t groups = ph_h264_get_ue(&b); /* num_slice_groups_minus1 */
    ph_h264_get_ue(&b); /* num_ref_idx_l0_default_active_minus1 */
    ph_h264_get_ue(&b);
    bool weighted = ph_h264_get(&b, 1);
    ph_h264_get(&b, 2); /* weighted_bipred_idc */
    q->qp = 26 + ph_h264_get_se(&b);
    ph_h264_get_se(&b); /* pic_init_qs_minus26 */
    ph_h264_get_se(&b); /* chroma_qp_index_offset */
    q->deblocking_control = ph_h264_get(&b, 1);
    ph_h264_get(&b, 1); /* constrained_intra_pred_flag */
    bool redundant = ph_h264_get(&b, 1);
    return b.ok && !cabac && groups == 0 && !weighted && !redundant;
}

/* The frame_num of a slice of the encoder's; false: nothing refers to it. */
static bool read_slice(struct ph_h264_quick *q, const struct ph_h264_nal *nal)
{
    enum {
        HEAD = 16 /* bytes that hold what is read, escaped or not */
    };
    uint8_t rbsp[HEAD];
    size_t size = PH_MIN(nal->size - 1, sizeof(rbsp));
    size_t len = ph_h264_unescape(nal->data + 1, size, rbsp);
    struct ph_h264_bits b = {rbsp, len * 8, 0, true};
    ph_h264_get_ue(&b); /* first_mb_in_slice */
    ph_h264_get_ue(&b); /* slice_type */
    ph_h264_get_ue(&b); /* pic_parameter_set_id */
    q->frame_num = ph_h264_get(&b, q->frame_num_bits);
    return b.ok && nal->data[0] >> 5 & 3;
}

void ph_h264_quick_note(
        struct ph_h264_quick *q, const uint8_t *data, size_t size)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    bool sps = q->has_sets;
    bool pps = q->has_sets;
    q->ready = false;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        if (nal.type == PH_H264_SPS) {
            sps = read_sps(q, &nal);
        } else if (nal.type == PH_H264_PPS) {
            pps = read_pps(q, &nal);
        } else if (nal.type == PH_H264_SLICE || nal.type == PH_H264_IDR) {
            q->has_sets = sps && pps;
            q->ready = q->has_sets && read_slice(q, &nal);
            return;
        }
    }
}

/* --- the picture --- */

size_t ph_h264_quick_bound(uint32_t macroblocks)
{
    return HEADER_ROOM + (size_t)macroblocks * MB_ROOM;
}

/* Bytes of a NAL unit: those of the slice with emulation prevention. */
struct out {
    uint8_t *data;
    size_t cap;
    size_t len;
    int zeros;
    uint8_t byte; /* begun */
    uint32_t bits; /* in it */
};

static void put_byte(struct out *o, uint8_t byte)
{
    if (o->zeros >= 2 && byte <= 3) {
        if (o->len < o->cap) {
            o->data[o->len] = 3;
        }
        o->len++;
        o->zeros = 0;
    }
    if (o->len < o->cap) {
        o->data[o->len] = byte;
    }
    o->len++;
    o->zeros = byte == 0 ? o->zeros + 1 : 0;
}

static void put(struct out *o, uint32_t n, uint32_t value)
{
    while (n-- > 0) {
        o->byte = (uint8_t)(o->byte << 1 | (value >> n & 1u));
        if (++o->bits == 8) {
            put_byte(o, o->byte);
            o->bits = 0;
        }
    }
}

static void put_ue(struct out *o, uint32_t value)
{
    uint32_t bits = 0;
    while (bits < 31 && (value + 1) >> (bits + 1)) {
        bits++;
    }
    put(o, bits, 0);
    put(o, bits + 1, value + 1);
}

static void put_se(struct out *o, int32_t value)
{
    put_ue(o, value > 0 ? 2 * (uint32_t)value - 1 : 2 * (uint32_t)-value);
}

static void put_header(struct out *o, const struct ph_h264_quick *q)
{
    uint32_t frame_num = (q->frame_num + 1) & ((1u << q->frame_num_bits) - 1);
    put_ue(o, 0); /* first_mb_in_slice */
    put_ue(o, SLICE_P);
    put_ue(o, q->pps_id);
    put(o, q->frame_num_bits, frame_num);
    put(o, 1, 1); /* num_ref_idx_active_override_flag */
    put_ue(o, 0); /* num_ref_idx_l0_active_minus1: the newest one */
    put(o, 1, 0); /* ref_pic_list_modification_flag_l0 */
    put_se(o, QP - q->qp); /* slice_qp_delta */
    if (q->deblocking_control) {
        put_ue(o, NO_DEBLOCKING);
    }
}

/* A row of n samples from src on, of which `have` are in the picture. */
static void put_row(
        struct out *o, const uint8_t *src, uint32_t n, uint32_t have, int step)
{
    for (uint32_t i = 0; i < n; i++) {
        put_byte(o, src[PH_MIN(i, have - 1) * (uint32_t)step]);
    }
}

static void put_macroblock(struct out *o, const struct ph_h264_quick_picture *p,
        uint32_t x, uint32_t y)
{
    put_ue(o, MB_TYPE_PCM);
    while (o->bits != 0) {
        put(o, 1, 0); /* pcm_alignment_zero_bit */
    }
    uint32_t wide = PH_MIN(p->width - x, MB);
    uint32_t high = PH_MIN(p->height - y, MB);
    for (uint32_t i = 0; i < MB; i++) {
        size_t row = y + PH_MIN(i, high - 1);
        put_row(o, p->plane[0] + row * p->stride[0] + x, MB, wide, 1);
    }
    for (uint32_t c = 0; c < 2; c++) {
        for (uint32_t i = 0; i < MB / 2; i++) {
            size_t row = y / 2 + PH_MIN(i, high / 2 - 1);
            put_row(o, p->plane[1] + row * p->stride[1] + x + c, MB / 2,
                    wide / 2, 2);
        }
    }
}

size_t ph_h264_quick_write(struct ph_h264_quick *q,
        const struct ph_h264_quick_picture *p, uint8_t *out, size_t cap)
{
    static const uint8_t start[] = {0, 0, 0, 1, PH_H264_SLICE};
    struct out o = {.data = out, .cap = cap, .len = sizeof(start)};
    if (!q->ready || cap < sizeof(start) || p->width > q->mbs_wide * MB ||
            p->height > q->mbs_high * MB || p->width + MB <= q->mbs_wide * MB ||
            p->height + MB <= q->mbs_high * MB) {
        return 0;
    }
    memcpy(out, start, sizeof(start));
    put_header(&o, q);
    uint32_t skipped = 0;
    for (uint32_t i = 0; i < q->mbs_wide * q->mbs_high; i++) {
        if (!p->macroblocks[i]) {
            skipped++;
            continue;
        }
        put_ue(&o, skipped); /* mb_skip_run */
        skipped = 0;
        put_macroblock(&o, p, i % q->mbs_wide * MB, i / q->mbs_wide * MB);
    }
    if (skipped) {
        put_ue(&o, skipped);
    }
    put(&o, 1, 1); /* rbsp_stop_one_bit */
    while (o.bits != 0) {
        put(&o, 1, 0);
    }
    if (o.len > cap) {
        return 0;
    }
    q->ready = false;
    return o.len;
}
