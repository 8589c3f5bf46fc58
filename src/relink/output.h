/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chunks (rewrite.h) to disk. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "relink/rewrite.h"

/* Writes a new file. Logs what went wrong. */
bool ph_output_write(const char *path, const struct ph_bytes *chunks,
        size_t count, mode_t mode);
/* Whether path is a plain file with these very bytes. */
bool ph_output_equals(
        const char *path, const struct ph_bytes *chunks, size_t count);
