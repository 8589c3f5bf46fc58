/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/vsock_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/macros.h"
#include "common/net.h"

#define LOG_MODULE "vsock"
#include "common/log.h"

enum op {
    OP_REQUEST = 1,
    OP_RESPONSE = 2,
    OP_RST = 3,
    OP_SHUTDOWN = 4,
    OP_RW = 5,
    OP_CREDIT_UPDATE = 6,
    OP_CREDIT_REQUEST = 7,
};

enum {
    HOST_CID = 2,
    TYPE_STREAM = 1,
    SHUTDOWN_RECEIVE = 1,
    SHUTDOWN_SEND = 2,
    SHUTDOWN_BOTH = 3,
    MAX_PACKET = 64 << 10, /* payload; what Linux drivers send at most */
    CREDIT_EVERY = PH_VSOCK_BUFFER / 4, /* a Linux driver stalls without */
    MAX_RESETS = 32, /* owed for streams that we do not have */
};

struct packet {
    uint64_t from_cid;
    uint64_t to_cid;
    uint32_t from_port;
    uint32_t to_port;
    uint32_t len;
    uint16_t type;
    uint16_t op;
    uint32_t flags;
    uint32_t buffer; /* how much of the sender's buffer there is */
    uint32_t forwarded; /* and how much it took out, modulo 2^32 */
};

struct stream {
    bool open;
    int fd; /* our end of the pair; -1: the session is gone */
    uint32_t guest_port;
    uint32_t forwarded; /* bytes that the session's socket took */
    uint32_t told; /* of those, to the guest */
    uint32_t sent; /* to the guest */
    uint32_t peer_buffer;
    uint32_t peer_forwarded;
    unsigned owed; /* bits of 1 << op */
    bool guest_ended; /* it sends nothing more */
    uint8_t *held; /* PH_VSOCK_BUFFER bytes: what the socket did not take */
    size_t held_begin;
    size_t held_end;
};

struct reset {
    uint32_t guest_port;
    uint32_t host_port;
};

struct ph_vsock {
    uint64_t guest_cid;
    uint32_t port;
    bool (*accept)(void *data, int fd);
    void *data;
    struct stream streams[PH_VSOCK_STREAMS];
    unsigned turn; /* who is served first */
    struct reset resets[MAX_RESETS];
    unsigned reset_count;
};

/* --- life --- */

struct ph_vsock *ph_vsock_create(uint64_t guest_cid, uint32_t port,
        bool (*accept)(void *data, int fd), void *data)
{
    struct ph_vsock *v = ph_xcalloc(1, sizeof(*v));
    v->guest_cid = guest_cid;
    v->port = port;
    v->accept = accept;
    v->data = data;
    return v;
}

static void close_stream(struct stream *s)
{
    if (s->open) {
        ph_close(&s->fd);
        free(s->held);
        *s = (struct stream){.fd = -1};
    }
}

void ph_vsock_reset(struct ph_vsock *v)
{
    for (unsigned i = 0; i < PH_VSOCK_STREAMS; i++) {
        close_stream(&v->streams[i]);
    }
    v->reset_count = 0;
}

void ph_vsock_destroy(struct ph_vsock *v)
{
    if (v) {
        ph_vsock_reset(v);
        free(v);
    }
}

/* --- packets --- */

static bool parse_packet(const uint8_t bytes[PH_VSOCK_HEADER], struct packet *p)
{
    struct ph_reader r = ph_reader(bytes, PH_VSOCK_HEADER);
    p->from_cid = ph_read_u64(&r);
    p->to_cid = ph_read_u64(&r);
    p->from_port = ph_read_u32(&r);
    p->to_port = ph_read_u32(&r);
    p->len = ph_read_u32(&r);
    p->type = ph_read_u16(&r);
    p->op = ph_read_u16(&r);
    p->flags = ph_read_u32(&r);
    p->buffer = ph_read_u32(&r);
    p->forwarded = ph_read_u32(&r);
    return r.ok;
}

