/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What wl_patch and x_patch have in common. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Reads count numbers (the last one in base 16 when hex) behind a command. */
static inline bool patch_numbers(
        const char *text, uint32_t *out, int count, bool hex)
{
    for (int i = 0; i < count; i++) {
        int base_of = hex && i == count - 1 ? 16 : 10;
        text += strspn(text, " ");
        if (!*text) {
            return false;
        }
        out[i] = 0;
        for (; *text && *text != ' '; text++) {
            const char *digits = "0123456789abcdef";
            const char *digit = strchr(digits, *text | 0x20);
            if (!digit || digit - digits >= base_of) {
                return false;
            }
            out[i] = out[i] * (uint32_t)base_of + (uint32_t)(digit - digits);
        }
    }
    return true;
}
