/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a seed of fuzz_macho (made by tests/fuzz/make_macho.py). */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

/* A block of exactly its size, which the caller frees. */
static inline uint8_t *fixture_read(const char *name, size_t *size)
{
    char path[4096];
    snprintf(
            path, sizeof(path), "%s/../fuzz/corpus/macho/%s", GOLDEN_DIR, name);
    FILE *file = fopen(path, "rb");
    *size = 0;
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    long len = ftell(file);
    rewind(file);
    uint8_t *data = malloc(len > 0 ? (size_t)len : 1);
    if (!data || fread(data, 1, (size_t)len, file) != (size_t)len) {
        exit(1);
    }
    fclose(file);
    *size = (size_t)len;
    return data;
}
