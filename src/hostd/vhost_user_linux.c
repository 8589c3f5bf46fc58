/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/vhost_user.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/net.h"
#include "hostd/vsock_device.h"

#define LOG_MODULE "vhost-user"
#include "common/log.h"

enum request {
    GET_FEATURES = 1,
    SET_FEATURES = 2,
    SET_OWNER = 3,
    RESET_OWNER = 4,
    SET_MEM_TABLE = 5,
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    SET_VRING_ERR = 14,
    GET_PROTOCOL_FEATURES = 15,
    SET_PROTOCOL_FEATURES = 16,
    SET_VRING_ENABLE = 18,
    GET_CONFIG = 24,
};

enum {
    HEADER = 12,
    VERSION = 1,
    IS_REPLY = 4,
    NEEDS_REPLY = 8,
    MAX_PAYLOAD = 512,
    REGION_SIZE = 32,
    CONFIG_HEAD = 12,
    CONFIG_SIZE = 8, /* of a vsock device: the guest's CID */
    RX = 0, /* queues, as the guest numbers them */
    TX = 1,
    QUEUES = 2, /* QEMU keeps the event queue */
    NO_FD = 0x100, /* in SET_VRING_KICK and _CALL */
    GUEST_CID = 3, /* nobody else talks to this device: any will do */
    BACKLOG = 1,
    MESSAGE_MS = 5000,
};

#define FEATURES                                                               \
    (UINT64_C(1) << 32 | UINT64_C(1) << 30) /* version 1, above                \
                                             */
#define PROTOCOL_FEATURES                                                      \
    (UINT64_C(1) << 9 | UINT64_C(1) << 3) /* config, ack */

struct queue {
    struct ph_vring ring;
    bool mapped;
    bool enabled;
    int kick; /* eventfds of the guest's: it tells us, we tell it */
    int call;
};

struct ph_vhost_user {
    struct ph_server *server;
    struct ph_endpoint endpoint;
    int listener;
    int wake[2];
    pthread_t thread;

    /* The thread's own. */
    int qemu; /* -1: none connected */
    struct ph_guest_memory memory;
    struct queue queues[QUEUES];
    struct ph_vsock *vsock;
};

struct message {
    uint32_t request;
    uint32_t flags;
    uint32_t size;
    uint8_t payload[MAX_PAYLOAD];
    int fds[PH_GUEST_REGIONS];
    unsigned fd_count;
};

/* --- messages of QEMU --- */

static void drop_fds(struct message *m)
{
    for (unsigned i = 0; i < m->fd_count; i++) {
        ph_close(&m->fds[i]);
    }
    m->fd_count = 0;
}

static int take_fd(struct message *m)
{
    return m->fd_count ? ph_steal_fd(&m->fds[0]) : -1;
}

static void keep_fds(struct msghdr *msg, struct message *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            m->fd_count = (unsigned)PH_MIN(n, PH_LEN(m->fds));
            memcpy(m->fds, CMSG_DATA(c), m->fd_count * sizeof(int));
        }
    }
}

static bool read_message(int fd, struct message *m)
{
    uint8_t head[HEADER];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * PH_GUEST_REGIONS)];
    } control;
    struct iovec iov = {head, sizeof(head)};
    struct msghdr msg = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = control.bytes,
            .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    m->fd_count = 0;
    if (n <= 0) {
        return false;
    }
    keep_fds(&msg, m);
    struct ph_net_read how = {
            .deadline_ns = ph_clock_ns() + MESSAGE_MS * PH_NS_PER_MS};
    size_t got = (size_t)n;
    if (ph_net_read_full(fd, head + got, sizeof(head) - got, &how) !=
            PH_NET_OK) {
        return false;
    }
    m->request = ph_load_u32(head);
    m->flags = ph_load_u32(head + 4);
    m->size = ph_load_u32(head + 8);
    return m->size <= sizeof(m->payload) &&
            ph_net_read_full(fd, m->payload, m->size, &how) == PH_NET_OK;
}

static bool answer(int fd, struct message *m, uint32_t size)
{
    uint8_t head[HEADER];
    struct iovec iov[2] = {{head, sizeof(head)}, {m->payload, size}};
    ph_store_u32(head, m->request);
    ph_store_u32(head + 4, VERSION | IS_REPLY);
    ph_store_u32(head + 8, size);
    return ph_net_write_full(
            fd, iov, 2, -1, ph_clock_ns() + MESSAGE_MS * PH_NS_PER_MS, 0);
}

