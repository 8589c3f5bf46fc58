/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TILES, SLOT_FRAME and REPEAT: what changed of a surface. */
#include "proto/hxfr_ext.h"

struct ph_rect ph_hxfr_rect(const struct ph_hxfr_frame *frame, uint16_t i)
{
    const uint8_t *p = frame->rects + (size_t)i * PH_HXFR_RECT_SIZE;
    return (struct ph_rect){ph_load_u16(p), ph_load_u16(p + 2),
            ph_load_u16(p + 4), ph_load_u16(p + 6)};
}

uint8_t ph_hxfr_planes(const struct ph_hxfr_frame *frame, uint16_t i)
{
    return frame->planes ? frame->planes[i] : PH_HXFR_ALL_PLANES;
}

struct ph_move ph_hxfr_move(const struct ph_hxfr_frame *frame, uint8_t i)
{
    const uint8_t *p = frame->moves + (size_t)i * PH_HXFR_MOVE_SIZE;
    return (struct ph_move){{ph_load_u16(p), ph_load_u16(p + 2),
                                    ph_load_u16(p + 4), ph_load_u16(p + 6)},
            (int16_t)ph_load_u16(p + 8), (int16_t)ph_load_u16(p + 10)};
}

/* Not empty, and inside. */
static bool is_inside(
        const struct ph_rect *r, const struct ph_hxfr_surface *surface)
{
    return r->width > 0 && r->height > 0 &&
            (uint32_t)r->x + r->width <= surface->width &&
            (uint32_t)r->y + r->height <= surface->height;
}

bool ph_hxfr_rect_fits(
        const struct ph_rect *r, const struct ph_hxfr_surface *surface)
{
    uint32_t right = (uint32_t)r->x + r->width;
    uint32_t bottom = (uint32_t)r->y + r->height;
    return is_inside(r, surface) && ((r->x | r->y) & 1) == 0 &&
            (right % 2 == 0 || right == surface->width) &&
            (bottom % 2 == 0 || bottom == surface->height);
}

bool ph_hxfr_tile_fits(const struct ph_rect *r, uint8_t planes,
        const struct ph_hxfr_surface *surface)
{
    if (planes == PH_HXFR_ALL_PLANES) {
        return ph_hxfr_rect_fits(r, surface);
    }
    if (surface->format != PH_HXFR_NV12) {
        return false;
    }
    return planes == PH_HXFR_LUMA
            ? is_inside(r, surface)
            : planes == PH_HXFR_CHROMA && ph_hxfr_rect_fits(r, surface);
}

bool ph_hxfr_move_is_even(const struct ph_move *m)
{
    return ((m->from.x | m->from.y | m->from.width | m->from.height | m->dx |
                    m->dy) &
                   1) == 0;
}

struct ph_rect ph_hxfr_move_target(const struct ph_move *m)
{
    return (struct ph_rect){(uint16_t)(m->from.x + m->dx),
            (uint16_t)(m->from.y + m->dy), m->from.width, m->from.height};
}

bool ph_hxfr_move_fits(
        const struct ph_move *m, const struct ph_hxfr_surface *surface)
{
    int32_t x = m->from.x + m->dx;
    int32_t y = m->from.y + m->dy;
    return is_inside(&m->from, surface) && (m->dx || m->dy) && x >= 0 &&
            y >= 0 && (uint32_t)x + m->from.width <= surface->width &&
            (uint32_t)y + m->from.height <= surface->height &&
            (surface->format == PH_HXFR_NV12 || ph_hxfr_move_is_even(m));
}

size_t ph_hxfr_rect_size(const struct ph_rect *r, uint32_t format)
{
    size_t pixels = (size_t)r->width * r->height;
    return format == PH_HXFR_NV12 ? pixels + pixels / 2 : pixels * 4;
}

