/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LZ4 blocks, where this build has LZ4. Plain memory, any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ph_pack_supported(void);
/* Packs `size` bytes into out[cap]. Returns the size of the block, 0 when it
 * does not fit. */
size_t ph_pack(const uint8_t *data, size_t size, uint8_t *out, size_t cap);
/* Unpacks a block that must give exactly `size` bytes; never reads or writes
 * beyond either. */
bool ph_unpack(const uint8_t *block, size_t len, uint8_t *out, size_t size);
