/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One HXFR message, version 1 or extension, as a peer would send it. What a
 * parser accepts must keep the promises of its header: sizes that agree,
 * rectangles inside the surface, strings that end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/hxfr.h"
#include "proto/hxfr_ext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ph_hxfr_surface surface = {
        .width = 640, .height = 360, .format = PH_HXFR_NV12};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void fuzz_request(
        const struct ph_hxfr_header *header, const uint8_t *payload, size_t len)
{
    struct ph_hxfr_frame_request r;
    if (len < PH_HXFR_FRAME_REQUEST_SIZE ||
            !ph_hxfr_parse_frame_request(header, payload, &r) ||
            !r.has_pixels) {
        return;
    }
    must(PH_HXFR_FRAME_REQUEST_SIZE + r.layout.size == header->payload);
    for (uint32_t i = 0; i < r.layout.planes; i++) {
        must(r.layout.offset[i] < r.layout.size);
    }
}

static void fuzz_response(const uint8_t *payload, size_t len)
{
    struct ph_hxfr_frame_response r;
    if (len < PH_HXFR_FRAME_RESPONSE_SIZE ||
            !ph_hxfr_parse_frame_response(payload, &r)) {
        return;
    }
    size_t rest = len - PH_HXFR_FRAME_RESPONSE_SIZE;
    uint8_t *nals = malloc(rest ? rest : 1);
    must(nals != NULL);
    memcpy(nals, payload + PH_HXFR_FRAME_RESPONSE_SIZE, rest);
    must(ph_hxfr_join_nals(nals, rest, r.nal_count) <= rest);
    free(nals);
}

static void fuzz_frame(
        uint8_t type, const uint8_t *payload, size_t len, uint32_t total)
{
    struct ph_hxfr_frame f;
    if (!ph_hxfr_parse_frame(type, payload, len, total, &surface, &f)) {
        return;
    }
    must(f.rect_count <= PH_HXFR_MAX_RECTS);
    for (uint16_t i = 0; i < f.rect_count; i++) {
        struct ph_rect r = ph_hxfr_rect(&f, i);
        must(ph_hxfr_tile_fits(&r, ph_hxfr_planes(&f, i), &surface));
    }
    for (uint8_t i = 0; i < f.move_count; i++) {
        struct ph_move m = ph_hxfr_move(&f, i);
        struct ph_rect to = ph_hxfr_move_target(&m);
        must(to.x + to.width <= surface.width);
        must(to.y + to.height <= surface.height);
    }
}

static void fuzz_hello(uint8_t type, const uint8_t *payload, size_t len)
{
    struct ph_hxfr_hello hello;
    if (!ph_hxfr_parse_hello(payload, len, &hello)) {
        return;
    }
    must(memchr(hello.name, 0, sizeof(hello.name)) != NULL);
    uint8_t out[256];
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_hello(&w, type, 1, &hello);
    struct ph_hxfr_hello again;
    must(w.ok &&
            ph_hxfr_parse_hello(out + PH_HXFR_HEADER_SIZE,
                    w.len - PH_HXFR_HEADER_SIZE, &again));
    must(again.capabilities == hello.capabilities &&
            again.nonce == hello.nonce && strcmp(again.name, hello.name) == 0);
}

static void fuzz_surface(const uint8_t *payload, size_t len)
{
    struct ph_hxfr_surface s;
    if (ph_hxfr_parse_surface(payload, len, &s)) {
        must(s.width && s.width <= PH_HXFR_MAX_SIDE);
        must(s.height && s.height <= PH_HXFR_MAX_SIDE);
    }
}

static void fuzz_slots(const uint8_t *payload, size_t len)
{
    struct ph_hxfr_slots s;
    if (ph_hxfr_parse_slots(payload, len, &surface, &s)) {
        must(s.count && s.count <= PH_HXFR_MAX_SLOTS);
        must((uint64_t)s.offset[0] + (uint64_t)s.stride[0] * surface.height <=
                s.slot_size);
    }
}

/* What is only copied out, or is text. */
static void fuzz_small(uint8_t type, const uint8_t *payload, size_t len)
{
    struct ph_hxfr_config config;
    struct ph_hxfr_error_message error;
    struct ph_hxfr_failure failure;
    struct ph_hxfr_access_unit au;
    uint32_t id;
    uint64_t token;
    struct ph_hxfr_checksum checksum;
    switch (type) {
    case PH_HXFR_CONFIG_REQ:
        ph_hxfr_parse_config(payload, len, &config);
        break;
    case PH_HXFR_ERROR:
        must(!ph_hxfr_parse_error(payload, len, &error) ||
                memchr(error.text, 0, sizeof(error.text)));
        break;
    case PH_HXFR_FAILURE:
        must(!ph_hxfr_parse_failure(payload, len, &failure) ||
                memchr(failure.text, 0, sizeof(failure.text)));
        break;
    case PH_HXFR_ACCESS_UNIT:
        if (len >= PH_HXFR_ACCESS_UNIT_SIZE) {
            ph_hxfr_parse_access_unit(payload, &au);
        }
        break;
    case PH_HXFR_TIMED_PING:
    case PH_HXFR_TIMED_PONG:
        ph_hxfr_parse_timed(payload, len, &token);
        struct ph_hxfr_reset reset;
        ph_hxfr_parse_reset(payload, len, &reset);
        break;
    case PH_HXFR_CHECKSUM:
        ph_hxfr_parse_checksum(payload, len, &checksum);
        break;
    default:
        ph_hxfr_parse_scanout_id(payload, len, &id);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_hxfr_header h;
    if (size < PH_HXFR_HEADER_SIZE || !ph_hxfr_parse_header(data, &h)) {
        return 0;
    }
    must(h.payload <= PH_HXFR_MAX_PAYLOAD);
    const uint8_t *payload = data + PH_HXFR_HEADER_SIZE;
    size_t len = size - PH_HXFR_HEADER_SIZE;
    switch (h.type) {
    case PH_HXFR_FRAME_REQUEST:
        fuzz_request(&h, payload, len);
        break;
    case PH_HXFR_FRAME_RESPONSE:
        fuzz_response(payload, len);
        break;
    case PH_HXFR_HELLO:
    case PH_HXFR_HELLO_RESP:
        fuzz_hello(h.type, payload, len);
        break;
    case PH_HXFR_SURFACE:
        fuzz_surface(payload, len);
        break;
    case PH_HXFR_TILES:
    case PH_HXFR_SLOT_FRAME:
    case PH_HXFR_REPEAT:
        fuzz_frame(h.type, payload, len, h.payload);
        break;
    case PH_HXFR_SLOTS:
        fuzz_slots(payload, len);
        break;
    default:
        fuzz_small(h.type, payload, len);
        break;
    }
    return 0;
}
