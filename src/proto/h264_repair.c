/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264_repair.h"

#include <string.h>

#include "proto/h264_bits.h"

enum {
    START = 4, /* bytes of the start code */
    RBSP_SPARE = 64, /* more than is ever added to an SPS */
    FILLER_PAYLOAD = 3,
    UNSPECIFIED_FORMAT = 5,
    LONGEST_MV_LOG2 = 15,
};

static const uint8_t start_code[START] = {0, 0, 0, 1};

/* --- an SPS, written anew --- */

struct rewrite {
    struct ph_h264_bits in;
    struct ph_h264_bit_writer out;
};

static void copy_until(struct rewrite *r, size_t pos)
{
    while (r->in.ok && r->out.ok && r->in.pos < pos) {
        ph_h264_put(&r->out, 1, ph_h264_get(&r->in, 1));
    }
}

static bool wants_crop(const struct ph_h264_repair *how,
        const struct ph_h264_sps *sps, const struct ph_h264_sps_layout *at)
{
    return how->width && how->height &&
            (how->width != sps->width || how->height != sps->height) &&
            how->width <= at->coded_width && how->height <= at->coded_height &&
            (at->coded_width - how->width) % at->crop_unit_x == 0 &&
            (at->coded_height - how->height) % at->crop_unit_y == 0;
}

static void write_crop(struct rewrite *r, const struct ph_h264_repair *how,
        const struct ph_h264_sps_layout *at)
{
    ph_h264_put(&r->out, 1, 1);
    ph_h264_put_ue(&r->out, 0);
    ph_h264_put_ue(&r->out, (at->coded_width - how->width) / at->crop_unit_x);
    ph_h264_put_ue(&r->out, 0);
    ph_h264_put_ue(&r->out, (at->coded_height - how->height) / at->crop_unit_y);
    r->in.pos = at->vui;
}

static void write_colour(struct rewrite *r, const struct ph_h264_repair *how,
        const struct ph_h264_sps *sps)
{
    const struct ph_h264_colour *c = &how->colour;
    ph_h264_put(&r->out, 1, 1); /* video_signal_type_present_flag */
    ph_h264_put(&r->out, 3, UNSPECIFIED_FORMAT);
    ph_h264_put(&r->out, 1, sps->has_range ? sps->full_range : c->full_range);
    ph_h264_put(&r->out, 1, 1); /* colour_description_present_flag */
    ph_h264_put(&r->out, 8, c->primaries);
    ph_h264_put(&r->out, 8, c->transfer);
    ph_h264_put(&r->out, 8, c->matrix);
}

/* Bounds: what was said of motion vectors and sizes stays, else there is no
 * limit. A decoder needs as many buffers as there are reference pictures. */
static void write_restriction(struct rewrite *r, const struct ph_h264_sps *sps,
        const struct ph_h264_sps_layout *at)
{
    if (sps->has_reorder_bound) {
        copy_until(r, at->reorder);
    } else {
        ph_h264_put(&r->out, 1, 1); /* bitstream_restriction_flag */
        ph_h264_put(&r->out, 1, 1); /* vectors may point outside */
        ph_h264_put_ue(&r->out, 0);
        ph_h264_put_ue(&r->out, 0);
        ph_h264_put_ue(&r->out, LONGEST_MV_LOG2);
        ph_h264_put_ue(&r->out, LONGEST_MV_LOG2);
    }
    ph_h264_put_ue(&r->out, 0); /* max_num_reorder_frames */
    ph_h264_put_ue(&r->out, at->ref_frames);
}

