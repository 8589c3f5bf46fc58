/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/digest.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/version.h>

/* Version 4 leaves out how many bytes of the digest are wanted. */
#if NETTLE_VERSION_MAJOR >= 4
#define DIGEST(algorithm, ctx, size, out) algorithm##_digest((ctx), (out))
#else
#define DIGEST(algorithm, ctx, size, out)                                      \
    algorithm##_digest((ctx), (size), (out))
#endif

void ph_digest_sha256(
        const struct ph_bytes *parts, size_t count, uint8_t out[PH_SHA256_SIZE])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&ctx, parts[i].len, parts[i].data);
    }
    DIGEST(sha256, &ctx, PH_SHA256_SIZE, out);
}

void ph_digest_sha1(
        const struct ph_bytes *parts, size_t count, uint8_t out[PH_SHA1_SIZE])
{
    struct sha1_ctx ctx;
    sha1_init(&ctx);
    for (size_t i = 0; i < count; i++) {
        sha1_update(&ctx, parts[i].len, parts[i].data);
    }
    DIGEST(sha1, &ctx, PH_SHA1_SIZE, out);
}
