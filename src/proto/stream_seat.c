/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/stream_seat.h"

#include "proto/stream_private.h"

enum {
    FLAG_CAPS = 1,
    FLAG_NUM = 2,
    TOUCH_DOWN = 0,
    TOUCH_CANCEL = 3,
};

void ph_stream_write_piece(
        struct ph_writer *w, uint8_t type, const struct ph_stream_piece *piece)
{
    ph_stream_begin(w, type, piece->flags, 0);
    ph_write_u32(w, piece->id);
    if (piece->flags & PH_STREAM_PIECE_FIRST) {
        ph_write_u64(w, piece->total);
        ph_stream_write_text(w, piece->name);
    }
}

bool ph_stream_parse_piece(
        const uint8_t *msg, size_t len, struct ph_stream_piece *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_piece v = {.id = ph_read_u32(&r)};
    if (!r.ok) {
        return false;
    }
    v.flags = msg[1];
    if (v.flags & PH_STREAM_PIECE_FIRST) {
        v.total = ph_read_u64(&r);
        ph_stream_read_text(&r, v.name);
    }
    v.size = ph_reader_left(&r);
    v.data = ph_read_bytes(&r, v.size);
    bool clipboard = msg[0] == PH_STREAM_CLIPBOARD;
    uint64_t most = clipboard ? PH_STREAM_MAX_CLIPBOARD : PH_STREAM_MAX_FILE;
    if (!r.ok || v.total > most || clipboard != (v.id == 0) ||
            (v.flags & PH_STREAM_PIECE_CANCEL && v.size)) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_progress(
        struct ph_writer *w, const struct ph_stream_progress *progress)
{
    ph_stream_begin(w, PH_STREAM_PROGRESS, 0, 0);
    ph_write_u16(w, progress->code);
    ph_write_u32(w, progress->id);
    ph_write_u64(w, progress->received);
    ph_stream_write_text(w, progress->text);
}

bool ph_stream_parse_progress(
        const uint8_t *msg, size_t len, struct ph_stream_progress *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_progress v = {.code = ph_read_u16(&r)};
    v.id = ph_read_u32(&r);
    v.received = ph_read_u64(&r);
    ph_stream_read_text(&r, v.text);
    if (!r.ok) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_cursor(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_cursor *cursor)
{
    ph_stream_begin(w, PH_STREAM_CURSOR, cursor->flags, stream);
    ph_write_u32(w, cursor->serial);
    ph_write_u16(w, (uint16_t)cursor->x);
    ph_write_u16(w, (uint16_t)cursor->y);
    if (cursor->flags & PH_STREAM_CURSOR_SHAPE) {
        ph_write_u16(w, cursor->width);
        ph_write_u16(w, cursor->height);
        ph_write_u16(w, cursor->hot_x);
        ph_write_u16(w, cursor->hot_y);
    }
}

bool ph_stream_parse_cursor(
        const uint8_t *msg, size_t len, struct ph_stream_cursor *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_cursor v = {.serial = ph_read_u32(&r)};
    v.x = (int16_t)ph_read_u16(&r);
    v.y = (int16_t)ph_read_u16(&r);
    if (!r.ok) {
        return false;
    }
    v.flags = msg[1];
    if (v.flags & PH_STREAM_CURSOR_SHAPE) {
        v.width = ph_read_u16(&r);
        v.height = ph_read_u16(&r);
        v.hot_x = ph_read_u16(&r);
        v.hot_y = ph_read_u16(&r);
        if (v.width == 0 || v.width > PH_STREAM_MAX_CURSOR || v.height == 0 ||
                v.height > PH_STREAM_MAX_CURSOR || v.hot_x >= v.width ||
                v.hot_y >= v.height) {
            return false;
        }
        v.data = ph_read_bytes(&r, (size_t)v.width * v.height * 4);
    }
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    *out = v;
    return true;
}

/* The length of the character that begins there; 0: none does. */
static size_t character(const uint8_t *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80                ? 1
            : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
            : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
            : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                          : 0;
    if (n == 0 || n > len) {
        return 0;
    }
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3f);
    }
    bool control = (c < 0x20 && c != '\n' && c != '\t') ||
            (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000);
    return control || c < least[n] || c > 0x10ffff ? 0 : n;
}

bool ph_stream_is_text(const uint8_t *text, size_t len)
{
    for (size_t pos = 0, n = 0; pos < len; pos += n) {
        n = character(text + pos, len - pos);
        if (n == 0) {
            return false;
        }
    }
    return true;
}

