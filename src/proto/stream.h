/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The browser protocol: what porthole-deskd and a viewer (the web page, or
 * `porthole stream`) say over one WebSocket, subprotocol "porthole.1". A
 * binary WebSocket message is one message here. Pure, like hxfr.h. Layout:
 * docs/protocol.md, "Browser protocol"; truth: tests/golden/stream-*.hex, read
 * by the tests of this file and of web/protocol.js alike.
 *
 * Every message begins with type, flags and stream id (4 bytes); types not
 * known are skipped. Times are µs of the server's monotonic clock unless said
 * otherwise. Sizes are pixels. Clipboard, cursor, files and the rarer kinds
 * of input are in proto/stream_seat.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

#define PH_STREAM_SUBPROTOCOL "porthole.1"
#define PH_STREAM_VERSION 1
#define PH_STREAM_HEADER_SIZE 4
#define PH_STREAM_MAX_TOKEN 128
#define PH_STREAM_MAX_TEXT 255
/* What a viewer may send in one message; before it said who it is. */
#define PH_STREAM_MAX_CLIENT_MESSAGE 4096

enum ph_stream_type {
    /* server to viewer */
    PH_STREAM_WELCOME = 0x01,
    PH_STREAM_CONFIG = 0x02,
    PH_STREAM_FRAME = 0x03,
    PH_STREAM_UNCHANGED = 0x04,
    PH_STREAM_PONG = 0x05,
    PH_STREAM_STATUS = 0x06,
    PH_STREAM_GOODBYE = 0x07,
    PH_STREAM_PROGRESS = 0x08,
    PH_STREAM_AUDIO = 0x10, /* reserved */
    PH_STREAM_CURSOR = 0x11,
    PH_STREAM_CLIPBOARD = 0x12, /* both ways */
    /* viewer to server */
    PH_STREAM_AUTH = 0x80,
    PH_STREAM_KEY = 0x81,
    PH_STREAM_POINTER = 0x82,
    PH_STREAM_BUTTON = 0x83,
    PH_STREAM_WHEEL = 0x84,
    PH_STREAM_RELEASE_ALL = 0x85,
    PH_STREAM_PING = 0x86,
    PH_STREAM_ACK = 0x87,
    PH_STREAM_KEYFRAME = 0x88,
    PH_STREAM_SETTINGS = 0x89,
    PH_STREAM_TEXT = 0x8a,
    PH_STREAM_MOTION = 0x8b,
    PH_STREAM_TOUCH = 0x8c,
    PH_STREAM_LOCKS = 0x8d,
    PH_STREAM_HELD = 0x8e,
    PH_STREAM_RESIZE = 0x8f,
    PH_STREAM_FILE = 0x90,
};

struct ph_stream_header {
    uint8_t type;
    uint8_t flags;
    uint16_t stream;
};

/* False: shorter than a header. */
bool ph_stream_parse_header(
        const uint8_t *msg, size_t len, struct ph_stream_header *out);

/* --- server to viewer --- */

enum ph_stream_role {
    PH_STREAM_MAY_DRIVE = 1 << 0, /* else view only, and none of these: */
    PH_STREAM_MAY_CLIPBOARD = 1 << 1,
    PH_STREAM_MAY_TEXT = 1 << 2,
    PH_STREAM_MAY_MOTION = 1 << 3,
    PH_STREAM_MAY_TOUCH = 1 << 4,
    PH_STREAM_MAY_RESIZE = 1 << 5,
    PH_STREAM_MAY_FILE = 1 << 6,
};

struct ph_stream_welcome {
    uint16_t version;
    uint16_t role;
    char name[PH_STREAM_MAX_TEXT + 1]; /* of the desktop, UTF-8 */
};

/* A frame of another size or codec than before follows. */
struct ph_stream_config {
    uint16_t width;
    uint16_t height;
    char codec[PH_STREAM_MAX_TEXT + 1]; /* for VideoDecoder.configure */
};

enum ph_stream_frame_flag {
    PH_STREAM_FRAME_KEY = 1 << 0,
    PH_STREAM_FRAME_REPEAT = 1 << 1, /* the picture did not change */
};

/* A frame's way in the server; the stages add up to sent - captured. */
enum ph_stream_stage {
    PH_STREAM_STAGE_CAPTURE, /* compositor's time stamp to pixels in hand */
    PH_STREAM_STAGE_CONVERT, /* compare and convert */
    PH_STREAM_STAGE_SUBMIT, /* hand over to the link */
    PH_STREAM_STAGE_LINK, /* round trip to the host less the next two */
    PH_STREAM_STAGE_WAIT, /* in the host before the encoder */
    PH_STREAM_STAGE_ENCODE,
    PH_STREAM_STAGE_QUEUE, /* access unit in hand to WebSocket */
    PH_STREAM_STAGES,
};

struct ph_stream_frame {
    uint8_t flags; /* enum ph_stream_frame_flag */
    uint32_t sequence;
    uint64_t captured_us;
    uint64_t sent_us;
    uint32_t stage_us[PH_STREAM_STAGES];
    const uint8_t *data; /* the access unit: points into the message */
    size_t size;
};

#define PH_STREAM_FRAME_SIZE 52