size_t ph_hxfr_tile_size(
        const struct ph_rect *r, uint8_t planes, uint32_t format)
{
    size_t pixels = (size_t)r->width * r->height;
    switch (planes) {
    case PH_HXFR_LUMA:
        return pixels;
    case PH_HXFR_CHROMA:
        return pixels / 2;
    default:
        return ph_hxfr_rect_size(r, format);
    }
}

uint32_t ph_hxfr_frame_needs(const struct ph_hxfr_frame *f)
{
    uint32_t needs = f->move_count || f->planes ? PH_HXFR_CAP_MOVES : 0;
    needs |= f->flags & PH_HXFR_FRAME_LZ4 ? PH_HXFR_CAP_LZ4 : 0;
    return f->flags & PH_HXFR_FRAME_FILE ? needs | PH_HXFR_CAP_FILE : needs;
}

static bool check_moves(
        const struct ph_hxfr_frame *f, const struct ph_hxfr_surface *surface)
{
    uint64_t most = (uint64_t)surface->width * surface->height * 2;
    uint64_t sum = 0;
    for (uint8_t i = 0; i < f->move_count; i++) {
        struct ph_move m = ph_hxfr_move(f, i);
        sum += (uint64_t)m.from.width * m.from.height;
        if (!ph_hxfr_move_fits(&m, surface) || sum > most) {
            return false;
        }
    }
    return true;
}

/* Adds up what the rectangles carry; false: one does not fit. */
static bool check_tiles(
        struct ph_hxfr_frame *f, const struct ph_hxfr_surface *surface)
{
    for (uint16_t i = 0; i < f->rect_count; i++) {
        struct ph_rect r = ph_hxfr_rect(f, i);
        uint8_t planes = ph_hxfr_planes(f, i);
        if (!ph_hxfr_tile_fits(&r, planes, surface)) {
            return false;
        }
        f->bytes += ph_hxfr_tile_size(&r, planes, surface->format);
        if (f->bytes > PH_HXFR_MAX_PAYLOAD) {
            return false;
        }
    }
    return true;
}

/* Whether what is left of the payload is what the rectangles imply. A block
 * is smaller than what it stands for, and that no more than the picture. */
static bool check_pixels(const struct ph_hxfr_frame *f, size_t left,
        const struct ph_hxfr_surface *surface)
{
    struct ph_rect whole = {
            0, 0, (uint16_t)surface->width, (uint16_t)surface->height};
    if (f->flags & PH_HXFR_FRAME_FILE) { /* in a slot of the file */
        return left == 0 && !(f->flags & PH_HXFR_FRAME_LZ4) &&
                f->bytes <= ph_hxfr_rect_size(&whole, surface->format);
    }
    if (!(f->flags & PH_HXFR_FRAME_LZ4)) {
        return left == f->bytes;
    }
    return left > 0 && left < f->bytes &&
            f->bytes <= ph_hxfr_rect_size(&whole, surface->format);
}

bool ph_hxfr_parse_frame(uint8_t type, const uint8_t *payload, size_t len,
        uint32_t total, const struct ph_hxfr_surface *surface,
        struct ph_hxfr_frame *out)
{
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_frame f = {0};
    f.sequence = ph_read_u32(&r);
    f.pts = (int64_t)ph_read_u64(&r);
    f.flags = ph_read_u32(&r);
    f.slot = ph_read_u8(&r);
    f.move_count = ph_read_u8(&r);
    f.rect_count = ph_read_u16(&r);
    f.moves = ph_read_bytes(&r, (size_t)f.move_count * PH_HXFR_MOVE_SIZE);
    f.rects = ph_read_bytes(&r, (size_t)f.rect_count * PH_HXFR_RECT_SIZE);
    if (f.flags & PH_HXFR_FRAME_PLANES) {
        f.planes = ph_read_bytes(&r, f.rect_count);
    }
    if (!r.ok || f.move_count > PH_HXFR_MAX_MOVES ||
            f.rect_count > PH_HXFR_MAX_RECTS || f.slot >= PH_HXFR_MAX_SLOTS ||
            total < r.pos || !check_moves(&f, surface) ||
            !check_tiles(&f, surface)) {
        return false;
    }
    size_t left = total - r.pos;
    if (type == PH_HXFR_TILES ? !check_pixels(&f, left, surface)
                              : left > 0 || ph_hxfr_frame_needs(&f) ||
                            (type == PH_HXFR_REPEAT && f.rect_count)) {
        return false;
    }
    *out = f;
    return true;
}

