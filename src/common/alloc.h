/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Allocation that aborts when memory is gone: for small sizes that we chose
 * ourselves. A size that came off a wire or a file is capped first and then
 * allocated with malloc, and checked.
 */
#pragma once

#include <stddef.h>

#include "common/macros.h"

void *ph_xmalloc(size_t size);
void *ph_xcalloc(size_t count, size_t size);
void *ph_xrealloc(void *ptr, size_t size);
char *ph_xstrdup(const char *s);
char *ph_xasprintf(const char *fmt, ...) PH_PRINTF(1, 2);
