/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Digests of bytes that lie in several pieces. The one place that knows the
 * hash library (nettle). Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ph_bytes {
    const uint8_t *data; /* NULL: that many zeros, where it is said so */
    size_t len;
};

enum {
    PH_SHA1_SIZE = 20,
    PH_SHA256_SIZE = 32,
};

void ph_digest_sha256(const struct ph_bytes *parts, size_t count,
        uint8_t out[PH_SHA256_SIZE]);
void ph_digest_sha1(
        const struct ph_bytes *parts, size_t count, uint8_t out[PH_SHA1_SIZE]);
