/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/hxfr_ext.h"

#include <string.h>

enum {
    HELLO_SIZE = 17,
    SURFACE_SIZE = 24,
    REGION_SIZE = 8,
    SLOTS_SIZE = 28,
    SLOTS_REGION_SIZE = SLOTS_SIZE + 16,
    CHECKSUM_SIZE = 12,
};

bool ph_hxfr_parse_hello(
        const uint8_t *payload, size_t len, struct ph_hxfr_hello *out)
{
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_hello h = {0};
    h.version = ph_read_u16(&r);
    h.max_window = ph_read_u16(&r);
    h.capabilities = ph_read_u32(&r);
    h.nonce = ph_read_u64(&r);
    uint8_t name_len = ph_read_u8(&r);
    const uint8_t *name = ph_read_bytes(&r, name_len);
    if (!name || name_len > PH_HXFR_MAX_NAME || h.version < 1 ||
            h.max_window < 1 || h.max_window > PH_HXFR_MAX_WINDOW) {
        return false;
    }
    for (size_t i = 0; i < name_len; i++) {
        h.name[i] = name[i] < 0x20 || name[i] == 0x7f ? '?' : (char)name[i];
    }
    if (ph_reader_left(&r) >= REGION_SIZE) {
        h.region = ph_read_u64(&r);
    }
    *out = h;
    return true;
}

void ph_hxfr_write_hello(struct ph_writer *w, uint8_t type, uint16_t session,
        const struct ph_hxfr_hello *hello)
{
    size_t name_len = strnlen(hello->name, PH_HXFR_MAX_NAME);
    ph_hxfr_begin(w, type, session,
            HELLO_SIZE + name_len + (hello->region ? REGION_SIZE : 0));
    ph_write_u16(w, hello->version);
    ph_write_u16(w, hello->max_window);
    ph_write_u32(w, hello->capabilities);
    ph_write_u64(w, hello->nonce);
    ph_write_u8(w, (uint8_t)name_len);
    ph_write_bytes(w, hello->name, name_len);
    if (hello->region) {
        ph_write_u64(w, hello->region);
    }
}

bool ph_hxfr_parse_surface(
        const uint8_t *payload, size_t len, struct ph_hxfr_surface *out)
{
    if (len != SURFACE_SIZE) {
        return false;
    }
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_surface s = {0};
    s.sequence = ph_read_u32(&r);
    s.stream_id = ph_read_u32(&r);
    s.width = ph_read_u32(&r);
    s.height = ph_read_u32(&r);
    s.format = ph_read_u32(&r);
    s.colour.matrix = ph_read_u8(&r);
    s.colour.primaries = ph_read_u8(&r);
    s.colour.transfer = ph_read_u8(&r);
    s.colour.full_range = ph_read_u8(&r) != 0;
    struct ph_hxfr_layout unused;
    if (s.width > PH_HXFR_MAX_SIDE ||
            !ph_hxfr_layout(s.format, s.width, s.height,
                    s.format == PH_HXFR_NV12 ? s.width : s.width * 4,
                    &unused) ||
            (s.format == PH_HXFR_NV12 && ((s.width | s.height) & 1))) {
        return false;
    }
    *out = s;
    return true;
}

void ph_hxfr_write_surface(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_surface *surface)
{
    ph_hxfr_begin(w, PH_HXFR_SURFACE, session, SURFACE_SIZE);
    ph_write_u32(w, surface->sequence);
    ph_write_u32(w, surface->stream_id);
    ph_write_u32(w, surface->width);
    ph_write_u32(w, surface->height);
    ph_write_u32(w, surface->format);
    ph_write_u8(w, surface->colour.matrix);
    ph_write_u8(w, surface->colour.primaries);
    ph_write_u8(w, surface->colour.transfer);
    ph_write_u8(w, surface->colour.full_range);
}

static bool in_region(const struct ph_hxfr_slots *s)
{
    return s->place == PH_HXFR_SLOTS_IVSHMEM || s->place == PH_HXFR_SLOTS_FILE;
}

/* Whether a picture of the surface fits into a slot as it is laid out. */
static bool holds(
        const struct ph_hxfr_slots *s, const struct ph_hxfr_surface *surface)
{
    bool nv12 = surface->format == PH_HXFR_NV12;
    uint64_t row = nv12 ? surface->width : (uint64_t)surface->width * 4;
    uint64_t end0 = s->offset[0] + (uint64_t)s->stride[0] * surface->height;
    uint64_t end1 = s->offset[1] + (uint64_t)s->stride[1] * surface->height / 2;
    if (s->stride[0] < row || end0 > s->slot_size) {
        return false;
    }
    return !nv12 ||
            (s->stride[1] >= row && end1 <= s->slot_size &&
                    s->offset[1] >= end0);
}

bool ph_hxfr_parse_slots(const uint8_t *payload, size_t len,
        const struct ph_hxfr_surface *surface, struct ph_hxfr_slots *out)
{
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_slots s = {0};
    s.sequence = ph_read_u32(&r);
    s.count = ph_read_u8(&r);
    s.place = ph_read_u8(&r);
    ph_read_bytes(&r, 2);
    s.stride[0] = ph_read_u32(&r);
    s.stride[1] = ph_read_u32(&r);
    s.offset[0] = ph_read_u32(&r);
    s.offset[1] = ph_read_u32(&r);
    s.slot_size = ph_read_u32(&r);
    if (in_region(&s)) {
        s.offset_in_region = ph_read_u64(&r);
        s.nonce = ph_read_u64(&r);
    }
    if (!r.ok || ph_reader_left(&r) || s.place > PH_HXFR_SLOTS_NONE ||
            s.count < 1 || s.count > PH_HXFR_MAX_SLOTS ||
            s.slot_size > PH_HXFR_MAX_PAYLOAD ||
            s.offset_in_region % PH_HXFR_REGION_PAGE ||
            s.offset_in_region > INT64_MAX || !holds(&s, surface)) {
        return false;
    }
    *out = s;
    return true;
}

