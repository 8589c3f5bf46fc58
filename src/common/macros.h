/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small things that every file may need. */
#pragma once

#include <stddef.h>

#define PH_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define PH_MIN(a, b) ((a) < (b) ? (a) : (b))
#define PH_MAX(a, b) ((a) > (b) ? (a) : (b))
#define PH_CONTAINER(ptr, type, member)                                        \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define PH_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
