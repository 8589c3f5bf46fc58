/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Big-endian numbers: the fat header and the code signature are written so,
 * while everything inside a slice is little-endian (common/bytes.h).
 */
#pragma once

#include <stdint.h>

static inline uint32_t ph_be_load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
            (uint32_t)p[3];
}

static inline uint64_t ph_be_load_u64(const uint8_t *p)
{
    return (uint64_t)ph_be_load_u32(p) << 32 | ph_be_load_u32(p + 4);
}

static inline void ph_be_store_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void ph_be_store_u64(uint8_t *p, uint64_t v)
{
    ph_be_store_u32(p, (uint32_t)(v >> 32));
    ph_be_store_u32(p + 4, (uint32_t)v);
}
