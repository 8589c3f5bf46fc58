/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests of an image's pages, on several threads where that pays. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "relink/digest.h"

/* Writes one SHA-256 digest for each page of 1 << page_shift bytes (the last
 * may be shorter) of the concatenated parts. */
void ph_codesign_hash_pages(const struct ph_bytes *parts, size_t count,
        unsigned page_shift, uint8_t *out);
