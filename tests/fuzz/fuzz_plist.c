/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A CodeResources file, read as the check of a bundle's seal reads it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relink/plist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct ph_plist_text all = {text, text + size};
    struct ph_plist_text files;
    struct ph_plist_text entry;
    char key[64];
    uint8_t hash[32];
    if (!ph_plist_find_dict(&all, "files2", &files)) {
        return 0;
    }
    while (ph_plist_next(&files, key, sizeof(key), &entry)) {
        if (strlen(key) >= sizeof(key) || entry.at < text ||
                entry.end > all.end || entry.at > entry.end ||
                ph_plist_data(&entry, "hash2", hash, sizeof(hash)) >
                        sizeof(hash)) {
            abort();
        }
        ph_plist_has(&entry, "optional");
    }
    return 0;
}
