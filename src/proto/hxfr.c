/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/hxfr.h"

#include <string.h>

bool ph_hxfr_parse_header(
        const uint8_t buf[PH_HXFR_HEADER_SIZE], struct ph_hxfr_header *out)
{
    if (ph_load_u32(buf) != PH_HXFR_MAGIC ||
            ph_load_u32(buf + 8) > PH_HXFR_MAX_PAYLOAD) {
        return false;
    }
    out->type = buf[4];
    out->flags = buf[5];
    out->session = ph_load_u16(buf + 6);
    out->payload = ph_load_u32(buf + 8);
    return true;
}

void ph_hxfr_write_header(
        struct ph_writer *w, const struct ph_hxfr_header *header)
{
    ph_write_u32(w, PH_HXFR_MAGIC);
    ph_write_u8(w, header->type);
    ph_write_u8(w, header->flags);
    ph_write_u16(w, header->session);
    ph_write_u32(w, header->payload);
}

void ph_hxfr_begin(
        struct ph_writer *w, uint8_t type, uint16_t session, size_t payload)
{
    struct ph_hxfr_header header = {type, 0, session, (uint32_t)payload};
    ph_hxfr_write_header(w, &header);
}

void ph_hxfr_write_empty(struct ph_writer *w, uint8_t type, uint16_t session)
{
    ph_hxfr_begin(w, type, session, 0);
}

bool ph_hxfr_layout(uint32_t format, uint32_t width, uint32_t height,
        uint32_t stride, struct ph_hxfr_layout *out)
{
    bool nv12 = format == PH_HXFR_NV12;
    if (!nv12 && format != PH_HXFR_BGRA && format != PH_HXFR_RGBA) {
        return false;
    }
    if (width < 1 || width > PH_HXFR_MAX_SIDE || height < 1 ||
            height > PH_HXFR_MAX_SIDE) {
        return false;
    }
    /* An odd width still has a whole (U, V) pair behind its last column. */
    uint32_t row = nv12 ? (width + 1) & ~1u : width * 4;
    if (stride < row || stride > 4 * row + 256) {
        return false;
    }
    struct ph_hxfr_layout l = {.planes = nv12 ? 2 : 1, .stride = {stride}};
    l.size = (size_t)stride * height;
    if (nv12) {
        uint32_t even = (height + 1) & ~1u;
        l.stride[1] = stride;
        l.offset[1] = (size_t)stride * even;
        l.size = l.offset[1] + (size_t)stride * (even / 2);
    }
    *out = l;
    return true;
}

bool ph_hxfr_parse_frame_request(const struct ph_hxfr_header *header,
        const uint8_t fixed[PH_HXFR_FRAME_REQUEST_SIZE],
        struct ph_hxfr_frame_request *out)
{
    if (header->payload < PH_HXFR_FRAME_REQUEST_SIZE) {
        return false;
    }
    struct ph_reader r = ph_reader(fixed, PH_HXFR_FRAME_REQUEST_SIZE);
    struct ph_hxfr_frame_request q = {0};
    q.resource_id = ph_read_u32(&r);
    q.width = ph_read_u32(&r);
    q.height = ph_read_u32(&r);
    q.format = ph_read_u32(&r);
    q.stride = ph_read_u32(&r);
    q.pts = (int64_t)ph_read_u64(&r);
    q.duration = (int64_t)ph_read_u64(&r);
    q.force_keyframe = ph_read_u8(&r) != 0;
    q.has_pixels = header->flags & PH_HXFR_FLAG_PIXEL_DATA;
    size_t pixels = header->payload - PH_HXFR_FRAME_REQUEST_SIZE;
    if (q.has_pixels) {
        if (!ph_hxfr_layout(q.format, q.width, q.height, q.stride, &q.layout) ||
                q.layout.size != pixels) {
            return false;
        }
    } else if (pixels != 0) {
        return false;
    }
    *out = q;
    return true;
}

void ph_hxfr_write_frame_request(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame_request *req)
{
    size_t pixels = req->has_pixels ? req->layout.size : 0;
    struct ph_hxfr_header header = {PH_HXFR_FRAME_REQUEST,
            req->has_pixels ? PH_HXFR_FLAG_PIXEL_DATA : 0, session,
            (uint32_t)(PH_HXFR_FRAME_REQUEST_SIZE + pixels)};
    ph_hxfr_write_header(w, &header);
    ph_write_u32(w, req->resource_id);
    ph_write_u32(w, req->width);
    ph_write_u32(w, req->height);
    ph_write_u32(w, req->format);
    ph_write_u32(w, req->stride);
    ph_write_u64(w, (uint64_t)req->pts);
    ph_write_u64(w, (uint64_t)req->duration);
    ph_write_u8(w, req->force_keyframe);
    ph_write_zeros(w, 7);
}

