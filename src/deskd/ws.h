/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WebSocket framing (RFC 6455), the server's side: masked bytes of a client
 * in, whole messages out. Pure and without allocation: a client's message
 * can never take more than the buffer here, however many fragments it comes
 * in. (libsoup 3.2 does the HTTP handshake only: it puts no bound on a
 * fragmented message, and copies what it sends.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/stream.h"

#define PH_WS_MAX_HEAD 10 /* of a frame that a server sends */
#define PH_WS_MAX_CONTROL 125

enum ph_ws_opcode {
    PH_WS_CONTINUE = 0,
    PH_WS_TEXT = 1,
    PH_WS_BINARY = 2,
    PH_WS_CLOSE = 8,
    PH_WS_PING = 9,
    PH_WS_PONG = 10,
};

/* Close codes, RFC 6455 7.4.1. */
enum ph_ws_code {
    PH_WS_NORMAL = 1000,
    PH_WS_GOING_AWAY = 1001,
    PH_WS_PROTOCOL_ERROR = 1002,
    PH_WS_UNSUPPORTED = 1003,
    PH_WS_POLICY = 1008,
    PH_WS_TOO_BIG = 1009,
};

enum ph_ws_event {
    PH_WS_GOT_NOTHING, /* all bytes used, no message yet */
    PH_WS_GOT_MESSAGE, /* message[0..message_len) */
    PH_WS_GOT_PING, /* control[0..control_len) */
    PH_WS_GOT_CLOSE,
    PH_WS_FAILED, /* close with `code`, read no further */
};

/* All zero is the start. */
struct ph_ws_parser {
    uint8_t message[PH_STREAM_MAX_CLIENT_MESSAGE];
    size_t message_len;
    uint8_t control[PH_WS_MAX_CONTROL];
    size_t control_len;
    uint16_t code; /* enum ph_ws_code, on PH_WS_FAILED */

    uint8_t head[14];
    size_t head_len;
    uint64_t left; /* payload bytes to come */
    uint32_t at; /* of the payload, for the mask */
    bool in_payload;
    bool in_message; /* a fragment came, the last one did not */
};

/* Takes bytes until something is whole; *used says how many. To be called
 * again while it returns anything but PH_WS_GOT_NOTHING. */
enum ph_ws_event ph_ws_parse(
        struct ph_ws_parser *p, const uint8_t *data, size_t len, size_t *used);

/* The head of an unfragmented server frame; returns its length. */
size_t ph_ws_write_head(
        uint8_t out[PH_WS_MAX_HEAD], enum ph_ws_opcode opcode, uint64_t len);
