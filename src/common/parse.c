/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/parse.h"

#include <string.h>

/* Reads digits from *text, leaves *text behind them; false on none or when
 * the value passes UINT64_MAX. */
static bool digits(const char **text, uint64_t *out)
{
    uint64_t v = 0;
    const char *p = *text;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t d = (uint64_t)(*p - '0');
        if (v > (UINT64_MAX - d) / 10) {
            return false;
        }
        v = v * 10 + d;
    }
    bool any = p != *text;
    *text = p;
    *out = v;
    return any;
}

bool ph_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t v = 0;
    if (!digits(&text, &v) || *text || v < min || v > max) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

bool ph_parse_quantity(const char *text, bool binary, uint64_t min,
        uint64_t max, uint64_t *out)
{
    static const char suffixes[] = "kMG";
    uint64_t v = 0;
    if (!digits(&text, &v)) {
        return false;
    }
    if (*text) {
        const char *s = strchr(suffixes, *text == 'K' ? 'k' : *text);
        if (!s || text[1]) {
            return false;
        }
        for (const char *i = suffixes; i <= s; i++) {
            uint64_t unit = binary ? 1024 : 1000;
            if (v > UINT64_MAX / unit) {
                return false;
            }
            v *= unit;
        }
    }
    if (v < min || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool ph_parse_size(
        const char *text, uint32_t max, uint32_t *width, uint32_t *height)
{
    uint64_t w = 0;
    uint64_t h = 0;
    if (!digits(&text, &w) || *text++ != 'x' || !digits(&text, &h) || *text) {
        return false;
    }
    if (w < 1 || w > max || h < 1 || h > max) {
        return false;
    }
    *width = (uint32_t)w;
    *height = (uint32_t)h;
    return true;
}