void ph_stream_write_typed(
        struct ph_writer *w, uint16_t stream, const char *text, size_t size)
{
    ph_stream_begin(w, PH_STREAM_TEXT, 0, stream);
    ph_write_bytes(w, text, size);
}

bool ph_stream_parse_text(
        const uint8_t *msg, size_t len, const char **text, size_t *size)
{
    if (len <= PH_STREAM_HEADER_SIZE ||
            len > PH_STREAM_HEADER_SIZE + PH_STREAM_MAX_TYPED ||
            !ph_stream_is_text(
                    msg + PH_STREAM_HEADER_SIZE, len - PH_STREAM_HEADER_SIZE)) {
        return false;
    }
    *text = (const char *)msg + PH_STREAM_HEADER_SIZE;
    *size = len - PH_STREAM_HEADER_SIZE;
    return true;
}

void ph_stream_write_motion(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_motion *motion)
{
    ph_stream_begin(w, PH_STREAM_MOTION, 0, stream);
    ph_write_u32(w, (uint32_t)motion->dx);
    ph_write_u32(w, (uint32_t)motion->dy);
}

bool ph_stream_parse_motion(
        const uint8_t *msg, size_t len, struct ph_stream_motion *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_motion v = {(int32_t)ph_read_u32(&r), 0};
    v.dy = (int32_t)ph_read_u32(&r);
    if (!ph_stream_at_end(&r) || v.dx < -PH_STREAM_MAX_MOTION ||
            v.dx > PH_STREAM_MAX_MOTION || v.dy < -PH_STREAM_MAX_MOTION ||
            v.dy > PH_STREAM_MAX_MOTION) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_touch(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_touch *touch)
{
    ph_stream_begin(w, PH_STREAM_TOUCH, touch->what, stream);
    ph_write_u16(w, touch->finger);
    ph_write_u16(w, touch->at.x);
    ph_write_u16(w, touch->at.y);
    ph_write_u16(w, touch->at.width);
    ph_write_u16(w, touch->at.height);
}

bool ph_stream_parse_touch(
        const uint8_t *msg, size_t len, struct ph_stream_touch *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_touch v = {.finger = ph_read_u16(&r)};
    v.at.x = ph_read_u16(&r);
    v.at.y = ph_read_u16(&r);
    v.at.width = ph_read_u16(&r);
    v.at.height = ph_read_u16(&r);
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    v.what = msg[1];
    bool somewhere = v.at.x < v.at.width && v.at.y < v.at.height;
    if (v.what > TOUCH_CANCEL || v.finger >= PH_STREAM_MAX_FINGERS ||
            (v.what <= TOUCH_DOWN + 1 && !somewhere)) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_locks(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_locks *locks)
{
    ph_stream_begin(w, PH_STREAM_LOCKS,
            (uint8_t)((locks->caps ? FLAG_CAPS : 0) |
                    (locks->num ? FLAG_NUM : 0)),
            stream);
}

bool ph_stream_parse_locks(
        const uint8_t *msg, size_t len, struct ph_stream_locks *out)
{
    if (len != PH_STREAM_HEADER_SIZE) {
        return false;
    }
    *out = (struct ph_stream_locks){msg[1] & FLAG_CAPS, msg[1] & FLAG_NUM};
    return true;
}

void ph_stream_write_resize(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_resize *resize)
{
    ph_stream_begin(w, PH_STREAM_RESIZE, 0, stream);
    ph_write_u16(w, resize->width);
    ph_write_u16(w, resize->height);
    ph_write_u16(w, resize->scale);
}

bool ph_stream_parse_resize(
        const uint8_t *msg, size_t len, struct ph_stream_resize *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_resize v = {.width = ph_read_u16(&r)};
    v.height = ph_read_u16(&r);
    v.scale = ph_read_u16(&r);
    bool none = v.width == 0 && v.height == 0;
    bool sane = v.width >= PH_STREAM_MIN_SIDE &&
            v.width <= PH_STREAM_MAX_SIDE && v.height >= PH_STREAM_MIN_SIDE &&
            v.height <= PH_STREAM_MAX_SIDE && v.scale >= PH_STREAM_MIN_SCALE &&
            v.scale <= PH_STREAM_MAX_SCALE;
    if (!ph_stream_at_end(&r) || !(none || sane)) {
        return false;
    }
    *out = v;
    return true;
}