static bool answer_u64(int fd, struct message *m, uint64_t value)
{
    ph_store_u64(m->payload, value);
    return answer(fd, m, 8);
}

/* --- memory --- */

static void stop_queue(struct queue *q)
{
    q->mapped = false;
    ph_close(&q->kick);
}

static void forget_memory(struct ph_vhost_user *d)
{
    for (unsigned i = 0; i < QUEUES; i++) {
        d->queues[i].mapped = false;
    }
    for (unsigned i = 0; i < d->memory.count; i++) {
        munmap(d->memory.regions[i].mapping, d->memory.regions[i].mapping_size);
    }
    d->memory.count = 0;
}

/* What lies in the file of what QEMU says; a mapping that is too long would
 * end this program at the first access behind the end. */
static bool map_region(struct ph_guest_region *r, uint64_t offset, int fd)
{
    struct stat st;
    uint64_t end;
    if (__builtin_add_overflow(r->size, offset, &end) || r->size == 0 ||
            r->guest + r->size < r->guest || r->user + r->size < r->user ||
            fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size < end) {
        return false;
    }
    /* From the beginning: offset need not be a multiple of a (huge) page. */
    r->mapping_size = (size_t)end;
    r->mapping = mmap(
            NULL, r->mapping_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (r->mapping == MAP_FAILED) {
        return false;
    }
    r->data = (uint8_t *)r->mapping + offset;
    return true;
}

static bool set_memory(struct ph_vhost_user *d, struct message *m)
{
    struct ph_reader r = ph_reader(m->payload, m->size);
    uint32_t count = ph_read_u32(&r);
    ph_read_u32(&r);
    forget_memory(d);
    if (count > PH_GUEST_REGIONS || count != m->fd_count ||
            ph_reader_left(&r) < (size_t)count * REGION_SIZE) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct ph_guest_region region = {.guest = ph_read_u64(&r)};
        region.size = ph_read_u64(&r);
        region.user = ph_read_u64(&r);
        if (!map_region(&region, ph_read_u64(&r), m->fds[i])) {
            LOG_ERRNO("cannot map the memory of the virtual machine (is it "
                      "share=on?)");
            return false;
        }
        d->memory.regions[d->memory.count++] = region;
    }
    return true;
}

/* --- queues --- */

/* The queue that a message is about; NULL: there is none of that number. */
static struct queue *queue_of(struct ph_vhost_user *d, const struct message *m)
{
    uint32_t index = m->size >= 4 ? ph_load_u32(m->payload) & 0xff : QUEUES;
    return index < QUEUES ? &d->queues[index] : NULL;
}

static bool set_ring_address(struct queue *q, const struct message *m)
{
    struct ph_reader r = ph_reader(m->payload, m->size);
    ph_read_u64(&r); /* index and flags */
    uint64_t desc = ph_read_u64(&r);
    uint64_t used = ph_read_u64(&r);
    uint64_t avail = ph_read_u64(&r);
    q->mapped = r.ok && ph_vring_map(&q->ring, desc, avail, used);
    if (q->mapped) {
        q->ring.next_used = ph_load_u16(q->ring.used + 2);
    }
    return q->mapped;
}

static bool set_queue(struct ph_vhost_user *d, struct message *m)
{
    struct queue *q = queue_of(d, m);
    if (!q || m->size < 8) {
        return false;
    }
    uint32_t value = ph_load_u32(m->payload + 4);
    switch (m->request) {
    case SET_VRING_NUM:
        q->mapped = false; /* the address that follows is checked with it */
        q->ring.size = value <= PH_VRING_MAX_SIZE ? (uint16_t)value : 0;
        return q->ring.size > 0;
    case SET_VRING_BASE:
        q->ring.next_avail = (uint16_t)value;
        return true;
    case SET_VRING_ADDR:
        return set_ring_address(q, m);
    case SET_VRING_ENABLE:
        q->enabled = value == 1;
        return true;
    case SET_VRING_KICK:
        ph_close(&q->kick);
        q->kick = take_fd(m);
        return q->kick >= 0; /* polling instead (NO_FD) is not for us */
    case SET_VRING_CALL:
        ph_close(&q->call);
        q->call = take_fd(m);
        return true;
    default: /* SET_VRING_ERR: dropped */
        return true;
    }
}