static void write_vui(struct rewrite *r, const struct ph_h264_repair *how,
        const struct ph_h264_sps *sps, const struct ph_h264_sps_layout *at)
{
    ph_h264_put(&r->out, 1, 1); /* vui_parameters_present_flag */
    r->in.pos = at->vui + 1;
    if (at->has_vui) {
        copy_until(r, at->signal);
    } else {
        ph_h264_put(&r->out, 2, 0); /* no aspect ratio, no overscan */
    }
    if (how->colour.primaries && !sps->has_colour) {
        write_colour(r, how, sps);
    } else if (at->has_vui) {
        copy_until(r, at->signal_end);
    } else {
        ph_h264_put(&r->out, 1, 0);
    }
    if (at->has_vui) {
        r->in.pos = at->signal_end;
        copy_until(r, at->restriction);
    } else {
        ph_h264_put(&r->out, 5, 0); /* chroma, timing, two HRDs, structure */
    }
    write_restriction(r, sps, at);
}

/* nal with its header; out[cap) gets it as it should be. */
static bool repair_sps(const struct ph_h264_repair *how, const uint8_t *nal,
        size_t size, uint8_t *out, size_t cap, size_t *len)
{
    uint8_t before[PH_H264_MAX_SET];
    uint8_t after[PH_H264_MAX_SET + RBSP_SPARE];
    struct ph_h264_sps sps;
    struct ph_h264_sps_layout at;
    size_t n = ph_h264_unescape(nal + 1, size - 1, before);
    if (!ph_h264_read_sps(before, n, &sps, &at)) {
        return false;
    }
    bool crop = wants_crop(how, &sps, &at);
    bool colour = how->colour.primaries && !sps.has_colour;
    if (sps.has_reorder_bound && sps.max_reorder_frames == 0 && !crop &&
            !colour) {
        memcpy(out, nal, size);
        *len = size;
        return true;
    }
    struct rewrite r = {
            {before, n * 8, 0, true}, {after, sizeof(after) * 8, 0, true}};
    copy_until(&r, at.crop);
    if (crop) {
        write_crop(&r, how, &at);
    }
    copy_until(&r, at.vui);
    write_vui(&r, how, &sps, &at);
    ph_h264_put(&r.out, 1, 1); /* rbsp_stop_one_bit */
    while (r.out.ok && r.out.pos % 8) {
        ph_h264_put(&r.out, 1, 0);
    }
    out[0] = nal[0];
    bool ok = r.in.ok && r.out.ok &&
            ph_h264_escape(after, r.out.pos / 8, out + 1, cap - 1, len);
    *len += ok;
    return ok;
}

/* --- parameter sets, kept --- */

/* The id in a set: behind profile, constraints and level in an SPS. */
static bool read_id(const uint8_t *nal, size_t size, uint32_t *id)
{
    uint8_t rbsp[16];
    size_t n = size - 1 < sizeof(rbsp) ? size - 1 : sizeof(rbsp);
    n = ph_h264_unescape(nal + 1, n, rbsp);
    struct ph_h264_bits b = {rbsp, n * 8, 0, true};
    if ((nal[0] & 31) == PH_H264_SPS) {
        ph_h264_get(&b, 24);
    }
    *id = ph_h264_get_ue(&b);
    return b.ok;
}

static void remove_id(struct ph_h264_sets *sets, uint32_t id)
{
    size_t pos = 0;
    while (pos < sets->size) {
        size_t at = pos;
        struct ph_h264_nal nal;
        uint32_t its = 0;
        if (!ph_h264_next_nal(sets->data, sets->size, &pos, &nal)) {
            return;
        }
        /* pos is at the 00 00 01 that follows: its first zero is before. */
        size_t end = (size_t)(nal.data - sets->data) + nal.size;
        if (read_id(nal.data, nal.size, &its) && its == id) {
            memmove(sets->data + at, sets->data + end, sets->size - end);
            sets->size -= end - at;
            return;
        }
        pos = end;
    }
}

