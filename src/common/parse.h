/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers out of text. Each reads the whole string, writes *out only when it
 * returns true, and accepts nothing around the number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits, min..max. */
bool ph_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out);

/* A quantity with an optional suffix k, M or G, min..max: powers of 1000
 * ("8M" bit/s), or of 1024 when binary ("1G" of memory). */
bool ph_parse_quantity(const char *text, bool binary, uint64_t min,
        uint64_t max, uint64_t *out);

/* "1920x1080": both sides 1..max. */
bool ph_parse_size(
        const char *text, uint32_t max, uint32_t *width, uint32_t *height);