static bool get_ring_base(struct ph_vhost_user *d, struct message *m)
{
    struct queue *q = queue_of(d, m);
    if (!q || m->size < 8) {
        return false;
    }
    stop_queue(q);
    ph_vsock_reset(d->vsock); /* what was under way is lost */
    ph_store_u32(m->payload + 4, q->ring.next_avail);
    return answer(d->qemu, m, 8);
}

static bool get_config(struct ph_vhost_user *d, struct message *m)
{
    uint8_t config[CONFIG_SIZE];
    ph_store_u64(config, GUEST_CID);
    uint32_t offset = m->size >= CONFIG_HEAD ? ph_load_u32(m->payload) : 0;
    uint32_t size = m->size >= CONFIG_HEAD ? ph_load_u32(m->payload + 4) : 0;
    if (size > CONFIG_SIZE || offset > CONFIG_SIZE - size) {
        return answer(d->qemu, m, 0); /* an error, says the protocol */
    }
    memcpy(m->payload + CONFIG_HEAD, config + offset, size);
    return answer(d->qemu, m, CONFIG_HEAD + size);
}

/* False: it is malformed, or the connection is over. */
static bool handle(struct ph_vhost_user *d, struct message *m)
{
    bool ok = true;
    switch (m->request) {
    case GET_FEATURES:
        return answer_u64(d->qemu, m, FEATURES);
    case GET_PROTOCOL_FEATURES:
        return answer_u64(d->qemu, m, PROTOCOL_FEATURES);
    case GET_CONFIG:
        return get_config(d, m);
    case GET_VRING_BASE:
        return get_ring_base(d, m);
    case SET_FEATURES: /* those that were offered, or QEMU is broken */
        ok = m->size == 8 && !(ph_load_u64(m->payload) & ~FEATURES);
        break;
    case SET_PROTOCOL_FEATURES:
    case SET_OWNER:
    case RESET_OWNER:
        break;
    case SET_MEM_TABLE:
        ok = set_memory(d, m);
        break;
    case SET_VRING_NUM:
    case SET_VRING_ADDR:
    case SET_VRING_BASE:
    case SET_VRING_KICK:
    case SET_VRING_CALL:
    case SET_VRING_ERR:
    case SET_VRING_ENABLE:
        ok = set_queue(d, m);
        break;
    default:
        LOG_WARN("QEMU asks for what was not offered (request %u)", m->request);
        ok = m->flags & NEEDS_REPLY; /* which says no */
        return ok && answer_u64(d->qemu, m, 1);
    }
    return ok && (!(m->flags & NEEDS_REPLY) || answer_u64(d->qemu, m, 0));
}

/* --- the thread --- */

static void hang_up(struct ph_vhost_user *d, const char *why)
{
    LOG_INFO("%s", why);
    ph_vsock_reset(d->vsock);
    for (unsigned i = 0; i < QUEUES; i++) {
        stop_queue(&d->queues[i]);
        ph_close(&d->queues[i].call);
        d->queues[i] = (struct queue){
                .ring.memory = &d->memory, .kick = -1, .call = -1};
    }
    forget_memory(d);
    ph_close(&d->qemu);
}

static bool runs(const struct queue *q)
{
    return q->mapped && q->kick >= 0 && q->enabled;
}

static void tell(struct queue *q, bool pushed)
{
    if (pushed && q->call >= 0 && ph_vring_wants_call(&q->ring)) {
        uint64_t one = 1;
        if (write(q->call, &one, sizeof(one)) < 0) {
            LOG_DBG("cannot interrupt the guest: %s", strerror(errno));
        }
    }
}

/* Both queues once. *more: something happened, do it again. */
static bool serve(struct ph_vhost_user *d, bool *more)
{
    struct queue *rx = &d->queues[RX];
    struct queue *tx = &d->queues[TX];
    bool took = false;
    bool gave = false;
    *more = false;
    if (!runs(rx) || !runs(tx)) {
        return true;
    }
    bool ok = ph_vsock_take(d->vsock, &tx->ring, &took) &&
            ph_vsock_give(d->vsock, &rx->ring, &gave);
    tell(tx, took);
    tell(rx, gave);
    *more = took || gave;
    return ok;
}

