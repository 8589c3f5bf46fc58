/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The objects of the stand-in for Apple's frameworks: fake_videotoolbox.c. */
#pragma once

#include <stdbool.h>

#include "hostd/videotoolbox.h"

#define FAKE_EXPORT __attribute__((visibility("default")))

enum {
    FAKE_NOT_SUPPORTED = -12900,
    FAKE_BAD_PARAMETER = -12902,
    FAKE_MALFUNCTION = -12911,
    FAKE_MOST_ENTRIES = 4,
    FAKE_LENGTH_SIZE = 4,
};

enum fake_type {
    FAKE_STRING,
    FAKE_NUMBER,
    FAKE_LIST, /* an array; a dictionary: a key, its value, ... */
    FAKE_IMAGE,
    FAKE_SESSION,
};

struct object {
    enum fake_type type;
    int refs; /* of none but strings */
    void (*finish)(struct object *object); /* NULL: nothing to do */
    const char *name;
    int64_t integer;
    double real;
    long count;
    struct object *entries[2 * FAKE_MOST_ENTRIES];
    uint8_t *memory; /* of an image */
    size_t width;
    size_t height;
    struct object *colour[3];
};

/* A sample buffer, its data and its format description in one. */
struct sample {
    uint8_t *data; /* AVCC */
    size_t size;
    uint8_t sets[2][256]; /* the format description */
    size_t set_size[2];
};

/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define X(type, name, parameters) FAKE_EXPORT type(name) parameters;
PH_VT_FUNCTIONS(X)
#undef X
#define X(name) extern FAKE_EXPORT const void *(name);
PH_VT_CONSTANTS(X)
#undef X
#define X(name) extern FAKE_EXPORT const char(name)[8];
PH_VT_STRUCTS(X)
#undef X

struct object *fake_retain(const void *object);
/* In a dictionary, or NULL. */
const struct object *fake_lookup(const void *dictionary, const void *key);
size_t fake_stride(const struct object *image);