static void write_packet(uint8_t bytes[PH_VSOCK_HEADER], const struct packet *p)
{
    struct ph_writer w = ph_writer(bytes, PH_VSOCK_HEADER);
    ph_write_u64(&w, p->from_cid);
    ph_write_u64(&w, p->to_cid);
    ph_write_u32(&w, p->from_port);
    ph_write_u32(&w, p->to_port);
    ph_write_u32(&w, p->len);
    ph_write_u16(&w, p->type);
    ph_write_u16(&w, p->op);
    ph_write_u32(&w, p->flags);
    ph_write_u32(&w, p->buffer);
    ph_write_u32(&w, p->forwarded);
}

static struct stream *find(struct ph_vsock *v, uint32_t guest_port)
{
    for (unsigned i = 0; i < PH_VSOCK_STREAMS; i++) {
        if (v->streams[i].open && v->streams[i].guest_port == guest_port) {
            return &v->streams[i];
        }
    }
    return NULL;
}

static void owe_reset(struct ph_vsock *v, uint32_t guest_port, uint32_t port)
{
    v->resets[v->reset_count++] = (struct reset){guest_port, port};
}

/* --- from the guest --- */

static bool flush_held(struct stream *s)
{
    while (s->held_begin < s->held_end) {
        ssize_t n = send(s->fd, s->held + s->held_begin,
                s->held_end - s->held_begin, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        s->held_begin += (size_t)n;
        s->forwarded += (uint32_t)n;
    }
    s->held_begin = s->held_end = 0;
    if (s->guest_ended) {
        shutdown(s->fd, SHUT_WR);
    }
    return true;
}

/* The session went away, or the guest lied about credit: no more of it. */
static void end_stream(struct ph_vsock *v, struct stream *s)
{
    owe_reset(v, s->guest_port, v->port);
    close_stream(s);
}

/* The payload lies in iov from byte PH_VSOCK_HEADER on. */
static void take_data(struct ph_vsock *v, struct stream *s,
        const struct ph_vring_chain *c, size_t len)
{
    struct iovec part[PH_VRING_MAX_CHAIN];
    size_t done = 0;
    if (s->fd < 0) {
        return; /* SHUTDOWN is on its way to the guest */
    }
    if (s->held_end == 0 && len > 0) {
        struct msghdr msg = {.msg_iov = part};
        msg.msg_iovlen =
                ph_iov_slice(c->iov, c->readable, PH_VSOCK_HEADER, len, part);
        ssize_t n = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            end_stream(v, s);
            return;
        }
        done = n > 0 ? (size_t)n : 0;
        s->forwarded += (uint32_t)done;
    }
    if (s->held_begin > 0) {
        memmove(s->held, s->held + s->held_begin, s->held_end - s->held_begin);
        s->held_end -= s->held_begin;
        s->held_begin = 0;
    }
    if (len - done > PH_VSOCK_BUFFER - s->held_end) {
        LOG_WARN("a guest sends more than it has credit for");
        end_stream(v, s);
        return;
    }
    unsigned n = ph_iov_slice(
            c->iov, c->readable, PH_VSOCK_HEADER + done, len - done, part);
    s->held_end += ph_iov_read(part, n, s->held + s->held_end, len - done);
}

