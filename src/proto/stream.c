/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/stream.h"

#include <string.h>

#include "proto/stream_private.h"

enum {
    FLAG_PRESSED = 1,
    FLAG_SMOOTH = 1,
    KEY_LIMIT = 0x300, /* KEY_CNT */
};

bool ph_stream_parse_header(
        const uint8_t *msg, size_t len, struct ph_stream_header *out)
{
    if (len < PH_STREAM_HEADER_SIZE) {
        return false;
    }
    *out = (struct ph_stream_header){msg[0], msg[1], ph_load_u16(msg + 2)};
    return true;
}

void ph_stream_write_empty(struct ph_writer *w, uint8_t type, uint16_t stream)
{
    ph_stream_begin(w, type, 0, stream);
}

void ph_stream_write_welcome(
        struct ph_writer *w, const struct ph_stream_welcome *welcome)
{
    ph_stream_begin(w, PH_STREAM_WELCOME, 0, 0);
    ph_write_u16(w, welcome->version);
    ph_write_u16(w, welcome->role);
    ph_stream_write_text(w, welcome->name);
}

bool ph_stream_parse_welcome(
        const uint8_t *msg, size_t len, struct ph_stream_welcome *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_welcome v = {0};
    v.version = ph_read_u16(&r);
    v.role = ph_read_u16(&r);
    ph_stream_read_text(&r, v.name);
    if (!r.ok) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_config(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_config *config)
{
    ph_stream_begin(w, PH_STREAM_CONFIG, 0, stream);
    ph_write_u16(w, config->width);
    ph_write_u16(w, config->height);
    ph_stream_write_text(w, config->codec);
}

bool ph_stream_parse_config(
        const uint8_t *msg, size_t len, struct ph_stream_config *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_config v = {0};
    v.width = ph_read_u16(&r);
    v.height = ph_read_u16(&r);
    ph_stream_read_text(&r, v.codec);
    if (!r.ok || !v.width || !v.height) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_frame(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_frame *frame)
{
    ph_stream_begin(w, PH_STREAM_FRAME, frame->flags, stream);
    ph_write_u32(w, frame->sequence);
    ph_write_u64(w, frame->captured_us);
    ph_write_u64(w, frame->sent_us);
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        ph_write_u32(w, frame->stage_us[i]);
    }
}

bool ph_stream_parse_frame(
        const uint8_t *msg, size_t len, struct ph_stream_frame *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_frame v = {0};
    v.sequence = ph_read_u32(&r);
    v.captured_us = ph_read_u64(&r);
    v.sent_us = ph_read_u64(&r);
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        v.stage_us[i] = ph_read_u32(&r);
    }
    v.size = ph_reader_left(&r);
    v.data = ph_read_bytes(&r, v.size);
    if (!r.ok || !v.size) {
        return false;
    }
    v.flags = msg[1];
    *out = v;
    return true;
}

static void write_u64_message(
        struct ph_writer *w, uint8_t type, uint16_t stream, uint64_t v)
{
    ph_stream_begin(w, type, 0, stream);
    ph_write_u64(w, v);
}