static void drain(const struct pollfd *p)
{
    uint64_t count;
    if (p->revents && read(p->fd, &count, sizeof(count)) < 0) {
        LOG_DBG("kick: %s", strerror(errno));
    }
}

/* One turn with a QEMU. False: hang up. */
static bool turn(struct ph_vhost_user *d, bool *stop)
{
    enum {
        WAKE,
        QEMU,
        KICK,
        STREAMS = KICK + QUEUES
    };
    struct pollfd p[STREAMS + PH_VSOCK_STREAMS] = {
            {d->wake[0], POLLIN, 0}, {d->qemu, POLLIN, 0}};
    bool more = false;
    if (!serve(d, &more)) {
        LOG_WARN("the vsock driver of the guest is broken");
        return false;
    }
    bool running = runs(&d->queues[RX]) && runs(&d->queues[TX]);
    for (unsigned i = 0; i < QUEUES; i++) {
        p[KICK + i] =
                (struct pollfd){running ? d->queues[i].kick : -1, POLLIN, 0};
    }
    unsigned n = STREAMS;
    if (running) {
        bool room = !ph_vring_is_empty(&d->queues[RX].ring);
        n += ph_vsock_poll(d->vsock, room, p + STREAMS);
    }
    if (poll(p, n, more ? 0 : -1) < 0 && errno != EINTR) {
        return false;
    }
    *stop = p[WAKE].revents;
    for (unsigned i = 0; i < QUEUES; i++) {
        drain(&p[KICK + i]);
    }
    if (!p[QEMU].revents) {
        return true;
    }
    struct message m;
    bool ok = read_message(d->qemu, &m) && handle(d, &m);
    drop_fds(&m);
    return ok;
}

static void *run(void *arg)
{
    struct ph_vhost_user *d = arg;
    bool stop = false;
    while (!stop) {
        struct pollfd p[2] = {
                {d->wake[0], POLLIN, 0}, {d->listener, POLLIN, 0}};
        poll(p, 2, -1);
        stop = p[0].revents;
        if (stop || !p[1].revents) {
            continue;
        }
        d->qemu = ph_net_accept(d->listener);
        if (d->qemu < 0) {
            continue;
        }
        LOG_INFO("a virtual machine has connected");
        while (!stop && turn(d, &stop)) {
        }
        hang_up(d, "the virtual machine is gone");
    }
    return NULL;
}

static bool accept_stream(void *data, int fd)
{
    return ph_server_adopt(data, fd);
}

struct ph_vhost_user *ph_vhost_user_create(
        struct ph_server *server, const char *path)
{
    struct ph_vhost_user *d = ph_xcalloc(1, sizeof(*d));
    d->server = server;
    d->endpoint.kind = PH_ENDPOINT_UNIX;
    d->qemu = -1;
    d->wake[0] = d->wake[1] = -1;
    for (unsigned i = 0; i < QUEUES; i++) {
        d->queues[i].ring.memory = &d->memory;
        d->queues[i].kick = d->queues[i].call = -1;
    }
    int n = snprintf(
            d->endpoint.address, sizeof(d->endpoint.address), "%s", path);
    d->listener = n < (int)sizeof(d->endpoint.address)
            ? ph_net_listen(&d->endpoint, BACKLOG)
            : -1;
    if (d->listener < 0) {
        LOG_ERRNO("cannot listen on %s", path);
        free(d);
        return NULL;
    }
    d->vsock = ph_vsock_create(
            GUEST_CID, PH_DEFAULT_PORT, accept_stream, d->server);
    if (!ph_net_wake_pipe(d->wake) ||
            pthread_create(&d->thread, NULL, run, d) != 0) {
        LOG_ERR("no thread for the vsock device");
        abort();
    }
    return d;
}

void ph_vhost_user_destroy(struct ph_vhost_user *d)
{
    if (!d) {
        return;
    }
    ph_net_wake(d->wake[1]);
    pthread_join(d->thread, NULL);
    ph_vsock_destroy(d->vsock);
    ph_close(&d->listener);
    unlink(d->endpoint.address);
    ph_close(&d->wake[0]);
    ph_close(&d->wake[1]);
    free(d);
}
