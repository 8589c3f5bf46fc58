/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * porthole-hostd's vsock device against a driver of the test's own, honest
 * and hostile, in a piece of memory that stands for the guest's.
 */
#include "hostd/vsock_device.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "common/bytes.h"
#include "common/cleanup.h"

enum {
    GUEST = 0x40000000, /* where the memory is in the guest */
    MEMORY = 1 << 20,
    SIZE = 16, /* descriptors of a ring */
    RING_BYTES = 0x1000, /* desc, avail at 0x400, used at 0x800 */
    AVAIL = 0x400,
    USED = 0x800,
    BUFFERS = 0x10000,
    BUFFER = 0x4000,
    NEXT = 1,
    WRITE = 2,
    INDIRECT = 4,
    CID = 3,
    PORT = 15937,
    GUEST_PORT = 1234,
};

enum op {
    REQUEST = 1,
    RESPONSE,
    RST,
    SHUTDOWN,
    RW,
    CREDIT_UPDATE,
    CREDIT_REQUEST
};

/* The driver's side of one queue. */
struct queue {
    struct ph_vring ring;
    uint8_t *base;
    uint16_t avail; /* as published */
    uint16_t used; /* as seen */
};

struct guest {
    uint8_t *bytes;
    struct ph_guest_memory memory;
    struct queue rx;
    struct queue tx;
    struct ph_vsock *vsock;
    int accepted; /* the newest stream, at the host */
    uint32_t forwarded; /* taken from the host */
    uint32_t told; /* what the host said that it took */
};

static bool on_accept(void *data, int fd)
{
    struct guest *g = data;
    ph_close(&g->accepted);
    g->accepted = fd;
    return true;
}

static void make_queue(struct guest *g, struct queue *q, uint64_t offset)
{
    uint64_t at = GUEST + offset; /* user addresses are the guest's here */
    *q = (struct queue){.ring = {.memory = &g->memory, .size = SIZE},
            .base = g->bytes + offset};
    CHECK(ph_vring_map(&q->ring, at, at + AVAIL, at + USED));
}

static void set_desc(struct queue *q, unsigned i, uint64_t address,
        uint32_t len, uint16_t flags, uint16_t next)
{
    uint8_t *d = q->base + 16UL * i;
    ph_store_u64(d, address);
    ph_store_u32(d + 8, len);
    ph_store_u16(d + 12, flags);
    ph_store_u16(d + 14, next);
}

static void publish(struct queue *q, uint16_t head)
{
    ph_store_u16(q->base + AVAIL + 4 + 2 * (q->avail % SIZE), head);
    ph_store_u16(q->base + AVAIL + 2, ++q->avail);
}

static uint64_t buffer(const struct queue *q, unsigned i)
{
    /* rx buffers lie behind those of tx */
    return GUEST + BUFFERS + (uint64_t)BUFFER * i +
            (q->base[0xfff] ? (uint64_t)BUFFER * SIZE : 0);
}

static struct guest *make_guest(void)
{
    struct guest *g = calloc(1, sizeof(*g));
    g->bytes = aligned_alloc(4096, MEMORY);
    memset(g->bytes, 0, MEMORY);
    g->accepted = -1;
    g->memory.regions[0] = (struct ph_guest_region){
            .guest = GUEST, .user = GUEST, .size = MEMORY, .data = g->bytes};
    g->memory.count = 1;
    make_queue(g, &g->tx, 0);
    make_queue(g, &g->rx, RING_BYTES);
    g->rx.base[0xfff] = 1;
    for (unsigned i = 0; i < SIZE; i++) {
        set_desc(&g->rx, i, buffer(&g->rx, i), BUFFER, WRITE, 0);
        publish(&g->rx, (uint16_t)i);
    }
    g->vsock = ph_vsock_create(CID, PORT, on_accept, g);
    return g;
}

static void free_guest(struct guest *g)
{
    ph_vsock_destroy(g->vsock);
    ph_close(&g->accepted);
    free(g->bytes);
    free(g);
}

/* Header in one buffer, payload in the next, as Linux drivers did. */
static void put(struct guest *g, uint16_t op, uint32_t port,
        const void *payload, uint32_t len)
{
    uint16_t head = (uint16_t)(g->tx.avail % (SIZE / 2) * 2);
    uint64_t at = buffer(&g->tx, head);
    uint64_t data = buffer(&g->tx, head + 1U);
    struct ph_writer w = ph_writer(g->bytes + (at - GUEST), PH_VSOCK_HEADER);
    ph_write_u64(&w, CID);
    ph_write_u64(&w, 2);
    ph_write_u32(&w, GUEST_PORT);
    ph_write_u32(&w, port);
    ph_write_u32(&w, len);
    ph_write_u16(&w, 1);
    ph_write_u16(&w, op);
    ph_write_u32(&w, op == SHUTDOWN ? 3 : 0);
    ph_write_u32(&w, 1 << 16); /* our buffer */
    ph_write_u32(&w, g->forwarded);
    if (len) {
        memcpy(g->bytes + (data - GUEST), payload, len);
    }
    set_desc(&g->tx, head, at, PH_VSOCK_HEADER, len ? NEXT : 0, head + 1);
    set_desc(&g->tx, head + 1U, data, len, 0, 0);
    publish(&g->tx, head);
}

