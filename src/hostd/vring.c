/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/vring.h"

#include <string.h>

#include "common/bytes.h"
#include "common/macros.h"

enum {
    DESC_SIZE = 16,
    DESC_NEXT = 1,
    DESC_WRITE = 2,
    DESC_INDIRECT = 4,
    RING = 4, /* behind flags and index, in avail and used */
    USED_SIZE = 8,
    NO_INTERRUPT = 1,
};

static void *at(const struct ph_guest_region *r, uint64_t base,
        uint64_t address, uint64_t len)
{
    if (address < base || address - base > r->size ||
            len > r->size - (address - base)) {
        return NULL;
    }
    return r->data + (address - base);
}

void *ph_guest_memory_at(
        const struct ph_guest_memory *m, uint64_t address, uint64_t len)
{
    void *p = NULL;
    for (unsigned i = 0; i < m->count && !p; i++) {
        p = at(&m->regions[i], m->regions[i].guest, address, len);
    }
    return p;
}

void *ph_guest_memory_at_user(
        const struct ph_guest_memory *m, uint64_t address, uint64_t len)
{
    void *p = NULL;
    for (unsigned i = 0; i < m->count && !p; i++) {
        p = at(&m->regions[i], m->regions[i].user, address, len);
    }
    return p;
}

bool ph_vring_map(
        struct ph_vring *ring, uint64_t desc, uint64_t avail, uint64_t used)
{
    uint16_t size = ring->size;
    if (size == 0 || size > PH_VRING_MAX_SIZE || (size & (size - 1)) ||
            desc % 16 || avail % 2 || used % 4) {
        return false;
    }
    const struct ph_guest_memory *m = ring->memory;
    ring->desc = ph_guest_memory_at_user(m, desc, (uint64_t)size * DESC_SIZE);
    ring->avail = ph_guest_memory_at_user(m, avail, RING + (uint64_t)size * 2);
    ring->used =
            ph_guest_memory_at_user(m, used, RING + (uint64_t)size * USED_SIZE);
    return ring->desc && ring->avail && ring->used;
}

/* The 16 bits at p as the guest has them now. Rings are aligned, so that the
 * guest's store and our load are whole. */
static uint16_t shared_load(const uint8_t *p, int order)
{
    uint16_t v = __atomic_load_n((const uint16_t *)(const void *)p, order);
    uint8_t bytes[2];
    memcpy(bytes, &v, sizeof(bytes));
    return ph_load_u16(bytes);
}

static void shared_store(uint8_t *p, uint16_t v)
{
    uint8_t bytes[2];
    uint16_t native;
    ph_store_u16(bytes, v);
    memcpy(&native, bytes, sizeof(native));
    __atomic_store_n((uint16_t *)(void *)p, native, __ATOMIC_SEQ_CST);
}

static uint16_t waiting(const struct ph_vring *ring)
{
    uint16_t index = shared_load(ring->avail + 2, __ATOMIC_SEQ_CST);
    return (uint16_t)(index - ring->next_avail);
}

bool ph_vring_is_empty(const struct ph_vring *ring)
{
    return waiting(ring) == 0;
}

struct desc {
    uint64_t address;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

static struct desc read_desc(const struct ph_vring *ring, uint16_t index)
{
    uint8_t copy[DESC_SIZE];
    memcpy(copy, ring->desc + (size_t)index * DESC_SIZE, sizeof(copy));
    return (struct desc){ph_load_u64(copy), ph_load_u32(copy + 8),
            ph_load_u16(copy + 12), ph_load_u16(copy + 14)};
}

/* False: the driver is broken. */
static bool add(const struct ph_vring *ring, struct ph_vring_chain *c,
        const struct desc *d)
{
    unsigned n = c->readable + c->writable;
    bool writable = d->flags & DESC_WRITE;
    void *data = ph_guest_memory_at(ring->memory, d->address, d->len);
    if (n == PH_VRING_MAX_CHAIN || (d->flags & DESC_INDIRECT) || !data ||
            d->len == 0 || (!writable && c->writable)) {
        return false;
    }
    c->iov[n] = (struct iovec){data, d->len};
    if (writable) {
        c->writable++;
        c->writable_size += d->len;
    } else {
        c->readable++;
        c->readable_size += d->len;
    }
    return true;
}

enum ph_vring_result ph_vring_pop(
        struct ph_vring *ring, struct ph_vring_chain *c)
{
    uint16_t count = waiting(ring);
    if (count == 0) {
        return PH_VRING_EMPTY;
    }
    if (count > ring->size) {
        return PH_VRING_BROKEN;
    }
    size_t slot = ring->next_avail % ring->size;
    c->head = shared_load(ring->avail + RING + slot * 2, __ATOMIC_RELAXED);
    c->readable = c->writable = 0;
    c->readable_size = c->writable_size = 0;
    uint16_t index = c->head;
    struct desc d = {.flags = DESC_NEXT, .next = index};
    while (d.flags & DESC_NEXT) { /* a loop ends when the chain is full */
        if (d.next >= ring->size) {
            return PH_VRING_BROKEN;
        }
        d = read_desc(ring, d.next);
        if (!add(ring, c, &d)) {
            return PH_VRING_BROKEN;
        }
    }
    ring->next_avail++;
    return PH_VRING_OK;
}

void ph_vring_unpop(struct ph_vring *ring)
{
    ring->next_avail--;
}

void ph_vring_push(struct ph_vring *ring, uint16_t head, uint32_t written)
{
    size_t slot = ring->next_used % ring->size;
    uint8_t *p = ring->used + RING + slot * USED_SIZE;
    ph_store_u32(p, head);
    ph_store_u32(p + 4, written);
    ring->next_used++;
    shared_store(ring->used + 2, ring->next_used);
}

bool ph_vring_wants_call(const struct ph_vring *ring)
{
    return !(shared_load(ring->avail, __ATOMIC_SEQ_CST) & NO_INTERRUPT);
}

unsigned ph_iov_slice(const struct iovec *iov, unsigned count, size_t skip,
        size_t len, struct iovec *out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count && len > 0; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        size_t part = PH_MIN(iov[i].iov_len - skip, len);
        out[n++] = (struct iovec){(uint8_t *)iov[i].iov_base + skip, part};
        skip = 0;
        len -= part;
    }
    return n;
}

size_t ph_iov_read(
        const struct iovec *iov, unsigned count, void *buf, size_t len)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < len; i++) {
        size_t part = PH_MIN(iov[i].iov_len, len - done);
        memcpy((uint8_t *)buf + done, iov[i].iov_base, part);
        done += part;
    }
    return done;
}

size_t ph_iov_write(
        const struct iovec *iov, unsigned count, const void *buf, size_t len)
{
    size_t done = 0;
    for (unsigned i = 0; i < count && done < len; i++) {
        size_t part = PH_MIN(iov[i].iov_len, len - done);
        memcpy(iov[i].iov_base, (const uint8_t *)buf + done, part);
        done += part;
    }
    return done;
}
