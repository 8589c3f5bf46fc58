/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a guest's message. A buffer grows as bytes arrive, so that a
 * header which claims much costs nothing, and every byte of it counts against
 * the budget.
 */
#pragma once

#include <stdint.h>

#include "hostd/budget.h"

struct ph_buffer {
    struct ph_budget *budget;
    uint8_t *data;
    size_t len;
    size_t cap;
};

/* Room for `more` bytes behind len. False: over the budget, or no memory;
 * the buffer is as it was. */
bool ph_buffer_reserve(struct ph_buffer *buffer, size_t more);
/* Frees the memory and gives its bytes back. */
void ph_buffer_finish(struct ph_buffer *buffer);