static bool turn(struct guest *g)
{
    bool pushed = false;
    return ph_vsock_take(g->vsock, &g->tx.ring, &pushed) &&
            ph_vsock_give(g->vsock, &g->rx.ring, &pushed);
}

/* The next packet to the guest: its op, 0 for none. Its buffer is given back.
 */
static unsigned get(struct guest *g, uint8_t *payload, uint32_t *len)
{
    struct queue *q = &g->rx;
    if (ph_load_u16(q->base + USED + 2) == q->used) {
        return 0;
    }
    uint8_t *used = q->base + USED + 4 + 8 * (q->used++ % SIZE);
    uint32_t head = ph_load_u32(used);
    uint32_t written = ph_load_u32(used + 4);
    const uint8_t *p = g->bytes + (buffer(q, head) - GUEST);
    *len = ph_load_u32(p + 24);
    g->told = ph_load_u32(p + 40);
    CHECK_EQ(ph_load_u64(p + 8), CID);
    CHECK_EQ(ph_load_u32(p + 20), GUEST_PORT);
    CHECK_EQ(written, PH_VSOCK_HEADER + *len);
    if (payload) {
        memcpy(payload, p + PH_VSOCK_HEADER, *len);
    }
    publish(q, (uint16_t)head);
    return ph_load_u16(p + 30);
}

static void connect_stream(struct guest *g)
{
    uint32_t len;
    put(g, REQUEST, PORT, NULL, 0);
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), RESPONSE);
    CHECK(g->accepted >= 0);
    g->forwarded = 0;
}

static void test_refusals(void)
{
    struct guest *g = make_guest();
    uint32_t len;
    put(g, REQUEST, PORT + 1, NULL, 0);
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), RST);
    CHECK_EQ(g->accepted, -1);
    put(g, RW, PORT, "x", 1); /* never connected */
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), RST);
    put(g, RST, PORT, NULL, 0); /* is not answered */
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), 0);
    free_guest(g);
}

static uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* 1 MiB to a host that echoes it or only reads, within the credit that it
 * gives. */
static void test_flow(bool echo)
{
    enum {
        TOTAL = 1 << 20,
        PIECE = 12000
    };
    struct guest *g = make_guest();
    uint8_t *in = malloc(TOTAL);
    uint8_t *out = malloc(TOTAL);
    uint32_t sent = 0;
    uint32_t got = 0; /* back here, or at the host */
    for (uint32_t i = 0; i < TOTAL; i++) {
        in[i] = (uint8_t)(i * 7 + (i >> 8));
    }
    connect_stream(g);
    for (unsigned rounds = 0; got < TOTAL && rounds < 100000; rounds++) {
        uint32_t piece = min(
                min(TOTAL - sent, PIECE), PH_VSOCK_BUFFER - (sent - g->told));
        if (piece) {
            put(g, RW, PORT, in + sent, piece);
            sent += piece;
        }
        CHECK(turn(g));
        uint8_t bytes[4096];
        uint8_t *to = echo ? bytes : out + got;
        ssize_t n = recv(
                g->accepted, to, min(TOTAL - got, sizeof(bytes)), MSG_DONTWAIT);
        if (n > 0 && echo) {
            CHECK_EQ(send(g->accepted, to, (size_t)n, MSG_DONTWAIT), n);
        } else if (n > 0) {
            got += (uint32_t)n;
        }
        uint32_t len;
        unsigned op;
        while ((op = get(g, out + got, &len))) {
            CHECK(op == CREDIT_UPDATE || (echo && op == RW));
            got += len;
            g->forwarded += len;
        }
        if (rounds % 3 == 0) { /* told at times only */
            put(g, CREDIT_UPDATE, PORT, NULL, 0);
        }
    }
    CHECK_EQ(got, TOTAL);
    CHECK_MEM(in, out, TOTAL);
    free(in);
    free(out);
    free_guest(g);
}

static void test_ends(void)
{
    struct guest *g = make_guest();
    char byte;
    uint32_t len;
    connect_stream(g);
    put(g, SHUTDOWN, PORT, NULL, 0); /* the guest ends it */
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), RST);
    CHECK_EQ(recv(g->accepted, &byte, 1, 0), 0);
    connect_stream(g);
    ph_close(&g->accepted); /* we end it */
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), SHUTDOWN);
    put(g, RST, PORT, NULL, 0);
    CHECK(turn(g));
    CHECK_EQ(get(g, NULL, &len), 0);
    connect_stream(g); /* begun anew without an end */
    connect_stream(g);
    free_guest(g);
}