static bool parse_u64_message(const uint8_t *msg, size_t len, uint64_t *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    uint64_t v = ph_read_u64(&r);
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_unchanged(
        struct ph_writer *w, uint16_t stream, uint64_t now_us)
{
    write_u64_message(w, PH_STREAM_UNCHANGED, stream, now_us);
}

bool ph_stream_parse_unchanged(const uint8_t *msg, size_t len, uint64_t *now_us)
{
    return parse_u64_message(msg, len, now_us);
}

void ph_stream_write_ping(struct ph_writer *w, uint64_t token)
{
    write_u64_message(w, PH_STREAM_PING, 0, token);
}

bool ph_stream_parse_ping(const uint8_t *msg, size_t len, uint64_t *token)
{
    return parse_u64_message(msg, len, token);
}

void ph_stream_write_pong(
        struct ph_writer *w, const struct ph_stream_pong *pong)
{
    ph_stream_begin(w, PH_STREAM_PONG, 0, 0);
    ph_write_u64(w, pong->token);
    ph_write_u64(w, pong->server_us);
}

bool ph_stream_parse_pong(
        const uint8_t *msg, size_t len, struct ph_stream_pong *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_pong v = {ph_read_u64(&r), 0};
    v.server_us = ph_read_u64(&r);
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_notice(struct ph_writer *w, uint8_t type,
        const struct ph_stream_notice *notice)
{
    ph_stream_begin(w, type, 0, 0);
    ph_write_u16(w, notice->code);
    ph_stream_write_text(w, notice->text);
}

bool ph_stream_parse_notice(
        const uint8_t *msg, size_t len, struct ph_stream_notice *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_notice v = {0};
    v.code = ph_read_u16(&r);
    ph_stream_read_text(&r, v.text);
    if (!r.ok) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_auth(
        struct ph_writer *w, const struct ph_stream_auth *auth)
{
    size_t n = strnlen(auth->token, PH_STREAM_MAX_TOKEN);
    ph_stream_begin(w, PH_STREAM_AUTH, 0, 0);
    ph_write_u8(w, (uint8_t)n);
    ph_write_bytes(w, auth->token, n);
}

bool ph_stream_parse_auth(
        const uint8_t *msg, size_t len, struct ph_stream_auth *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    uint8_t n = ph_read_u8(&r);
    const uint8_t *token = ph_read_bytes(&r, n);
    if (!ph_stream_at_end(&r) || n < 1 || n > PH_STREAM_MAX_TOKEN ||
            memchr(token, 0, n)) {
        return false;
    }
    memcpy(out->token, token, n);
    out->token[n] = 0;
    return true;
}

static void write_press(struct ph_writer *w, uint8_t type, uint16_t stream,
        uint16_t code, bool pressed)
{
    ph_stream_begin(w, type, pressed ? FLAG_PRESSED : 0, stream);
    ph_write_u16(w, code);
}

static bool parse_press(
        const uint8_t *msg, size_t len, uint16_t *code, bool *pressed)
{
    struct ph_reader r = ph_stream_body(msg, len);
    uint16_t v = ph_read_u16(&r);
    if (!ph_stream_at_end(&r) || v == 0 || v >= KEY_LIMIT) {
        return false;
    }
    *code = v;
    *pressed = msg[1] & FLAG_PRESSED;
    return true;
}

void ph_stream_write_key(
        struct ph_writer *w, uint16_t stream, const struct ph_stream_key *key)
{
    write_press(w, PH_STREAM_KEY, stream, key->code, key->pressed);
}

bool ph_stream_parse_key(
        const uint8_t *msg, size_t len, struct ph_stream_key *out)
{
    return parse_press(msg, len, &out->code, &out->pressed);
}

void ph_stream_write_button(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_button *button)
{
    write_press(w, PH_STREAM_BUTTON, stream, button->code, button->pressed);
}

bool ph_stream_parse_button(
        const uint8_t *msg, size_t len, struct ph_stream_button *out)
{
    return parse_press(msg, len, &out->code, &out->pressed);
}

void ph_stream_write_pointer(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_pointer *pointer)
{
    ph_stream_begin(w, PH_STREAM_POINTER, 0, stream);
    ph_write_u16(w, pointer->x);
    ph_write_u16(w, pointer->y);
    ph_write_u16(w, pointer->width);
    ph_write_u16(w, pointer->height);
}

bool ph_stream_parse_pointer(
        const uint8_t *msg, size_t len, struct ph_stream_pointer *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_pointer v = {0};
    v.x = ph_read_u16(&r);
    v.y = ph_read_u16(&r);
    v.width = ph_read_u16(&r);
    v.height = ph_read_u16(&r);
    if (!ph_stream_at_end(&r) || v.x >= v.width || v.y >= v.height) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_wheel(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_wheel *wheel)
{
    ph_stream_begin(
            w, PH_STREAM_WHEEL, wheel->smooth ? FLAG_SMOOTH : 0, stream);
    ph_write_u16(w, (uint16_t)wheel->dx);
    ph_write_u16(w, (uint16_t)wheel->dy);
}

bool ph_stream_parse_wheel(
        const uint8_t *msg, size_t len, struct ph_stream_wheel *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    int16_t dx = (int16_t)ph_read_u16(&r);
    int16_t dy = (int16_t)ph_read_u16(&r);
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    *out = (struct ph_stream_wheel){msg[1] & FLAG_SMOOTH, dx, dy};
    return true;
}

void ph_stream_write_ack(
        struct ph_writer *w, uint16_t stream, const struct ph_stream_ack *ack)
{
    ph_stream_begin(w, PH_STREAM_ACK, 0, stream);
    ph_write_u32(w, ack->sequence);
    ph_write_u32(w, ack->decode_us);
    ph_write_u32(w, ack->present_us);
}

bool ph_stream_parse_ack(
        const uint8_t *msg, size_t len, struct ph_stream_ack *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    struct ph_stream_ack v = {0};
    v.sequence = ph_read_u32(&r);
    v.decode_us = ph_read_u32(&r);
    v.present_us = ph_read_u32(&r);
    if (!ph_stream_at_end(&r)) {
        return false;
    }
    *out = v;
    return true;
}

void ph_stream_write_settings(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_settings *settings)
{
    ph_stream_begin(w, PH_STREAM_SETTINGS, settings->flags, stream);
    ph_write_u16(w, settings->fps);
}

bool ph_stream_parse_settings(
        const uint8_t *msg, size_t len, struct ph_stream_settings *out)
{
    struct ph_reader r = ph_stream_body(msg, len);
    uint16_t fps = ph_read_u16(&r);
    if (!ph_stream_at_end(&r) || fps > PH_STREAM_MAX_FPS) {
        return false;
    }
    *out = (struct ph_stream_settings){msg[1], fps};
    return true;
}
