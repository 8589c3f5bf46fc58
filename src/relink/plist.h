/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of an XML property list as CodeResources needs: the entries of one
 * dictionary by name, each with its text. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Text of a file; not NUL-terminated. */
struct ph_plist_text {
    const char *at;
    const char *end;
};

/* The inside of the <dict> that follows <key>name</key>. */
bool ph_plist_find_dict(const struct ph_plist_text *text, const char *name,
        struct ph_plist_text *out);
/* The next <key> and what follows it up to the next key of the same dict. The
 * key, unescaped, goes to key[size]; false at the end (or at nonsense). */
bool ph_plist_next(struct ph_plist_text *dict, char *key, size_t size,
        struct ph_plist_text *value);
/* The bytes of <key>name</key><data>...</data> in an entry; how many, 0: there
 * is no such, or more than cap. */
size_t ph_plist_data(const struct ph_plist_text *entry, const char *name,
        uint8_t *out, size_t cap);
bool ph_plist_has(const struct ph_plist_text *entry, const char *name);
