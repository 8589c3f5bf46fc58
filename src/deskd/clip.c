/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/clip.h"

#include <glib.h>
#include <string.h>

#include "common/macros.h"

/* The best first: text is what most programs can paste. */
static const struct {
    const char *offered;
    const char *type;
} known[] = {
        {PH_CLIP_TEXT, PH_CLIP_TEXT},
        {"UTF8_STRING", PH_CLIP_TEXT},
        {"text/plain;charset=UTF-8", PH_CLIP_TEXT},
        {"text/plain", PH_CLIP_TEXT},
        {"STRING", PH_CLIP_TEXT},
        {PH_CLIP_PNG, PH_CLIP_PNG},
};

struct ph_clip *ph_clip_create(
        const char *type, const uint8_t *data, size_t size)
{
    const char *kind = NULL;
    for (size_t i = 0; i < PH_LEN(known) && !kind; i++) {
        kind = strcmp(type, known[i].offered) == 0 ? known[i].type : NULL;
    }
    if (!kind || size == 0 ||
            (strcmp(kind, PH_CLIP_TEXT) == 0 &&
                    !g_utf8_validate_len((const char *)data, size, NULL))) {
        return NULL;
    }
    struct ph_clip *clip = g_malloc(sizeof(*clip) + size);
    clip->refs = 1;
    clip->type = kind;
    clip->size = size;
    memcpy(clip->data, data, size);
    return clip;
}

struct ph_clip *ph_clip_ref(struct ph_clip *clip)
{
    clip->refs++;
    return clip;
}

void ph_clip_unref(struct ph_clip *clip)
{
    if (clip && --clip->refs == 0) {
        g_free(clip);
    }
}

const char *ph_clip_choose(const char *const *types, size_t count)
{
    for (size_t t = 0; t < count; t++) {
        if (strcmp(types[t], "x-kde-passwordManagerHint") == 0) {
            return NULL;
        }
    }
    for (size_t i = 0; i < PH_LEN(known); i++) {
        for (size_t t = 0; t < count; t++) {
            if (strcmp(types[t], known[i].offered) == 0) {
                return known[i].offered;
            }
        }
    }
    return NULL;
}
