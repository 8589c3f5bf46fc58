/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest <-> host frame protocol (HXFR), version 1: bytes to structs and
 * back. Pure: no I/O, no allocation, no logging. Layout and state machine:
 * docs/protocol.md, "Frame protocol"; truth: tests/golden/hxfr-*.hex. What is
 * ours on top of version 1 is in hxfr_ext.h.
 *
 * Parsers take the whole payload (or its fixed part, where pixels follow) and
 * write *out only when they return true. Writers append a whole message, or
 * header and fixed part where bytes of the caller follow.
 *
 * Units: pts, dts and duration in ns, bit rates in bit/s, strides in bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

#define PH_HXFR_MAGIC UINT32_C(0x52465848)
#define PH_HXFR_HEADER_SIZE 12
#define PH_HXFR_FRAME_REQUEST_SIZE 44
#define PH_HXFR_FRAME_RESPONSE_SIZE 24
#define PH_HXFR_CONFIG_SIZE 28
#define PH_HXFR_ERROR_SIZE 260
#define PH_HXFR_ERROR_TEXT 256

/* Limits that hold before anything is allocated. */
#define PH_HXFR_MAX_SIDE 8192
#define PH_HXFR_MAX_PAYLOAD (UINT32_C(8192) * 8192 * 4 + 65536)
#define PH_HXFR_MAX_ACCESS_UNIT (UINT32_C(32) << 20)
#define PH_HXFR_MAX_NALS 1024

enum ph_hxfr_type {
    PH_HXFR_FRAME_REQUEST = 0x01,
    PH_HXFR_FRAME_RESPONSE = 0x02,
    PH_HXFR_KEYFRAME_REQ = 0x03,
    PH_HXFR_CONFIG_REQ = 0x04,
    PH_HXFR_CONFIG_RESP = 0x05,
    PH_HXFR_PING = 0x10,
    PH_HXFR_PONG = 0x11,
    PH_HXFR_ENABLE_SCANOUT = 0x20,
    PH_HXFR_DISABLE_SCANOUT = 0x21,
    PH_HXFR_SCANOUT_RESP = 0x22,
    PH_HXFR_SUBSCRIBE = 0x30,
    PH_HXFR_SUBSCRIBE_RESP = 0x31,
    PH_HXFR_ERROR = 0xFF,
};

/* FRAME_REQUEST, header flags: the raw pixels follow the fixed part. */
#define PH_HXFR_FLAG_PIXEL_DATA 0x01

enum ph_hxfr_error {
    PH_HXFR_ERR_INVALID = -1,
    PH_HXFR_ERR_NO_RESOURCE = -2,
    PH_HXFR_ERR_BUSY = -4, /* ours: over a limit of the host */
    PH_HXFR_ERR_ENCODE = -5,
    PH_HXFR_ERR_NOT_CONFIGURED = -6,
    PH_HXFR_ERR_INTERNAL = -99,
};

enum ph_hxfr_format {
    PH_HXFR_NV12 = 0x3231564E,
    PH_HXFR_BGRA = 0x34325241, /* DRM 'AR24': bytes B, G, R, A or X */
    PH_HXFR_RGBA = 0x34324241, /* DRM 'AB24': bytes R, G, B, A or X */
};

struct ph_hxfr_header {
    uint8_t type; /* enum ph_hxfr_type, or a type not known here */
    uint8_t flags;
    uint16_t session; /* only echoed: a session is a connection */
    uint32_t payload; /* bytes after the header */
};

/* False: wrong magic, or a payload over PH_HXFR_MAX_PAYLOAD. */
bool ph_hxfr_parse_header(
        const uint8_t buf[PH_HXFR_HEADER_SIZE], struct ph_hxfr_header *out);
void ph_hxfr_write_header(
        struct ph_writer *w, const struct ph_hxfr_header *header);
/* The header of a message without flags; `payload` bytes follow. */
void ph_hxfr_begin(
        struct ph_writer *w, uint8_t type, uint16_t session, size_t payload);
