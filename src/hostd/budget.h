/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory all guests together may make the host hold. Any thread. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct ph_budget {
    atomic_size_t used;
    size_t limit;
};

/* False, and nothing taken, when it would pass the limit. */
static inline bool ph_budget_take(struct ph_budget *b, size_t bytes)
{
    size_t used = atomic_load(&b->used);
    do {
        if (bytes > b->limit || used > b->limit - bytes) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&b->used, &used, used + bytes));
    return true;
}

static inline void ph_budget_give(struct ph_budget *b, size_t bytes)
{
    atomic_fetch_sub(&b->used, bytes);
}
