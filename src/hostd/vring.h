/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A split virtqueue in a guest's memory, as a device sees it (OASIS virtio
 * 1.1, section 2.6), without indirect descriptors and event indices, which
 * are not offered. Nothing in it is trusted: it is the guest's memory and
 * changes while it is read, so every field is read once, then checked. One
 * thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PH_GUEST_REGIONS 8 /* what vhost-user may pass */
#define PH_VRING_MAX_SIZE 1024
#define PH_VRING_MAX_CHAIN 128

/* A piece of the guest's memory in ours. */
struct ph_guest_region {
    uint64_t guest; /* its address in the guest */
    uint64_t user; /* and in the virtual machine monitor */
    uint64_t size; /* bytes */
    uint8_t *data;
    void *mapping; /* what to unmap */
    size_t mapping_size;
};

struct ph_guest_memory {
    struct ph_guest_region regions[PH_GUEST_REGIONS];
    unsigned count;
};

/* Bytes [address, address + len) of the guest, or NULL where they are not
 * all in one region. */
void *ph_guest_memory_at(
        const struct ph_guest_memory *memory, uint64_t address, uint64_t len);
/* The same for an address of the monitor's. */
void *ph_guest_memory_at_user(
        const struct ph_guest_memory *memory, uint64_t address, uint64_t len);

struct ph_vring {
    const struct ph_guest_memory *memory;
    uint16_t size; /* descriptors, a power of two */
    const uint8_t *desc;
    uint8_t *avail;
    uint8_t *used;
    uint16_t next_avail; /* taken up to here, modulo 2^16 */
    uint16_t next_used;
};

/* Sets the three parts from addresses of the monitor's; size is set. False:
 * they do not lie in the memory, or the size is none. */
bool ph_vring_map(
        struct ph_vring *ring, uint64_t desc, uint64_t avail, uint64_t used);

/* A chain of buffers: first those that the device reads, then those that it
 * writes. */
struct ph_vring_chain {
    uint16_t head;
    unsigned readable; /* of iov, from 0 */
    unsigned writable; /* behind them */
    size_t readable_size; /* bytes */
    size_t writable_size;
    struct iovec iov[PH_VRING_MAX_CHAIN];
};

enum ph_vring_result {
    PH_VRING_EMPTY,
    PH_VRING_OK,
    PH_VRING_BROKEN, /* the guest's driver is: use it no more */
};

bool ph_vring_is_empty(const struct ph_vring *ring);
enum ph_vring_result ph_vring_pop(
        struct ph_vring *ring, struct ph_vring_chain *chain);
/* Gives the chain that was popped last back untouched. */
void ph_vring_unpop(struct ph_vring *ring);
/* Hands a chain back, with written bytes in its writable part. */
void ph_vring_push(struct ph_vring *ring, uint16_t head, uint32_t written);
/* Whether the guest wants an interrupt for what was pushed. */
bool ph_vring_wants_call(const struct ph_vring *ring);

/* Part of iov[0..count) from byte skip on, at most len bytes; count of out,
 * which has room for as many. */
unsigned ph_iov_slice(const struct iovec *iov, unsigned count, size_t skip,
        size_t len, struct iovec *out);
/* Bytes copied. */
size_t ph_iov_read(
        const struct iovec *iov, unsigned count, void *buf, size_t len);
size_t ph_iov_write(
        const struct iovec *iov, unsigned count, const void *buf, size_t len);
