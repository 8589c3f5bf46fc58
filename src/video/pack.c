/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/pack.h"

#ifdef PH_HAVE_LZ4
#include <limits.h>
#include <lz4.h>

bool ph_pack_supported(void)
{
    return true;
}

size_t ph_pack(const uint8_t *data, size_t size, uint8_t *out, size_t cap)
{
    if (size > LZ4_MAX_INPUT_SIZE || cap > INT_MAX) {
        return 0;
    }
    int n = LZ4_compress_default(
            (const char *)data, (char *)out, (int)size, (int)cap);
    return n > 0 ? (size_t)n : 0;
}

bool ph_unpack(const uint8_t *block, size_t len, uint8_t *out, size_t size)
{
    return len <= INT_MAX && size <= INT_MAX &&
            LZ4_decompress_safe((const char *)block, (char *)out, (int)len,
                    (int)size) == (int)size;
}
#else
bool ph_pack_supported(void)
{
    return false;
}

size_t ph_pack(const uint8_t *data, size_t size, uint8_t *out, size_t cap)
{
    return 0;
}

bool ph_unpack(const uint8_t *block, size_t len, uint8_t *out, size_t size)
{
    return false;
}
#endif