static void take_request(struct ph_vsock *v, const struct packet *p)
{
    int pair[2];
    struct stream *s = find(v, p->from_port);
    for (unsigned i = 0; !s && i < PH_VSOCK_STREAMS; i++) {
        struct stream *free_one = &v->streams[i];
        s = free_one->open && free_one->fd >= 0 ? NULL : free_one;
    }
    if (!s || p->to_port != v->port || !ph_net_pair(pair)) {
        owe_reset(v, p->from_port, p->to_port);
        return;
    }
    /* It begins anew with this port, or has not let go of another stream. */
    close_stream(s);
    if (!ph_net_adopt(pair[0]) || !ph_net_adopt(pair[1]) ||
            !v->accept(v->data, pair[1])) {
        close(pair[0]);
        owe_reset(v, p->from_port, p->to_port);
        return;
    }
    *s = (struct stream){
            .open = true,
            .fd = pair[0],
            .guest_port = p->from_port,
            .peer_buffer = p->buffer,
            .peer_forwarded = p->forwarded,
            .owed = 1 << OP_RESPONSE,
            .held = ph_xcalloc(1, PH_VSOCK_BUFFER),
    };
}

static void take_shutdown(
        struct ph_vsock *v, struct stream *s, const struct packet *p)
{
    if ((p->flags & SHUTDOWN_BOTH) == SHUTDOWN_BOTH || s->fd < 0) {
        end_stream(v, s); /* the answer to it is RST */
        return;
    }
    if (p->flags & SHUTDOWN_SEND) {
        s->guest_ended = true;
        if (!flush_held(s)) {
            end_stream(v, s);
        }
    }
}

static void take_packet(struct ph_vsock *v, const struct packet *p,
        const struct ph_vring_chain *c)
{
    if (p->from_cid != v->guest_cid || p->to_cid != HOST_CID) {
        return; /* not for us: spec, 5.10.6.5 */
    }
    if (p->op == OP_REQUEST && p->type == TYPE_STREAM) {
        take_request(v, p);
        return;
    }
    struct stream *s = p->to_port == v->port && p->type == TYPE_STREAM
            ? find(v, p->from_port)
            : NULL;
    if (!s) {
        if (p->op != OP_RST) {
            owe_reset(v, p->from_port, p->to_port);
        }
        return;
    }
    s->peer_buffer = p->buffer;
    s->peer_forwarded = p->forwarded;
    switch (p->op) {
    case OP_RW:
        take_data(v, s, c, p->len);
        break;
    case OP_SHUTDOWN:
        take_shutdown(v, s, p);
        break;
    case OP_RST:
        close_stream(s);
        break;
    case OP_CREDIT_UPDATE:
        break;
    case OP_CREDIT_REQUEST:
        s->owed |= 1 << OP_CREDIT_UPDATE;
        break;
    default:
        end_stream(v, s);
    }
}

bool ph_vsock_take(struct ph_vsock *v, struct ph_vring *tx, bool *pushed)
{
    struct ph_vring_chain c;
    enum ph_vring_result result = PH_VRING_EMPTY;
    for (unsigned i = 0; i < PH_VSOCK_STREAMS; i++) {
        struct stream *s = &v->streams[i];
        if (s->open && s->held_end > 0 && v->reset_count < MAX_RESETS &&
                !flush_held(s)) {
            end_stream(v, s);
        }
    }
    /* While the guest leaves no room for answers it is not listened to. */
    for (unsigned n = 0; n < tx->size && v->reset_count < MAX_RESETS; n++) {
        result = ph_vring_pop(tx, &c);
        if (result != PH_VRING_OK) {
            break;
        }
        uint8_t header[PH_VSOCK_HEADER];
        struct packet p;
        if (ph_iov_read(c.iov, c.readable, header, sizeof(header)) <
                        sizeof(header) ||
                !parse_packet(header, &p) || p.len > MAX_PACKET ||
                p.len > c.readable_size - sizeof(header)) {
            return false;
        }
        take_packet(v, &p, &c);
        ph_vring_push(tx, c.head, 0);
        *pushed = true;
    }
    return result != PH_VRING_BROKEN;
}

/* --- to the guest --- */

static uint32_t credit(const struct stream *s)
{
    uint32_t flying = s->sent - s->peer_forwarded;
    return flying < s->peer_buffer ? s->peer_buffer - flying : 0;
}

