/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message of the browser protocol, given to every parser: whatever its
 * type says, none may read past its end or give a string without one. What a
 * viewer sends is parsed, written and parsed again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/stream_seat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool ends(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

static void fuzz_server(const uint8_t *data, size_t size)
{
    struct ph_stream_welcome welcome;
    struct ph_stream_config config;
    struct ph_stream_frame frame;
    struct ph_stream_pong pong;
    struct ph_stream_notice notice;
    uint64_t now;
    if (ph_stream_parse_welcome(data, size, &welcome)) {
        must(ends(welcome.name, sizeof(welcome.name)));
    }
    if (ph_stream_parse_config(data, size, &config)) {
        must(ends(config.codec, sizeof(config.codec)));
    }
    if (ph_stream_parse_frame(data, size, &frame)) {
        must(frame.data >= data && frame.size <= size &&
                frame.data + frame.size <= data + size);
    }
    if (ph_stream_parse_notice(data, size, &notice)) {
        must(ends(notice.text, sizeof(notice.text)));
    }
    ph_stream_parse_pong(data, size, &pong);
    ph_stream_parse_unchanged(data, size, &now);
}

static void fuzz_viewer(const uint8_t *data, size_t size)
{
    struct ph_stream_auth auth;
    struct ph_stream_key key;
    struct ph_stream_pointer pointer;
    struct ph_stream_button button;
    struct ph_stream_wheel wheel;
    struct ph_stream_ack ack;
    struct ph_stream_settings settings;
    uint64_t token;
    uint8_t out[512];
    struct ph_writer w = ph_writer(out, sizeof(out));
    if (ph_stream_parse_auth(data, size, &auth)) {
        must(ends(auth.token, sizeof(auth.token)));
        ph_stream_write_auth(&w, &auth);
        struct ph_stream_auth again;
        must(w.ok && ph_stream_parse_auth(out, w.len, &again));
        must(strcmp(auth.token, again.token) == 0);
    }
    if (ph_stream_parse_settings(data, size, &settings)) {
        must(settings.fps <= PH_STREAM_MAX_FPS);
    }
    if (ph_stream_parse_pointer(data, size, &pointer)) {
        w = ph_writer(out, sizeof(out));
        ph_stream_write_pointer(&w, 0, &pointer);
        struct ph_stream_pointer again;
        must(w.ok && ph_stream_parse_pointer(out, w.len, &again));
        must(memcmp(&pointer, &again, sizeof(again)) == 0);
    }
    ph_stream_parse_key(data, size, &key);
    ph_stream_parse_button(data, size, &button);
    ph_stream_parse_wheel(data, size, &wheel);
    ph_stream_parse_ack(data, size, &ack);
    ph_stream_parse_ping(data, size, &token);
}

static bool inside(
        const void *part, size_t part_size, const uint8_t *data, size_t size)
{
    const uint8_t *p = part;
    return part_size == 0 ||
            (p >= data && part_size <= size && p + part_size <= data + size);
}

static void fuzz_seat(const uint8_t *data, size_t size)
{
    struct ph_stream_piece piece;
    struct ph_stream_progress progress;
    struct ph_stream_cursor cursor;
    struct ph_stream_motion motion;
    struct ph_stream_touch touch;
    struct ph_stream_locks locks;
    struct ph_stream_resize resize;
    const char *text;
    size_t text_size;
    if (ph_stream_parse_piece(data, size, &piece)) {
        must(ends(piece.name, sizeof(piece.name)));
        must(inside(piece.data, piece.size, data, size));
        must(piece.total <= PH_STREAM_MAX_FILE);
    }
    if (ph_stream_parse_progress(data, size, &progress)) {
        must(ends(progress.text, sizeof(progress.text)));
    }
    if (ph_stream_parse_cursor(data, size, &cursor) &&
            cursor.flags & PH_STREAM_CURSOR_SHAPE) {
        must(inside(cursor.data, (size_t)cursor.width * cursor.height * 4, data,
                size));
    }
    if (ph_stream_parse_text(data, size, &text, &text_size)) {
        must(text_size <= PH_STREAM_MAX_TYPED);
        must(inside(text, text_size, data, size));
    }
    if (ph_stream_parse_touch(data, size, &touch)) {
        must(touch.finger < PH_STREAM_MAX_FINGERS);
    }
    if (ph_stream_parse_resize(data, size, &resize)) {
        must(resize.width <= PH_STREAM_MAX_SIDE);
    }
    ph_stream_parse_motion(data, size, &motion);
    ph_stream_parse_locks(data, size, &locks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_stream_header header;
    must(ph_stream_parse_header(data, size, &header) ==
            (size >= PH_STREAM_HEADER_SIZE));
    fuzz_server(data, size);
    fuzz_viewer(data, size);
    fuzz_seat(data, size);
    return 0;
}