/* A message without payload: KEYFRAME_REQ, PING, PONG, CONFIG_RESP. */
void ph_hxfr_write_empty(struct ph_writer *w, uint8_t type, uint16_t session);

/* How a picture lies in memory: planes[i] at offset[i], rows stride[i] bytes
 * apart. NV12 has two planes, the others one. */
struct ph_hxfr_layout {
    uint32_t planes;
    uint32_t stride[2];
    size_t offset[2];
    size_t size;
};

/* The layout that GStreamer gives a picture of this format when plane 0 has
 * this stride: NV12 heights are rounded up to 2, the chroma plane has the
 * stride of the luma plane. False: format unknown, a side 0 or over
 * PH_HXFR_MAX_SIDE, or a stride shorter than a row or over 4 times it. */
bool ph_hxfr_layout(uint32_t format, uint32_t width, uint32_t height,
        uint32_t stride, struct ph_hxfr_layout *out);

struct ph_hxfr_frame_request {
    uint32_t resource_id;
    uint32_t width;
    uint32_t height;
    uint32_t format;
    uint32_t stride;
    int64_t pts;
    int64_t duration; /* -1 unknown */
    bool force_keyframe;
    bool has_pixels;
    struct ph_hxfr_layout layout; /* parsed, only with has_pixels */
};

/* fixed: the first 44 bytes of the payload. With pixels the header's payload
 * size must be what format, size and stride imply. */
bool ph_hxfr_parse_frame_request(const struct ph_hxfr_header *header,
        const uint8_t fixed[PH_HXFR_FRAME_REQUEST_SIZE],
        struct ph_hxfr_frame_request *out);
/* The layout.size bytes of pixels follow when has_pixels. */
void ph_hxfr_write_frame_request(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame_request *req);

struct ph_hxfr_frame_response {
    int64_t pts;
    int64_t dts;
    bool keyframe;
    uint32_t nal_count;
};

bool ph_hxfr_parse_frame_response(
        const uint8_t fixed[PH_HXFR_FRAME_RESPONSE_SIZE],
        struct ph_hxfr_frame_response *out);
/* Joins the nal_count (u32 size, bytes) of a response in place: Annex B at
 * the start of buf. Returns its length, or 0 when they do not fit len. */
size_t ph_hxfr_join_nals(uint8_t *buf, size_t len, uint32_t nal_count);
/* Header, fixed part and the size of one NAL entry (28 + 12 bytes); the
 * access unit of `size` bytes follows. nal_count is 1: SUBSCRIBE viewers read
 * exactly one. */
void ph_hxfr_write_frame_response(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame_response *resp, uint32_t size);

struct ph_hxfr_config {
    uint32_t width; /* 0: keep */
    uint32_t height;
    uint32_t bitrate; /* bit/s, 0: keep */
    uint32_t fps_num; /* 0: keep */
    uint32_t fps_den;
    uint8_t profile; /* 66, 77, 100 */
    uint8_t level; /* times 10 */
    bool realtime;
};

bool ph_hxfr_parse_config(
        const uint8_t *payload, size_t len, struct ph_hxfr_config *out);
void ph_hxfr_write_config(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_config *config);

struct ph_hxfr_error_message {
    int32_t code;
    char text[PH_HXFR_ERROR_TEXT]; /* always terminated */
};

bool ph_hxfr_parse_error(
        const uint8_t *payload, size_t len, struct ph_hxfr_error_message *out);
void ph_hxfr_write_error(
        struct ph_writer *w, uint16_t session, int32_t code, const char *text);

/* SUBSCRIBE, DISABLE_SCANOUT and the id of ENABLE_SCANOUT. */
bool ph_hxfr_parse_scanout_id(
        const uint8_t *payload, size_t len, uint32_t *out);
void ph_hxfr_write_subscribe_resp(
        struct ph_writer *w, uint16_t session, uint32_t id, bool success);
/* connector: up to 63 bytes, "" when there is none. */
void ph_hxfr_write_scanout_resp(struct ph_writer *w, uint16_t session,
        uint32_t id, bool success, const char *connector);