enum ph_stream_status {
    PH_STREAM_STATUS_OK = 0,
    PH_STREAM_STATUS_NO_HOST = 1, /* the encoding host is away */
    PH_STREAM_STATUS_NO_FRAME = 2, /* the desktop gave no picture yet */
    PH_STREAM_STATUS_NO_DESKTOP = 3, /* the compositor is away */
};

enum ph_stream_goodbye {
    PH_STREAM_BAD_TOKEN = 1,
    PH_STREAM_BAD_MESSAGE = 2,
    PH_STREAM_TOO_MANY = 3,
    PH_STREAM_SESSION_OVER = 4,
};

/* STATUS and GOODBYE: a code and a text for people. */
struct ph_stream_notice {
    uint16_t code;
    char text[PH_STREAM_MAX_TEXT + 1];
};

struct ph_stream_pong {
    uint64_t token; /* of the PING */
    uint64_t server_us; /* when it was answered */
};

void ph_stream_write_welcome(
        struct ph_writer *w, const struct ph_stream_welcome *welcome);
void ph_stream_write_config(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_config *config);
/* The head only; `frame->size` bytes of access unit follow. */
void ph_stream_write_frame(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_frame *frame);
/* The screen is as it was: at this time there was nothing new. */
void ph_stream_write_unchanged(
        struct ph_writer *w, uint16_t stream, uint64_t now_us);
void ph_stream_write_pong(
        struct ph_writer *w, const struct ph_stream_pong *pong);
/* type: PH_STREAM_STATUS or PH_STREAM_GOODBYE. */
void ph_stream_write_notice(struct ph_writer *w, uint8_t type,
        const struct ph_stream_notice *notice);

bool ph_stream_parse_welcome(
        const uint8_t *msg, size_t len, struct ph_stream_welcome *out);
bool ph_stream_parse_config(
        const uint8_t *msg, size_t len, struct ph_stream_config *out);
bool ph_stream_parse_frame(
        const uint8_t *msg, size_t len, struct ph_stream_frame *out);
bool ph_stream_parse_unchanged(
        const uint8_t *msg, size_t len, uint64_t *now_us);
bool ph_stream_parse_pong(
        const uint8_t *msg, size_t len, struct ph_stream_pong *out);
bool ph_stream_parse_notice(
        const uint8_t *msg, size_t len, struct ph_stream_notice *out);

/* --- viewer to server --- */

struct ph_stream_auth {
    char token[PH_STREAM_MAX_TOKEN + 1];
};

struct ph_stream_key {
    uint16_t code; /* Linux evdev, linux/input-event-codes.h */
    bool pressed;
};

/* In pixels of a picture of the given size, as the viewer knows it; the
 * server scales to the size that the desktop has now. */
struct ph_stream_pointer {
    uint16_t x;
    uint16_t y;
    uint16_t width;
    uint16_t height;
};

struct ph_stream_button {
    uint16_t code; /* BTN_LEFT 0x110 … */
    bool pressed;
};

/* 120 is one detent, positive is down and right. */
struct ph_stream_wheel {
    bool smooth; /* a touchpad: no detents */
    int16_t dx;
    int16_t dy;
};

/* The newest frame that was presented, and how long its way in the viewer
 * took from the arrival of the message: for the server's statistics. */
struct ph_stream_ack {
    uint32_t sequence;
    uint32_t decode_us;
    uint32_t present_us;
};

enum ph_stream_setting {
    PH_STREAM_PAUSED = 1 << 0, /* send nothing until unset */
};

struct ph_stream_settings {
    uint8_t flags; /* enum ph_stream_setting */
    uint16_t fps; /* steady rate on a static screen, 0: on change only */
};

#define PH_STREAM_MAX_FPS 240

/* Each returns false on a short or oversized message, or a value out of
 * range. */
bool ph_stream_parse_auth(
        const uint8_t *msg, size_t len, struct ph_stream_auth *out);
bool ph_stream_parse_key(
        const uint8_t *msg, size_t len, struct ph_stream_key *out);
bool ph_stream_parse_pointer(
        const uint8_t *msg, size_t len, struct ph_stream_pointer *out);
bool ph_stream_parse_button(
        const uint8_t *msg, size_t len, struct ph_stream_button *out);
bool ph_stream_parse_wheel(
        const uint8_t *msg, size_t len, struct ph_stream_wheel *out);
bool ph_stream_parse_ping(const uint8_t *msg, size_t len, uint64_t *token);
bool ph_stream_parse_ack(
        const uint8_t *msg, size_t len, struct ph_stream_ack *out);
bool ph_stream_parse_settings(
        const uint8_t *msg, size_t len, struct ph_stream_settings *out);

void ph_stream_write_auth(
        struct ph_writer *w, const struct ph_stream_auth *auth);
void ph_stream_write_key(
        struct ph_writer *w, uint16_t stream, const struct ph_stream_key *key);
void ph_stream_write_pointer(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_pointer *pointer);
void ph_stream_write_button(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_button *button);
void ph_stream_write_wheel(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_wheel *wheel);
void ph_stream_write_ping(struct ph_writer *w, uint64_t token);
void ph_stream_write_ack(
        struct ph_writer *w, uint16_t stream, const struct ph_stream_ack *ack);
void ph_stream_write_settings(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_settings *settings);
/* RELEASE_ALL, KEYFRAME, HELD: nothing but the header. */
void ph_stream_write_empty(struct ph_writer *w, uint8_t type, uint16_t stream);
