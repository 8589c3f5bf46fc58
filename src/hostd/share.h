/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that a virtual machine sees because its owner set it up so: the file
 * behind QEMU's ivshmem device, or a folder that the guest has mounted over 9p
 * or virtiofs. Each has an identity that only who sees it can name; sessions
 * of such guests take ranges of it.
 *
 * A guest may write anything anywhere in it, and in a folder do anything to
 * the files: so the first is mapped, since a guest cannot make it shorter, and
 * the second is only read from. Nothing but pixels is taken from either. Any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PH_SHARES_MAX = 32
};

struct ph_share;

struct ph_shares {
    struct ph_share *items[PH_SHARES_MAX];
    size_t count;
};

/* Adds the file, made with 64 MiB where there is none, or the folder. False:
 * logged. */
bool ph_shares_add_ivshmem(struct ph_shares *shares, const char *path);
bool ph_shares_add_folder(struct ph_shares *shares, const char *path);
/* Takes our traces out of them. After all sessions. */
void ph_shares_finish(struct ph_shares *shares);

/* The one with this identity, or NULL. place: enum ph_hxfr_slots_place. */
struct ph_share *ph_shares_find(
        const struct ph_shares *shares, uint8_t place, uint64_t id);

/* A part of one; share NULL: none. */
struct ph_share_range {
    struct ph_share *share;
    uint64_t offset; /* in the region, of its nonce */
    uint64_t nonce;
    size_t size;
    uint8_t *memory; /* ivshmem: where the slots begin */
    int fd; /* folder: the file, at 0 */
};

/* `size` bytes for slots. False: there is no room (logged). */
bool ph_share_take(
        struct ph_share *share, size_t size, struct ph_share_range *out);
void ph_share_give(struct ph_share_range *range);