void ph_hxfr_write_slots(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_slots *slots)
{
    ph_hxfr_begin(w, PH_HXFR_SLOTS, session,
            in_region(slots) ? SLOTS_REGION_SIZE : SLOTS_SIZE);
    ph_write_u32(w, slots->sequence);
    ph_write_u8(w, slots->count);
    ph_write_u8(w, slots->place);
    ph_write_zeros(w, 2);
    ph_write_u32(w, slots->stride[0]);
    ph_write_u32(w, slots->stride[1]);
    ph_write_u32(w, slots->offset[0]);
    ph_write_u32(w, slots->offset[1]);
    ph_write_u32(w, slots->slot_size);
    if (in_region(slots)) {
        ph_write_u64(w, slots->offset_in_region);
        ph_write_u64(w, slots->nonce);
    }
}

bool ph_hxfr_parse_access_unit(const uint8_t fixed[PH_HXFR_ACCESS_UNIT_SIZE],
        struct ph_hxfr_access_unit *out)
{
    struct ph_reader r = ph_reader(fixed, PH_HXFR_ACCESS_UNIT_SIZE);
    out->sequence = ph_read_u32(&r);
    out->pts = (int64_t)ph_read_u64(&r);
    out->flags = ph_read_u32(&r);
    out->receive_us = ph_read_u32(&r);
    out->wait_us = ph_read_u32(&r);
    out->encode_us = ph_read_u32(&r);
    return r.ok;
}

void ph_hxfr_write_access_unit(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_access_unit *au, uint32_t size)
{
    ph_hxfr_begin(w, PH_HXFR_ACCESS_UNIT, session,
            PH_HXFR_ACCESS_UNIT_SIZE + (size_t)size);
    ph_write_u32(w, au->sequence);
    ph_write_u64(w, (uint64_t)au->pts);
    ph_write_u32(w, au->flags);
    ph_write_u32(w, au->receive_us);
    ph_write_u32(w, au->wait_us);
    ph_write_u32(w, au->encode_us);
}

bool ph_hxfr_parse_failure(
        const uint8_t *payload, size_t len, struct ph_hxfr_failure *out)
{
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_failure f = {0};
    f.sequence = ph_read_u32(&r);
    f.code = (int32_t)ph_read_u32(&r);
    size_t text_len = ph_reader_left(&r);
    const uint8_t *text = ph_read_bytes(&r, text_len);
    if (!text || text_len >= sizeof(f.text)) {
        return false;
    }
    memcpy(f.text, text, text_len);
    *out = f;
    return true;
}

void ph_hxfr_write_failure(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_failure *failure)
{
    size_t text_len = strnlen(failure->text, sizeof(failure->text) - 1);
    ph_hxfr_begin(w, PH_HXFR_FAILURE, session, 8 + text_len);
    ph_write_u32(w, failure->sequence);
    ph_write_u32(w, (uint32_t)failure->code);
    ph_write_bytes(w, failure->text, text_len);
}

bool ph_hxfr_parse_timed(const uint8_t *payload, size_t len, uint64_t *token)
{
    if (len != 8) {
        return false;
    }
    *token = ph_load_u64(payload);
    return true;
}

void ph_hxfr_write_timed(
        struct ph_writer *w, uint8_t type, uint16_t session, uint64_t token)
{
    ph_hxfr_begin(w, type, session, 8);
    ph_write_u64(w, token);
}

bool ph_hxfr_parse_checksum(
        const uint8_t *payload, size_t len, struct ph_hxfr_checksum *out)
{
    if (len != CHECKSUM_SIZE) {
        return false;
    }
    out->sequence = ph_load_u32(payload);
    out->sum = ph_load_u64(payload + 4);
    return true;
}

void ph_hxfr_write_checksum(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_checksum *checksum)
{
    ph_hxfr_begin(w, PH_HXFR_CHECKSUM, session, CHECKSUM_SIZE);
    ph_write_u32(w, checksum->sequence);
    ph_write_u64(w, checksum->sum);
}

bool ph_hxfr_parse_reset(
        const uint8_t *payload, size_t len, struct ph_hxfr_reset *out)
{
    struct ph_reader r = ph_reader(payload, len);
    struct ph_hxfr_reset reset = {.nonce = ph_read_u64(&r)};
    reset.phase = ph_read_u32(&r);
    if (!r.ok || ph_reader_left(&r) || reset.phase > PH_HXFR_RESET_NEWS) {
        return false;
    }
    *out = reset;
    return true;
}

void ph_hxfr_write_reset(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_reset *reset)
{
    ph_hxfr_begin(w, PH_HXFR_RESET, session,
            PH_HXFR_RESET_SIZE - PH_HXFR_HEADER_SIZE);
    ph_write_u64(w, reset->nonce);
    ph_write_u32(w, reset->phase);
}
