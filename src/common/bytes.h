/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Little-endian numbers in byte buffers. Every wire and file format of this
 * project is read and written through these, never by casting a struct.
 *
 * ph_reader and ph_writer are cursors with a sticky failure: after a read
 * past the end (or a write past the capacity) `ok` is false, reads give 0 and
 * writes do nothing, so a caller checks once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t ph_load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ph_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
            (uint32_t)p[3] << 24;
}

static inline uint64_t ph_load_u64(const uint8_t *p)
{
    return ph_load_u32(p) | (uint64_t)ph_load_u32(p + 4) << 32;
}

static inline void ph_store_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void ph_store_u32(uint8_t *p, uint32_t v)
{
    ph_store_u16(p, (uint16_t)v);
    ph_store_u16(p + 2, (uint16_t)(v >> 16));
}

static inline void ph_store_u64(uint8_t *p, uint64_t v)
{
    ph_store_u32(p, (uint32_t)v);
    ph_store_u32(p + 4, (uint32_t)(v >> 32));
}

struct ph_reader {
    const uint8_t *data;
    size_t len;
    size_t pos;
    bool ok;
};

static inline struct ph_reader ph_reader(const uint8_t *data, size_t len)
{
    return (struct ph_reader){data, len, 0, true};
}

static inline size_t ph_reader_left(const struct ph_reader *r)
{
    return r->ok ? r->len - r->pos : 0;
}

/* The next n bytes, or NULL (and ok = false) when there are fewer. */
static inline const uint8_t *ph_read_bytes(struct ph_reader *r, size_t n)
{
    if (n > ph_reader_left(r) || !r->ok) {
        r->ok = false;
        return NULL;
    }
    const uint8_t *p = r->data + r->pos;
    r->pos += n;
    return p;
}

static inline uint8_t ph_read_u8(struct ph_reader *r)
{
    const uint8_t *p = ph_read_bytes(r, 1);
    return p ? *p : 0;
}

static inline uint16_t ph_read_u16(struct ph_reader *r)
{
    const uint8_t *p = ph_read_bytes(r, 2);
    return p ? ph_load_u16(p) : 0;
}

static inline uint32_t ph_read_u32(struct ph_reader *r)
{
    const uint8_t *p = ph_read_bytes(r, 4);
    return p ? ph_load_u32(p) : 0;
}

static inline uint64_t ph_read_u64(struct ph_reader *r)
{
    const uint8_t *p = ph_read_bytes(r, 8);
    return p ? ph_load_u64(p) : 0;
}

struct ph_writer {
    uint8_t *data;
    size_t cap;
    size_t len;
    bool ok;
};

static inline struct ph_writer ph_writer(uint8_t *data, size_t cap)
{
    return (struct ph_writer){data, cap, 0, true};
}

/* Room for n more bytes, or NULL (and ok = false) when there is less. */
static inline uint8_t *ph_write_room(struct ph_writer *w, size_t n)
{
    if (!w->ok || n > w->cap - w->len) {
        w->ok = false;
        return NULL;
    }
    uint8_t *p = w->data + w->len;
    w->len += n;
    return p;
}

static inline void ph_write_bytes(
        struct ph_writer *w, const void *src, size_t n)
{
    uint8_t *p = ph_write_room(w, n);
    if (p && n) {
        memcpy(p, src, n);
    }
}

static inline void ph_write_zeros(struct ph_writer *w, size_t n)
{
    uint8_t *p = ph_write_room(w, n);
    if (p) {
        memset(p, 0, n);
    }
}

static inline void ph_write_u8(struct ph_writer *w, uint8_t v)
{
    ph_write_bytes(w, &v, 1);
}

static inline void ph_write_u16(struct ph_writer *w, uint16_t v)
{
    uint8_t *p = ph_write_room(w, 2);
    if (p) {
        ph_store_u16(p, v);
    }
}

static inline void ph_write_u32(struct ph_writer *w, uint32_t v)
{
    uint8_t *p = ph_write_room(w, 4);
    if (p) {
        ph_store_u32(p, v);
    }
}

static inline void ph_write_u64(struct ph_writer *w, uint64_t v)
{
    uint8_t *p = ph_write_room(w, 8);
    if (p) {
        ph_store_u64(p, v);
    }
}