/* What a stream has for the guest now, into the chain behind the header: its
 * op, or 0 for nothing. */
static enum op next_of(
        struct stream *s, const struct ph_vring_chain *c, uint32_t *len)
{
    struct iovec part[PH_VRING_MAX_CHAIN];
    *len = 0;
    if (s->forwarded - s->told >= CREDIT_EVERY) {
        s->owed |= 1 << OP_CREDIT_UPDATE;
    }
    for (enum op op = OP_RESPONSE; op <= OP_CREDIT_UPDATE; op++) {
        if (s->owed & 1U << op) {
            s->owed &= ~(1U << op);
            return op;
        }
    }
    size_t most = PH_MIN(
            PH_MIN(credit(s), MAX_PACKET), c->writable_size - PH_VSOCK_HEADER);
    if (s->fd < 0 || most == 0) {
        return 0;
    }
    struct msghdr msg = {.msg_iov = part};
    msg.msg_iovlen = ph_iov_slice(
            c->iov + c->readable, c->writable, PH_VSOCK_HEADER, most, part);
    ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);
    if (n > 0) {
        s->sent += (uint32_t)n;
        *len = (uint32_t)n;
        return OP_RW;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    ph_close(&s->fd); /* the session ended it */
    s->held_begin = s->held_end = 0;
    return OP_SHUTDOWN;
}

static bool next_packet(
        struct ph_vsock *v, const struct ph_vring_chain *c, struct packet *p)
{
    *p = (struct packet){.from_cid = HOST_CID,
            .to_cid = v->guest_cid,
            .from_port = v->port,
            .type = TYPE_STREAM,
            .buffer = PH_VSOCK_BUFFER};
    if (v->reset_count > 0) {
        struct reset *r = &v->resets[--v->reset_count];
        p->to_port = r->guest_port;
        p->from_port = r->host_port;
        p->op = OP_RST;
        return true;
    }
    for (unsigned i = 0; i < PH_VSOCK_STREAMS; i++) {
        unsigned n = (v->turn + i) % PH_VSOCK_STREAMS;
        struct stream *s = &v->streams[n];
        p->op = s->open ? (uint16_t)next_of(s, c, &p->len) : 0;
        if (p->op) {
            v->turn = n + 1;
            p->to_port = s->guest_port;
            p->flags = p->op == OP_SHUTDOWN ? SHUTDOWN_BOTH : 0;
            p->forwarded = s->told = s->forwarded;
            return true;
        }
    }
    return false;
}

bool ph_vsock_give(struct ph_vsock *v, struct ph_vring *rx, bool *pushed)
{
    struct ph_vring_chain c;
    struct packet p;
    enum ph_vring_result result = PH_VRING_EMPTY;
    for (unsigned n = 0; n < rx->size; n++) {
        uint8_t header[PH_VSOCK_HEADER];
        result = ph_vring_pop(rx, &c);
        if (result != PH_VRING_OK) {
            break;
        }
        if (c.writable_size < sizeof(header)) {
            return false;
        }
        if (!next_packet(v, &c, &p)) {
            ph_vring_unpop(rx);
            return true;
        }
        write_packet(header, &p);
        ph_iov_write(c.iov + c.readable, c.writable, header, sizeof(header));
        ph_vring_push(rx, c.head, (uint32_t)sizeof(header) + p.len);
        *pushed = true;
    }
    return result != PH_VRING_BROKEN;
}

unsigned ph_vsock_poll(const struct ph_vsock *v, bool room, struct pollfd *fds)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PH_VSOCK_STREAMS; i++) {
        const struct stream *s = &v->streams[i];
        short events = 0;
        if (s->open && s->fd >= 0) {
            events = (short)((room && credit(s) ? POLLIN : 0) |
                    (s->held_end > 0 ? POLLOUT : 0));
        }
        if (events) {
            fds[n++] = (struct pollfd){s->fd, events, 0};
        }
    }
    return n;
}
