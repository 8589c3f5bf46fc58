/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264.h"

#include <string.h>

/* The offset of the next 00 00 01 at or after pos, or size. */
static size_t find_start(const uint8_t *data, size_t size, size_t pos)
{
    while (pos + 3 <= size) {
        const uint8_t *one = memchr(data + pos + 2, 1, size - pos - 2);
        if (!one) {
            break;
        }
        if (one[-1] == 0 && one[-2] == 0) {
            return (size_t)(one - data) - 2;
        }
        pos = (size_t)(one - data) - 1;
    }
    return size;
}

bool ph_h264_next_nal(
        const uint8_t *data, size_t size, size_t *pos, struct ph_h264_nal *out)
{
    for (;;) {
        size_t start = find_start(data, size, *pos);
        if (start + 3 >= size) {
            *pos = size;
            return false;
        }
        start += 3;
        size_t end = find_start(data, size, start);
        *pos = end;
        while (end > start && data[end - 1] == 0) {
            end--; /* trailing_zero_8bits, or those of a long start code */
        }
        if (end > start) {
            *out = (struct ph_h264_nal){
                    data + start, end - start, data[start] & 31};
            return true;
        }
    }
}

void ph_h264_codec_text(
        const struct ph_h264_sps *sps, char out[PH_H264_CODEC_TEXT])
{
    static const char hex[] = "0123456789ABCDEF";
    const uint8_t parts[] = {sps->profile, sps->constraints, sps->level};
    memcpy(out, "avc1.", 5);
    for (size_t i = 0; i < sizeof(parts); i++) {
        out[5 + 2 * i] = hex[parts[i] >> 4];
        out[6 + 2 * i] = hex[parts[i] & 15];
    }
    out[PH_H264_CODEC_TEXT - 1] = 0;
}

bool ph_h264_inspect(const uint8_t *data, size_t size, struct ph_h264_unit *out)
{
    struct ph_h264_unit u = {0};
    struct ph_h264_nal nal;
    size_t pos = 0;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        switch (nal.type) {
        case PH_H264_IDR:
            u.idr = true;
            u.slices++;
            break;
        case PH_H264_SLICE:
            u.slices++;
            break;
        case PH_H264_SPS:
            if (!u.has_sps) {
                u.sps = nal;
            }
            u.has_sps = true;
            break;
        case PH_H264_PPS:
            u.has_pps = true;
            break;
        default:
            break;
        }
    }
    *out = u;
    return u.slices > 0;
}

bool ph_h264_is_entry(const uint8_t *data, size_t size)
{
    struct ph_h264_unit unit;
    struct ph_h264_sps sps;
    return ph_h264_inspect(data, size, &unit) && unit.idr && unit.has_sps &&
            unit.has_pps &&
            ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps);
}