size_t ph_hxfr_frame_control(const uint8_t head[PH_HXFR_FRAME_HEAD_SIZE])
{
    size_t moves = head[17];
    size_t rects = ph_load_u16(head + 18);
    size_t rect = ph_load_u32(head + 12) & PH_HXFR_FRAME_PLANES
            ? PH_HXFR_RECT_SIZE + 1
            : PH_HXFR_RECT_SIZE;
    return moves * PH_HXFR_MOVE_SIZE + rects * rect;
}

static void write_rect(struct ph_writer *w, const struct ph_rect *r)
{
    ph_write_u16(w, r->x);
    ph_write_u16(w, r->y);
    ph_write_u16(w, r->width);
    ph_write_u16(w, r->height);
}

static void write_head(struct ph_writer *w, uint8_t type, uint16_t session,
        const struct ph_hxfr_frame *frame, size_t rest)
{
    ph_hxfr_begin(w, type, session, PH_HXFR_FRAME_HEAD_SIZE + rest);
    ph_write_u32(w, frame->sequence);
    ph_write_u64(w, (uint64_t)frame->pts);
    ph_write_u32(w, frame->flags);
    ph_write_u8(w, frame->slot);
    ph_write_u8(w, frame->move_count);
    ph_write_u16(w, frame->rect_count);
}

void ph_hxfr_write_frame(struct ph_writer *w, uint8_t type, uint16_t session,
        const struct ph_hxfr_frame *frame, const struct ph_rect *rects,
        size_t pixels)
{
    write_head(w, type, session, frame,
            (size_t)frame->rect_count * PH_HXFR_RECT_SIZE + pixels);
    for (uint16_t i = 0; i < frame->rect_count; i++) {
        write_rect(w, &rects[i]);
    }
}

void ph_hxfr_write_tiles(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame *frame, const struct ph_move *moves,
        const struct ph_tile *tiles, size_t bytes)
{
    size_t control = (size_t)frame->move_count * PH_HXFR_MOVE_SIZE +
            (size_t)frame->rect_count * (PH_HXFR_RECT_SIZE + 1);
    struct ph_hxfr_frame f = *frame;
    f.flags |= PH_HXFR_FRAME_PLANES;
    write_head(w, PH_HXFR_TILES, session, &f, control + bytes);
    for (uint8_t i = 0; i < f.move_count; i++) {
        write_rect(w, &moves[i].from);
        ph_write_u16(w, (uint16_t)moves[i].dx);
        ph_write_u16(w, (uint16_t)moves[i].dy);
    }
    for (uint16_t i = 0; i < f.rect_count; i++) {
        write_rect(w, &tiles[i].rect);
    }
    for (uint16_t i = 0; i < f.rect_count; i++) {
        ph_write_u8(w, tiles[i].planes);
    }
}

uint64_t ph_hxfr_sum(uint64_t sum, const uint8_t *data, size_t stride,
        size_t row, size_t rows)
{
    for (size_t y = 0; y < rows; y++, data += stride) {
        size_t x = 0;
        for (; x + 8 <= row; x += 8) {
            sum = (sum ^ ph_load_u64(data + x)) * UINT64_C(0x9e3779b97f4a7c15);
            sum ^= sum >> 29;
        }
        for (; x < row; x++) {
            sum = (sum ^ data[x]) * UINT64_C(0x9e3779b97f4a7c15);
            sum ^= sum >> 29;
        }
    }
    return sum;
}
