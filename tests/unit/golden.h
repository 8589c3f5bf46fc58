/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads tests/golden/NAME.hex, the truth of the wire: '#' lines say what the
 * fields are, the rest is the message in hex. GOLDEN_DIR comes from meson.
 */
#pragma once

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

struct golden {
    uint8_t data[4096];
    size_t len;
};

static inline int golden_digit(int c)
{
    return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static inline struct golden golden_read(const char *name)
{
    struct golden g = {.len = 0};
    char path[512];
    char line[512];
    snprintf(path, sizeof(path), "%s/%s.hex", GOLDEN_DIR, name);
    FILE *f = fopen(path, "r");
    if (!CHECK(f != NULL)) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(1);
    }
    while (fgets(line, sizeof(line), f)) {
        for (char *p = line; *p && line[0] != '#'; p++) {
            if (isxdigit((unsigned char)p[0]) &&
                    isxdigit((unsigned char)p[1]) && g.len < sizeof(g.data)) {
                g.data[g.len++] =
                        (uint8_t)(golden_digit(p[0]) << 4 | golden_digit(p[1]));
                p++;
            }
        }
    }
    fclose(f);
    CHECK(g.len > 0);
    return g;
}

/* What a writer made must be the golden message, to the byte. */
static inline void golden_check(
        const char *name, const uint8_t *data, size_t len)
{
    struct golden g = golden_read(name);
    if (!CHECK_EQ(len, g.len) || !CHECK_MEM(data, g.data, g.len)) {
        fprintf(stderr, "  in %s.hex\n", name);
    }
}
