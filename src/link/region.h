/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory of the host that this virtual machine sees: the BAR of an ivshmem
 * device, or a folder mounted over 9p or virtiofs. For the I/O thread of a
 * link.
 *
 * Others use such devices too: nothing is ever written to one without the
 * host's magic.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The BAR that a porthole-hostd marked as its own, opened, and its identity.
 * -1: there is none (or we may not open it: root may). */
int ph_region_open_bar(uint64_t *id);
/* The identity that a porthole-hostd left in the folder. 0: none did. */
uint64_t ph_region_folder_id(const char *folder);
/* The file with the slots of this nonce in it, to write to; -1 with errno. */
int ph_region_open_slots(const char *folder, uint64_t nonce);
/* Maps a range of a BAR: `size` bytes behind the page at offset, which holds
 * the nonce. NULL with errno; EPERM when it does not: the host means another
 * memory. */
uint8_t *ph_region_map(int bar, uint64_t offset, uint64_t nonce, size_t size);
void ph_region_unmap(uint8_t *memory, size_t size);
