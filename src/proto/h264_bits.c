/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264_bits.h"

uint32_t ph_h264_get(struct ph_h264_bits *b, uint32_t n)
{
    uint32_t v = 0;
    for (; n > 0; n--) {
        if (b->pos >= b->count) {
            b->ok = false;
            return 0;
        }
        uint32_t bit = b->data[b->pos / 8] >> (7 - b->pos % 8) & 1u;
        v = v << 1 | bit;
        b->pos++;
    }
    return v;
}

uint32_t ph_h264_get_ue(struct ph_h264_bits *b)
{
    uint32_t zeros = 0;
    while (b->ok && !ph_h264_get(b, 1)) {
        if (++zeros > 31) {
            b->ok = false;
            return 0;
        }
    }
    return b->ok ? (1u << zeros) - 1 + ph_h264_get(b, zeros) : 0;
}

int32_t ph_h264_get_se(struct ph_h264_bits *b)
{
    uint32_t v = ph_h264_get_ue(b);
    return v & 1 ? (int32_t)(v / 2 + 1) : -(int32_t)(v / 2);
}

void ph_h264_put(struct ph_h264_bit_writer *w, uint32_t n, uint32_t value)
{
    for (; n > 0; n--) {
        if (w->pos >= w->count) {
            w->ok = false;
            return;
        }
        uint8_t mask = (uint8_t)(0x80u >> (w->pos % 8));
        uint8_t *byte = &w->data[w->pos / 8];
        bool bit = value >> (n - 1) & 1u;
        *byte = (uint8_t)(bit ? *byte | mask : *byte & ~mask);
        w->pos++;
    }
}

void ph_h264_put_ue(struct ph_h264_bit_writer *w, uint32_t value)
{
    uint32_t bits = 0;
    while (bits < 31 && (value + 1) >> (bits + 1)) {
        bits++;
    }
    ph_h264_put(w, bits, 0);
    ph_h264_put(w, bits + 1, value + 1);
}

size_t ph_h264_unescape(const uint8_t *nal, size_t size, uint8_t *out)
{
    size_t n = 0;
    int zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        out[n++] = nal[i];
    }
    return n;
}

bool ph_h264_escape(
        const uint8_t *rbsp, size_t size, uint8_t *out, size_t cap, size_t *len)
{
    size_t n = 0;
    int zeros = 0;
    for (size_t i = 0; i < size; i++) {
        if (n + 2 > cap) {
            return false;
        }
        if (zeros >= 2 && rbsp[i] <= 3) {
            out[n++] = 3;
            zeros = 0;
        }
        out[n++] = rbsp[i];
        zeros = rbsp[i] == 0 ? zeros + 1 : 0;
    }
    *len = n;
    return true;
}
