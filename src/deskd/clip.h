/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was copied: one content, counted, never changed. Main thread only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PH_CLIP_TEXT "text/plain;charset=utf-8"
#define PH_CLIP_PNG "image/png"

struct ph_clip {
    unsigned refs;
    const char *type; /* PH_CLIP_TEXT or PH_CLIP_PNG */
    size_t size;
    uint8_t data[];
};

/* type: one of the two, in any spelling of text that desktops use; NULL: it is
 * another one, or the text is not UTF-8. */
struct ph_clip *ph_clip_create(
        const char *type, const uint8_t *data, size_t size);
struct ph_clip *ph_clip_ref(struct ph_clip *clip);
void ph_clip_unref(struct ph_clip *clip);

/* Which of a desktop's types to take, NULL: none is of use, or its owner
 * says that it is a secret. */
const char *ph_clip_choose(const char *const *types, size_t count);