bool ph_hxfr_parse_frame_response(
        const uint8_t fixed[PH_HXFR_FRAME_RESPONSE_SIZE],
        struct ph_hxfr_frame_response *out)
{
    struct ph_reader r = ph_reader(fixed, PH_HXFR_FRAME_RESPONSE_SIZE);
    struct ph_hxfr_frame_response resp = {0};
    resp.pts = (int64_t)ph_read_u64(&r);
    resp.dts = (int64_t)ph_read_u64(&r);
    resp.keyframe = ph_read_u8(&r) != 0;
    ph_read_bytes(&r, 3);
    resp.nal_count = ph_read_u32(&r);
    if (resp.nal_count < 1 || resp.nal_count > PH_HXFR_MAX_NALS) {
        return false;
    }
    *out = resp;
    return true;
}

size_t ph_hxfr_join_nals(uint8_t *buf, size_t len, uint32_t nal_count)
{
    struct ph_reader r = ph_reader(buf, len);
    size_t joined = 0;
    for (uint32_t i = 0; i < nal_count; i++) {
        uint32_t size = ph_read_u32(&r);
        const uint8_t *nal = ph_read_bytes(&r, size);
        if (!nal) {
            return 0;
        }
        memmove(buf + joined, nal, size);
        joined += size;
    }
    return ph_reader_left(&r) == 0 ? joined : 0;
}

void ph_hxfr_write_frame_response(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame_response *resp, uint32_t size)
{
    ph_hxfr_begin(w, PH_HXFR_FRAME_RESPONSE, session,
            PH_HXFR_FRAME_RESPONSE_SIZE + 4 + (size_t)size);
    ph_write_u64(w, (uint64_t)resp->pts);
    ph_write_u64(w, (uint64_t)resp->dts);
    ph_write_u8(w, resp->keyframe);
    ph_write_zeros(w, 3);
    ph_write_u32(w, 1);
    ph_write_u32(w, size);
}

bool ph_hxfr_parse_config(
        const uint8_t *payload, size_t len, struct ph_hxfr_config *out)
{
    if (len != PH_HXFR_CONFIG_SIZE) {
        return false;
    }
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_config c = {0};
    c.width = ph_read_u32(&r);
    c.height = ph_read_u32(&r);
    c.bitrate = ph_read_u32(&r);
    c.fps_num = ph_read_u32(&r);
    c.fps_den = ph_read_u32(&r);
    c.profile = ph_read_u8(&r);
    c.level = ph_read_u8(&r);
    c.realtime = ph_read_u8(&r) != 0;
    if (c.width > PH_HXFR_MAX_SIDE || c.height > PH_HXFR_MAX_SIDE ||
            (c.fps_num && !c.fps_den)) {
        return false;
    }
    *out = c;
    return true;
}

void ph_hxfr_write_config(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_config *config)
{
    ph_hxfr_begin(w, PH_HXFR_CONFIG_REQ, session, PH_HXFR_CONFIG_SIZE);
    ph_write_u32(w, config->width);
    ph_write_u32(w, config->height);
    ph_write_u32(w, config->bitrate);
    ph_write_u32(w, config->fps_num);
    ph_write_u32(w, config->fps_den);
    ph_write_u8(w, config->profile);
    ph_write_u8(w, config->level);
    ph_write_u8(w, config->realtime);
    ph_write_zeros(w, 5);
}

bool ph_hxfr_parse_error(
        const uint8_t *payload, size_t len, struct ph_hxfr_error_message *out)
{
    if (len != PH_HXFR_ERROR_SIZE) {
        return false;
    }
    out->code = (int32_t)ph_load_u32(payload);
    memcpy(out->text, payload + 4, sizeof(out->text));
    out->text[sizeof(out->text) - 1] = 0;
    return true;
}

/* A text field of fixed size: cut, zero padded, always terminated. */
static void write_text(struct ph_writer *w, const char *text, size_t field)
{
    size_t n = strnlen(text, field - 1);
    ph_write_bytes(w, text, n);
    ph_write_zeros(w, field - n);
}

void ph_hxfr_write_error(
        struct ph_writer *w, uint16_t session, int32_t code, const char *text)
{
    ph_hxfr_begin(w, PH_HXFR_ERROR, session, PH_HXFR_ERROR_SIZE);
    ph_write_u32(w, (uint32_t)code);
    write_text(w, text, PH_HXFR_ERROR_TEXT);
}

bool ph_hxfr_parse_scanout_id(const uint8_t *payload, size_t len, uint32_t *out)
{
    if (len < 4) {
        return false;
    }
    *out = ph_load_u32(payload);
    return true;
}

void ph_hxfr_write_subscribe_resp(
        struct ph_writer *w, uint16_t session, uint32_t id, bool success)
{
    ph_hxfr_begin(w, PH_HXFR_SUBSCRIBE_RESP, session, 8);
    ph_write_u32(w, id);
    ph_write_u32(w, success);
}

void ph_hxfr_write_scanout_resp(struct ph_writer *w, uint16_t session,
        uint32_t id, bool success, const char *connector)
{
    enum {
        CONNECTOR = 64
    };
    ph_hxfr_begin(w, PH_HXFR_SCANOUT_RESP, session, 8 + CONNECTOR);
    ph_write_u32(w, id);
    ph_write_u32(w, success);
    write_text(w, connector, CONNECTOR);
}
