/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rest of the browser protocol (proto/stream.h): what makes a desktop
 * feel local besides its picture. Clipboard and files travel in pieces, so
 * that nothing waits behind them for long.
 */
#pragma once

#include "proto/stream.h"

/* --- pieces --- */

enum ph_stream_piece_flag {
    PH_STREAM_PIECE_FIRST = 1 << 0,
    PH_STREAM_PIECE_LAST = 1 << 1,
    PH_STREAM_PIECE_CANCEL = 1 << 2, /* what came before is void; no data */
};

#define PH_STREAM_MAX_CLIPBOARD (16U << 20)
#define PH_STREAM_MAX_FILE (UINT64_C(16) << 30)
#define PH_STREAM_MAX_NAME 255

/* CLIPBOARD, FILE. name, with the first piece only: a MIME type, or the name
 * of the file. */
struct ph_stream_piece {
    uint8_t flags; /* enum ph_stream_piece_flag */
    uint32_t id; /* of the file, from 1; 0 for the clipboard */
    uint64_t total; /* bytes; with the first piece only */
    char name[PH_STREAM_MAX_NAME + 1];
    const uint8_t *data; /* points into the message */
    size_t size;
};

/* Header, id, total, name: what comes before the data. */
#define PH_STREAM_PIECE_HEAD (PH_STREAM_HEADER_SIZE + 4 + 8 + 1 + 255)

/* The head only; `piece->size` bytes follow. type: CLIPBOARD or FILE. */
void ph_stream_write_piece(
        struct ph_writer *w, uint8_t type, const struct ph_stream_piece *piece);
/* False also for a total over what the type may have. */
bool ph_stream_parse_piece(
        const uint8_t *msg, size_t len, struct ph_stream_piece *out);

enum ph_stream_progress_code {
    PH_STREAM_PROGRESS_MORE = 0,
    PH_STREAM_PROGRESS_DONE = 1, /* text: the name that the file got */
    PH_STREAM_PROGRESS_FAILED = 2, /* text: why */
};

/* How far the server is with what the viewer sends in pieces: it may have
 * PH_STREAM_PIECE_WINDOW bytes on the way. */
struct ph_stream_progress {
    uint16_t code;
    uint32_t id; /* 0: the clipboard */
    uint64_t received;
    char text[PH_STREAM_MAX_TEXT + 1];
};

#define PH_STREAM_PIECE_WINDOW (128U << 10)

void ph_stream_write_progress(
        struct ph_writer *w, const struct ph_stream_progress *progress);
bool ph_stream_parse_progress(
        const uint8_t *msg, size_t len, struct ph_stream_progress *out);

/* --- the pointer --- */

#define PH_STREAM_MAX_CURSOR 256

enum ph_stream_cursor_flag {
    PH_STREAM_CURSOR_VISIBLE = 1 << 0,
    PH_STREAM_CURSOR_SHAPE = 1 << 1, /* the shape of the serial is inside */
};

struct ph_stream_cursor {
    uint8_t flags; /* enum ph_stream_cursor_flag */
    uint32_t serial; /* of the shape, 0: none yet */
    int16_t x; /* of the hotspot in the picture */
    int16_t y;
    /* With CURSOR_SHAPE. */
    uint16_t width;
    uint16_t height;
    uint16_t hot_x;
    uint16_t hot_y;
    const uint8_t *data; /* RGBA, premultiplied; points into the message */
};

#define PH_STREAM_CURSOR_HEAD 20 /* of one with a shape */

/* The head only; with CURSOR_SHAPE width * height * 4 bytes follow. */
void ph_stream_write_cursor(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_cursor *cursor);
bool ph_stream_parse_cursor(
        const uint8_t *msg, size_t len, struct ph_stream_cursor *out);

/* --- viewer to server --- */

/* By so much, 1/256 pixel. */
struct ph_stream_motion {
    int32_t dx;
    int32_t dy;
};

#define PH_STREAM_MAX_MOTION (8192 * 256)
#define PH_STREAM_MAX_FINGERS 10

struct ph_stream_touch {
    uint8_t what; /* enum ph_input_touch: down, move, up, cancel */
    uint16_t finger;
    struct ph_stream_pointer at; /* not with up and cancel */
};

struct ph_stream_locks {
    bool caps;
    bool num;
};

#define PH_STREAM_MIN_SIDE 64
#define PH_STREAM_MAX_SIDE 8192
#define PH_STREAM_MIN_SCALE 60 /* half */
#define PH_STREAM_MAX_SCALE 960

struct ph_stream_resize {
    uint16_t width; /* 0: the viewer does not mind any more */
    uint16_t height;
    uint16_t scale; /* 1/120 */
};

#define PH_STREAM_MAX_TYPED 1024 /* bytes */

/* True for UTF-8 without control characters but newline and tab. */
bool ph_stream_is_text(const uint8_t *text, size_t len);

/* *text points into the message. */
bool ph_stream_parse_text(
        const uint8_t *msg, size_t len, const char **text, size_t *size);
bool ph_stream_parse_motion(
        const uint8_t *msg, size_t len, struct ph_stream_motion *out);
bool ph_stream_parse_touch(
        const uint8_t *msg, size_t len, struct ph_stream_touch *out);
bool ph_stream_parse_locks(
        const uint8_t *msg, size_t len, struct ph_stream_locks *out);
bool ph_stream_parse_resize(
        const uint8_t *msg, size_t len, struct ph_stream_resize *out);

void ph_stream_write_typed(
        struct ph_writer *w, uint16_t stream, const char *text, size_t size);
void ph_stream_write_motion(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_motion *motion);
void ph_stream_write_touch(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_touch *touch);
void ph_stream_write_locks(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_locks *locks);
void ph_stream_write_resize(struct ph_writer *w, uint16_t stream,
        const struct ph_stream_resize *resize);
