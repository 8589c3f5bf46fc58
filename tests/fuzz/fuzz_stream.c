/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message of the browser protocol, given to every parser: whatever its
 * type says, none may read past its end or give a string without one. What a
 * viewer sends is parsed, written and parsed again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/stream.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_stream_header header;
    must(ph_stream_parse_header(data, size, &header) ==
            (size >= PH_STREAM_HEADER_SIZE));
    fuzz_server(data, size);
    fuzz_viewer(data, size);
    return 0;
}
