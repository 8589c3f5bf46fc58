/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A version 1 guest, written from the layout in docs/protocol.md alone: it
 * uses nothing of src/, so that a mistake there cannot hide in here. It does
 * as such guests do: blocking sockets, no hello, session 1, one frame in
 * flight, and whatever message comes next is the answer to it.
 */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    V1_HEADER = 12,
    V1_ERROR_MESSAGE = 272, /* header included, always all of it */
    V1_NV12 = 0x3231564E,
    V1_BGRA = 0x34325241,
    V1_RGBA = 0x34324241,
    V1_NAL_MOST = 64 << 20
};

enum v1_answer {
    V1_UNIT,
    V1_ERROR,
    V1_LOST, /* the end, or a message that is neither */
};

struct v1_frame {
    uint32_t resource; /* sent without pixels when pixels is NULL */
    uint32_t width;
    uint32_t height;
    uint32_t format;
    uint32_t stride; /* of plane 0 */
    int64_t pts;
    int key;
    const uint8_t *pixels;
    uint32_t size;
};

/* What came last. */
struct v1_guest {
    int fd; /* blocking */
    int64_t pts;
    int64_t dts;
    int key;
    uint32_t nals;
    uint8_t *data; /* all NAL units, one behind the other */
    size_t size;
    int32_t code;
    char text[256];
};

static inline void v1_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> 8 * i);
    }
}

static inline uint32_t v1_get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
            (uint32_t)p[3] << 24;
}

static inline int64_t v1_get64(const uint8_t *p)
{
    return (int64_t)(v1_get32(p) | (uint64_t)v1_get32(p + 4) << 32);
}

static inline int v1_write(struct v1_guest *g, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0) {
#ifdef MSG_NOSIGNAL
        ssize_t n = send(g->fd, p, len, MSG_NOSIGNAL);
#else
        ssize_t n = send(g->fd, p, len, 0);
#endif
        if (n <= 0) {
            return 0;
        }
        p += n;
        len -= (size_t)n;
    }
    return 1;
}

static inline int v1_read(struct v1_guest *g, void *data, size_t len)
{
    return len == 0 || recv(g->fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static inline int v1_message(
        struct v1_guest *g, uint8_t type, const void *payload, uint32_t len)
{
    uint8_t head[V1_HEADER] = {'H', 'X', 'F', 'R', type, 0, 1, 0};
    v1_put32(head + 8, len);
    return v1_write(g, head, sizeof(head)) && v1_write(g, payload, len);
}

static inline uint32_t v1_round(uint32_t v, uint32_t to)
{
    return (v + to - 1) / to * to;
}

/* As a default GstVideoInfo has them. */
static inline uint32_t v1_stride(uint32_t format, uint32_t width)
{
    return format == V1_NV12 ? v1_round(width, 4) : width * 4;
}

static inline uint32_t v1_size(
        uint32_t format, uint32_t stride, uint32_t height)
{
    return format == V1_NV12 ? stride * v1_round(height, 2) * 3 / 2
                             : stride * height;
}

static inline int v1_send_frame(struct v1_guest *g, const struct v1_frame *f)
{
    uint8_t buf[V1_HEADER + 44] = {
            'H', 'X', 'F', 'R', 1, f->pixels != NULL, 1, 0};
    uint8_t *p = buf + V1_HEADER;
    v1_put32(buf + 8, 44 + (f->pixels ? f->size : 0));
    v1_put32(p, f->resource);
    v1_put32(p + 4, f->width);
    v1_put32(p + 8, f->height);
    v1_put32(p + 12, f->format);
    v1_put32(p + 16, f->stride);
    v1_put32(p + 20, (uint32_t)f->pts);
    v1_put32(p + 24, (uint32_t)((uint64_t)f->pts >> 32));
    memset(p + 28, 0xff, 8); /* duration: unknown */
    p[36] = (uint8_t)f->key;
    return v1_write(g, buf, sizeof(buf)) &&
            (!f->pixels || v1_write(g, f->pixels, f->size));
}

static inline int v1_take_nals(struct v1_guest *g, uint32_t left)
{
    g->size = 0;
    for (uint32_t i = 0; i < g->nals; i++) {
        uint8_t size[4];
        if (left < 4 || !v1_read(g, size, 4)) {
            return 0;
        }
        uint32_t n = v1_get32(size);
        left -= 4;
        if (n > left || n > V1_NAL_MOST) {
            return 0;
        }
        g->data = realloc(g->data, g->size + n + 1);
        if (!v1_read(g, g->data + g->size, n)) {
            return 0;
        }
        g->size += n;
        left -= n;
    }
    return left == 0;
}

static inline enum v1_answer v1_take_answer(struct v1_guest *g)
{
    uint8_t head[V1_HEADER];
    uint8_t fixed[V1_ERROR_MESSAGE - V1_HEADER];
    if (!v1_read(g, head, sizeof(head)) || memcmp(head, "HXFR", 4) != 0) {
        return V1_LOST;
    }
    if (head[4] == 0xff) {
        if (!v1_read(g, fixed, sizeof(fixed))) {
            return V1_LOST;
        }
        g->code = (int32_t)v1_get32(fixed);
        memcpy(g->text, fixed + 4, sizeof(g->text));
        g->text[sizeof(g->text) - 1] = 0;
        return V1_ERROR;
    }
    uint32_t left = v1_get32(head + 8);
    if (head[4] != 2 || left < 24 || !v1_read(g, fixed, 24)) {
        return V1_LOST;
    }
    g->pts = v1_get64(fixed);
    g->dts = v1_get64(fixed + 8);
    g->key = fixed[16];
    g->nals = v1_get32(fixed + 20);
    return v1_take_nals(g, left - 24) ? V1_UNIT : V1_LOST;
}

static inline enum v1_answer v1_encode(
        struct v1_guest *g, const struct v1_frame *f)
{
    return v1_send_frame(g, f) ? v1_take_answer(g) : V1_LOST;
}
