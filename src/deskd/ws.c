/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/ws.h"

#include <string.h>

#include "common/macros.h"

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    MASKED = 0x80,
    CONTROL = 0x08,
    MASK_SIZE = 4,
};

static enum ph_ws_event fail(struct ph_ws_parser *p, enum ph_ws_code code)
{
    p->code = (uint16_t)code;
    return PH_WS_FAILED;
}

/* How long the head is, known from its first two bytes on. */
static size_t head_size(const struct ph_ws_parser *p)
{
    if (p->head_len < 2) {
        return 2 + MASK_SIZE;
    }
    uint8_t len = p->head[1] & 0x7f;
    return (len == 127                  ? 10U
                           : len == 126 ? 4U
                                        : 2U) +
            (p->head[1] & MASKED ? MASK_SIZE : 0U);
}

static uint64_t payload_size(const struct ph_ws_parser *p)
{
    uint8_t len = p->head[1] & 0x7f;
    size_t bytes = len == 127 ? 8 : len == 126 ? 2 : 0;
    uint64_t v = bytes ? 0 : len;
    for (size_t i = 0; i < bytes; i++) {
        v = v << 8 | p->head[2 + i];
    }
    return v;
}

/* The head is whole: is this frame allowed here? */
static enum ph_ws_event begin_payload(struct ph_ws_parser *p)
{
    uint8_t opcode = p->head[0] & OPCODE;
    uint64_t size = payload_size(p);
    if (p->head[0] & RESERVED || !(p->head[1] & MASKED)) {
        return fail(p, PH_WS_PROTOCOL_ERROR);
    }
    if (opcode & CONTROL) {
        if (!(p->head[0] & FIN) || size > PH_WS_MAX_CONTROL ||
                opcode > PH_WS_PONG) {
            return fail(p, PH_WS_PROTOCOL_ERROR);
        }
        p->control_len = 0;
    } else {
        if (opcode == PH_WS_TEXT) {
            return fail(p, PH_WS_UNSUPPORTED);
        }
        if (opcode > PH_WS_BINARY ||
                p->in_message != (opcode == PH_WS_CONTINUE)) {
            return fail(p, PH_WS_PROTOCOL_ERROR);
        }
        if (!p->in_message) {
            p->message_len = 0;
        }
        if (size > sizeof(p->message) - p->message_len) {
            return fail(p, PH_WS_TOO_BIG);
        }
        p->in_message = true;
    }
    p->left = size;
    p->at = 0;
    p->in_payload = true;
    return PH_WS_GOT_NOTHING;
}

/* Unmasks into the message or the control payload; the space was checked by
 * begin_payload. */
static size_t take_payload(
        struct ph_ws_parser *p, const uint8_t *data, size_t len)
{
    bool control = p->head[0] & CONTROL;
    uint8_t *to = control ? p->control : p->message;
    size_t *pos = control ? &p->control_len : &p->message_len;
    const uint8_t *mask = p->head + head_size(p) - MASK_SIZE;
    size_t n = PH_MIN(len, (size_t)p->left);
    for (size_t i = 0; i < n; i++) {
        to[*pos + i] = data[i] ^ mask[(p->at + i) % MASK_SIZE];
    }
    *pos += n;
    p->at += (uint32_t)n;
    p->left -= n;
    return n;
}

static enum ph_ws_event end_frame(struct ph_ws_parser *p)
{
    uint8_t opcode = p->head[0] & OPCODE;
    bool fin = p->head[0] & FIN;
    p->in_payload = false;
    p->head_len = 0;
    switch (opcode) {
    case PH_WS_PING:
        return PH_WS_GOT_PING;
    case PH_WS_CLOSE:
        return PH_WS_GOT_CLOSE;
    case PH_WS_PONG:
        return PH_WS_GOT_NOTHING;
    default:
        p->in_message = !fin;
        return fin ? PH_WS_GOT_MESSAGE : PH_WS_GOT_NOTHING;
    }
}

enum ph_ws_event ph_ws_parse(
        struct ph_ws_parser *p, const uint8_t *data, size_t len, size_t *used)
{
    size_t pos = 0;
    enum ph_ws_event event = PH_WS_GOT_NOTHING;
    while (event == PH_WS_GOT_NOTHING && pos < len) {
        if (!p->in_payload) {
            p->head[p->head_len++] = data[pos++];
            if (p->head_len < head_size(p)) {
                continue;
            }
            event = begin_payload(p);
        } else {
            pos += take_payload(p, data + pos, len - pos);
        }
        if (event == PH_WS_GOT_NOTHING && p->in_payload && !p->left) {
            event = end_frame(p);
        }
    }
    *used = pos;
    return event;
}

size_t ph_ws_write_head(
        uint8_t out[PH_WS_MAX_HEAD], enum ph_ws_opcode opcode, uint64_t len)
{
    out[0] = (uint8_t)(FIN | opcode);
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    size_t bytes = len <= UINT16_MAX ? 2 : 8;
    out[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++) {
        out[2 + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
    }
    return 2 + bytes;
}
