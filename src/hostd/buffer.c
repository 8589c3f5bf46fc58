/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/buffer.h"

#include <stdlib.h>

#include "common/macros.h"

bool ph_buffer_reserve(struct ph_buffer *b, size_t more)
{
    if (b->cap - b->len >= more) {
        return true;
    }
    size_t least = b->len + more;
    /* Doubling, but never far over what a large message needs. */
    size_t cap = PH_MAX(least, PH_MIN(b->cap * 2, b->cap + (8u << 20)));
    if (!ph_budget_take(b->budget, cap - b->cap)) {
        cap = least;
        if (!ph_budget_take(b->budget, cap - b->cap)) {
            return false;
        }
    }
    uint8_t *data = realloc(b->data, cap);
    if (!data) {
        ph_budget_give(b->budget, cap - b->cap);
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void ph_buffer_finish(struct ph_buffer *b)
{
    free(b->data);
    if (b->budget) {
        ph_budget_give(b->budget, b->cap);
    }
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
}
