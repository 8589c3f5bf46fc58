/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stream.c and stream_seat.c have in common. */
#pragma once

#include <string.h>

#include "proto/stream.h"

static inline void ph_stream_begin(
        struct ph_writer *w, uint8_t type, uint8_t flags, uint16_t stream)
{
    ph_write_u8(w, type);
    ph_write_u8(w, flags);
    ph_write_u16(w, stream);
}

/* A reader behind the header. */
static inline struct ph_reader ph_stream_body(const uint8_t *msg, size_t len)
{
    struct ph_reader r = ph_reader(msg, len);
    ph_read_bytes(&r, PH_STREAM_HEADER_SIZE);
    return r;
}

static inline bool ph_stream_at_end(const struct ph_reader *r)
{
    return r->ok && r->pos == r->len;
}

/* u8 length, bytes. */
static inline void ph_stream_write_text(struct ph_writer *w, const char *text)
{
    size_t n = strnlen(text, PH_STREAM_MAX_TEXT);
    ph_write_u8(w, (uint8_t)n);
    ph_write_bytes(w, text, n);
}

/* Control characters become '?'. */
static inline void ph_stream_read_text(
        struct ph_reader *r, char out[PH_STREAM_MAX_TEXT + 1])
{
    uint8_t n = ph_read_u8(r);
    const uint8_t *p = ph_read_bytes(r, n);
    for (size_t i = 0; p && i < n; i++) {
        out[i] = p[i] < 0x20 || p[i] == 0x7f ? '?' : (char)p[i];
    }
    out[p ? n : 0] = 0;
}