static void test_greed(void)
{
    enum {
        PIECE = 16000
    };
    struct guest *g = make_guest();
    uint8_t piece[PIECE] = {0};
    unsigned op = 0;
    uint32_t len;
    connect_stream(g);
    for (int i = 0; i < 200 && op != RST; i++) { /* nobody reads it */
        put(g, RW, PORT, piece, PIECE);
        CHECK(turn(g));
        while ((op = get(g, NULL, &len)) && op != RST) {
        }
    }
    CHECK_EQ(op, RST);
    connect_stream(g); /* which the device survives */
    free_guest(g);
}

/* Each spoils the tx queue of a guest in one way. */
static void out_of_memory(struct guest *g)
{
    set_desc(&g->tx, 0, GUEST + MEMORY - 4, 44, 0, 0);
    publish(&g->tx, 0);
}

static void wrapped(struct guest *g)
{
    set_desc(&g->tx, 0, UINT64_MAX - 3, 44, 0, 0);
    publish(&g->tx, 0);
}

static void loop(struct guest *g)
{
    set_desc(&g->tx, 0, buffer(&g->tx, 0), 44, NEXT, 0);
    publish(&g->tx, 0);
}

static void beyond(struct guest *g)
{
    publish(&g->tx, SIZE);
}

static void beyond_next(struct guest *g)
{
    set_desc(&g->tx, 0, buffer(&g->tx, 0), 44, NEXT, 999);
    publish(&g->tx, 0);
}

static void jump(struct guest *g)
{
    g->tx.avail = (uint16_t)(g->tx.avail + SIZE);
    publish(&g->tx, 0);
}

static void indirect(struct guest *g)
{
    set_desc(&g->tx, 0, buffer(&g->tx, 0), 64, INDIRECT, 0);
    publish(&g->tx, 0);
}

static void wrong_order(struct guest *g)
{
    set_desc(&g->tx, 0, buffer(&g->tx, 0), 44, WRITE | NEXT, 1);
    set_desc(&g->tx, 1, buffer(&g->tx, 1), 44, 0, 0);
    publish(&g->tx, 0);
}

static void short_header(struct guest *g)
{
    set_desc(&g->tx, 0, buffer(&g->tx, 0), PH_VSOCK_HEADER - 1, 0, 0);
    publish(&g->tx, 0);
}

static void long_payload(struct guest *g)
{
    put(g, RW, PORT, "x", 1);
    set_desc(&g->tx, 0, buffer(&g->tx, 0), PH_VSOCK_HEADER, 0, 0);
}

static void small_rx(struct guest *g)
{
    put(g, REQUEST, PORT + 1, NULL, 0);
    for (unsigned i = 0; i < SIZE; i++) {
        set_desc(&g->rx, i, buffer(&g->rx, i), 10, WRITE, 0);
    }
}

static void test_hostile(void)
{
    static void (*const spoil[])(struct guest *) = {out_of_memory, wrapped,
            loop, beyond, beyond_next, jump, indirect, wrong_order,
            short_header, long_payload, small_rx};
    for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
        struct guest *g = make_guest();
        spoil[i](g);
        if (!CHECK(!turn(g))) {
            fprintf(stderr, "case %zu\n", i);
        }
        free_guest(g);
    }
}

static void test_maps(void)
{
    struct guest *g = make_guest();
    struct ph_vring r = {.memory = &g->memory, .size = 0};
    CHECK(!ph_vring_map(&r, GUEST, GUEST + AVAIL, GUEST + USED));
    r.size = 3;
    CHECK(!ph_vring_map(&r, GUEST, GUEST + AVAIL, GUEST + USED));
    r.size = 2 * PH_VRING_MAX_SIZE;
    CHECK(!ph_vring_map(&r, GUEST, GUEST + AVAIL, GUEST + USED));
    r.size = SIZE;
    CHECK(!ph_vring_map(&r, GUEST + 8, GUEST + AVAIL, GUEST + USED));
    CHECK(!ph_vring_map(&r, GUEST, GUEST + 1, GUEST + USED));
    CHECK(!ph_vring_map(&r, GUEST, GUEST + AVAIL, GUEST + MEMORY - 4));
    CHECK(!ph_vring_map(&r, 0, GUEST + AVAIL, GUEST + USED));
    free_guest(g);
}

int main(void)
{
    test_refusals();
    test_flow(true);
    test_flow(false);
    test_ends();
    test_greed();
    test_hostile();
    test_maps();
    return CHECK_DONE();
}