bool ph_h264_repair_set(
        struct ph_h264_repair *repair, const uint8_t *nal, size_t size)
{
    uint8_t fixed[PH_H264_MAX_SET * 3 / 2 + RBSP_SPARE * 2];
    uint32_t id = 0;
    size_t n = size;
    while (n > 0 && nal[n - 1] == 0) {
        n--; /* zeros behind it would belong to the next start code */
    }
    if (n < 2 || n > PH_H264_MAX_SET || !read_id(nal, n, &id)) {
        return false;
    }
    bool is_sps = (nal[0] & 31) == PH_H264_SPS;
    if (is_sps) {
        if (!repair_sps(repair, nal, n, fixed, sizeof(fixed), &n)) {
            return false;
        }
        nal = fixed;
    } else if ((nal[0] & 31) != PH_H264_PPS) {
        return false;
    }
    struct ph_h264_sets *sets = is_sps ? &repair->sps : &repair->pps;
    remove_id(sets, id);
    if (sets->size + START + n > sizeof(sets->data)) {
        return false;
    }
    memcpy(sets->data + sets->size, start_code, START);
    memcpy(sets->data + sets->size + START, nal, n);
    sets->size += START + n;
    return true;
}

/* --- access units --- */

/* The NAL units of either framing, one after the other. */
struct walk {
    const uint8_t *data;
    size_t size;
    size_t pos;
    uint8_t length_size;
    bool broken; /* a size that cannot be */
};

static bool next_nal(struct walk *w, struct ph_h264_nal *nal)
{
    if (!w->length_size) {
        return ph_h264_next_nal(w->data, w->size, &w->pos, nal);
    }
    size_t length = 0;
    if (w->pos == w->size) {
        return false;
    }
    w->broken = w->size - w->pos < w->length_size;
    for (uint8_t i = 0; i < w->length_size && !w->broken; i++) {
        length = length << 8 | w->data[w->pos++];
    }
    w->broken = w->broken || length == 0 || length > w->size - w->pos;
    if (w->broken) {
        return false;
    }
    const uint8_t *start = w->data + w->pos;
    *nal = (struct ph_h264_nal){start, length, start[0] & 31};
    w->pos += length;
    /* A start code inside would make it two. */
    struct ph_h264_nal inner;
    size_t inside = 0;
    w->broken = ph_h264_next_nal(start, length, &inside, &inner);
    return !w->broken;
}

static bool is_left_out(const struct ph_h264_nal *nal, bool idr)
{
    switch (nal->type) {
    case PH_H264_SPS:
        return true; /* it belongs to an IDR picture, and is put there */
    case PH_H264_PPS:
        return idr;
    case PH_H264_AUD:
    case PH_H264_END_OF_SEQUENCE:
    case PH_H264_END_OF_STREAM:
    case PH_H264_FILLER:
        return true;
    case PH_H264_SEI:
        return nal->size > 1 && nal->data[1] == FILLER_PAYLOAD;
    default:
        return false;
    }
}

struct sink {
    uint8_t *out;
    size_t cap;
    size_t size; /* counted on past cap */
};

static void append(struct sink *s, const uint8_t *data, size_t size)
{
    if (s->size <= s->cap && size <= s->cap - s->size) {
        memcpy(s->out + s->size, data, size);
    }
    s->size += size;
}

bool ph_h264_repair_unit(struct ph_h264_repair *repair, const uint8_t *data,
        size_t size, uint8_t *out, size_t cap, size_t *needed)
{
    struct walk first = {data, size, 0, repair->length_size, false};
    struct walk second = first;
    struct sink sink = {out, cap, 0};
    struct ph_h264_nal nal;
    bool idr = false;
    bool slices = false;
    while (next_nal(&first, &nal)) {
        bool is_set = nal.type == PH_H264_SPS || nal.type == PH_H264_PPS;
        if (is_set && !ph_h264_repair_set(repair, nal.data, nal.size)) {
            return false;
        }
        idr = idr || nal.type == PH_H264_IDR;
        slices = slices || nal.type == PH_H264_SLICE;
    }
    if (first.broken || (!idr && !slices)) {
        return false;
    }
    if (idr) {
        append(&sink, repair->sps.data, repair->sps.size);
        append(&sink, repair->pps.data, repair->pps.size);
    }
    while (next_nal(&second, &nal)) {
        if (!is_left_out(&nal, idr)) {
            append(&sink, start_code, START);
            append(&sink, nal.data, nal.size);
        }
    }
    *needed = sink.size;
    return true;
}
