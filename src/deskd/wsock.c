/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/wsock.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/ws.h"

enum {
    READ_SIZE = 4096, /* at a time, so that one flood does not starve others */
    /* What a peer may send before it said who it is: one AUTH and a little
     * framing. */
    STRANGER_BYTES = 4096,
    LINGER_MS = 2000, /* for the peer to take the close */
    /* A peer that vanished while there was nothing to send (it is paused, or
     * waits for a keyframe) is given up after a minute. */
    KEEP_IDLE_S = 20,
    KEEP_INTERVAL_S = 10,
    KEEP_COUNT = 4,
    /* One that vanished while something was on its way: TCP itself would try
     * for a quarter of an hour. */
    PATIENCE_MS = 10000,
    CHECKS = 5, /* in that time */
    LOST_PROBES = 5, /* of a window that is shut: in 6 s or more */
};

struct wsock {
    struct ph_transport base;
    struct ph_wsock_set *set;
    int fd;
    guint in_source;
    guint out_source; /* 0 unless something is half written */
    guint linger_source;
    guint check_source; /* 0 unless something is on its way */
    int64_t checked_from_ns;

    struct ph_ws_parser parser;
    size_t received;
    bool trusted;
    bool failed; /* the socket is broken: ends at the next dispatch */

    uint8_t out[PH_WS_MAX_HEAD + PH_TRANSPORT_MAX_HEAD];
    size_t out_len;
    size_t out_pos; /* of head and unit together */
    struct ph_unit *unit;

    /* Sent as soon as nothing is half written, in this order. */
    uint8_t pong[PH_WS_MAX_CONTROL];
    size_t pong_len;
    bool pong_due;
    uint8_t last[PH_TRANSPORT_MAX_HEAD];
    size_t last_len;
    uint16_t close_code; /* 0: none due */
    bool closing; /* no events any more */
};

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data);

static struct wsock *from(struct ph_transport *transport)
{
    return PH_CONTAINER(transport, struct wsock, base);
}

static void wsock_free(struct wsock *ws)
{
    ws->set->list = g_list_remove(ws->set->list, ws);
    if (ws->in_source) {
        g_source_remove(ws->in_source);
    }
    if (ws->out_source) {
        g_source_remove(ws->out_source);
    }
    if (ws->linger_source) {
        g_source_remove(ws->linger_source);
    }
    if (ws->check_source) {
        g_source_remove(ws->check_source);
    }
    if (ws->unit) {
        ph_unit_unref(ws->unit);
    }
    close(ws->fd);
    g_free(ws);
}

/* The end, from a dispatch: tells the viewer, then is gone. */
static void end(struct wsock *ws)
{
    if (!ws->closing) {
        ws->closing = true;
        ws->base.events->closed(ws->base.data);
    }
    wsock_free(ws);
}

static bool wsock_busy(struct ph_transport *transport)
{
    struct wsock *ws = from(transport);
    return ws->out_len != 0 || ws->failed;
}

static void watch(struct wsock *ws)
{
    if (!ws->out_source) {
        ws->out_source = g_unix_fd_add(ws->fd, G_IO_OUT, on_writable, ws);
    }
}

static int64_t patience_ns(const struct wsock *ws)
{
    uint32_t ms = ws->set->patience_ms;
    return (ms ? ms : PATIENCE_MS) * PH_NS_PER_MS;
}

/* Nothing of what was sent is acknowledged any more, nor that its window is
 * asked for. A peer that is there and does not read does both. */
static bool is_gone(const struct wsock *ws)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    if (getsockopt(ws->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return false;
    }
    int64_t now = ph_clock_ns();
    int64_t silent = PH_MIN(now - ws->checked_from_ns,
            (int64_t)info.tcpi_last_ack_recv * PH_NS_PER_MS);
    return silent >= patience_ns(ws) &&
            (info.tcpi_unacked > 0 || info.tcpi_probes >= LOST_PROBES);
}

static gboolean on_check(gpointer data)
{
    struct wsock *ws = data;
    int left = 0;
    if (ioctl(ws->fd, SIOCOUTQ, &left) < 0 || left == 0) {
        ws->check_source = 0;
        return G_SOURCE_REMOVE;
    }
    if (is_gone(ws)) {
        ws->check_source = 0;
        end(ws);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static void expect_acknowledgement(struct wsock *ws)
{
    if (!ws->check_source) {
        ws->checked_from_ns = ph_clock_ns();
        ws->check_source = g_timeout_add(
                (guint)(patience_ns(ws) / PH_NS_PER_MS / CHECKS), on_check, ws);
    }
}

/* Writes as much of the message as the socket takes. */
static void flush(struct wsock *ws)
{
    size_t unit_size = ws->unit ? ws->unit->size : 0;
    size_t total = ws->out_len + unit_size;
    while (ws->out_pos < total && !ws->failed) {
        size_t head = PH_MIN(ws->out_pos, ws->out_len);
        size_t body = ws->out_pos - head;
        struct iovec iov[2] = {
                {ws->out + head, ws->out_len - head},
                {ws->unit ? ws->unit->data + body : NULL, unit_size - body},
        };
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = ws->unit ? 2 : 1};
        ssize_t n = sendmsg(ws->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            ws->out_pos += (size_t)n;
            expect_acknowledgement(ws);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            ws->failed = true;
        }
    }
    if (ws->out_pos < total) {
        watch(ws); /* after a failure too: the end comes from the loop */
        return;
    }
    ws->out_len = 0;
    g_clear_pointer(&ws->unit, ph_unit_unref);
}

static void start(struct wsock *ws, enum ph_ws_opcode opcode,
        const uint8_t *head, size_t head_size, struct ph_unit *unit)
{
    size_t unit_size = unit ? unit->size : 0;
    g_assert(head_size <= PH_TRANSPORT_MAX_HEAD && !ws->out_len);
    size_t n = ph_ws_write_head(ws->out, opcode, head_size + unit_size);
    memcpy(ws->out + n, head, head_size);
    ws->out_len = n + head_size;
    ws->out_pos = 0;
    ws->unit = unit ? ph_unit_ref(unit) : NULL;
    flush(ws);
}

static void wsock_send(struct ph_transport *transport, const uint8_t *head,
        size_t head_size, struct ph_unit *unit)
{
    start(from(transport), PH_WS_BINARY, head, head_size, unit);
}

static void wsock_trust(struct ph_transport *transport)
{
    from(transport)->trusted = true;
}

/* What we owe the peer, once nothing is half written. */
static void send_due(struct wsock *ws)
{
    if (ws->pong_due && !wsock_busy(&ws->base)) {
        ws->pong_due = false;
        start(ws, PH_WS_PONG, ws->pong, ws->pong_len, NULL);
    }
    if (ws->last_len && !wsock_busy(&ws->base)) {
        size_t n = ws->last_len;
        ws->last_len = 0;
        start(ws, PH_WS_BINARY, ws->last, n, NULL);
    }
    if (ws->close_code && !wsock_busy(&ws->base)) {
        uint8_t code[2] = {
                (uint8_t)(ws->close_code >> 8), (uint8_t)ws->close_code};
        ws->close_code = 0;
        start(ws, PH_WS_CLOSE, code, sizeof(code), NULL);
    }
    if (ws->closing && !ws->close_code && !wsock_busy(&ws->base)) {
        shutdown(ws->fd, SHUT_WR);
    }
}

static gboolean on_linger(gpointer data)
{
    struct wsock *ws = data;
    ws->linger_source = 0;
    wsock_free(ws);
    return G_SOURCE_REMOVE;
}

static void begin_close(struct wsock *ws, uint16_t code)
{
    ws->closing = true;
    ws->close_code = code;
    ws->linger_source = g_timeout_add(LINGER_MS, on_linger, ws);
    send_due(ws);
}

static void wsock_close(struct ph_transport *transport, uint16_t code,
        const uint8_t *last, size_t last_size)
{
    struct wsock *ws = from(transport);
    if (ws->closing) {
        return;
    }
    if (last) {
        g_assert(last_size <= sizeof(ws->last));
        memcpy(ws->last, last, last_size);
        ws->last_len = last_size;
    }
    begin_close(ws, code);
}

static const struct ph_transport_ops wsock_ops = {
        .busy = wsock_busy,
        .send = wsock_send,
        .trust = wsock_trust,
        .close = wsock_close,
};

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    struct wsock *ws = data;
    if (!ws->failed) {
        flush(ws);
    }
    if (ws->failed) {
        ws->out_source = 0;
        end(ws);
        return G_SOURCE_REMOVE;
    }
    if (!wsock_busy(&ws->base)) {
        send_due(ws);
    }
    if (!ws->closing && !wsock_busy(&ws->base)) {
        ws->base.events->writable(ws->base.data);
    }
    if (wsock_busy(&ws->base)) { /* again, or still */
        return G_SOURCE_CONTINUE;
    }
    ws->out_source = 0;
    return G_SOURCE_REMOVE;
}

/* The peer broke the rules or said close: tells the viewer, answers. */
static void leave(struct wsock *ws, uint16_t code)
{
    if (!ws->closing) {
        ws->closing = true;
        ws->base.events->closed(ws->base.data);
        begin_close(ws, code);
    }
}

static void handle(struct wsock *ws, enum ph_ws_event event)
{
    switch (event) {
    case PH_WS_GOT_MESSAGE:
        ws->base.events->message(
                ws->base.data, ws->parser.message, ws->parser.message_len);
        break;
    case PH_WS_GOT_PING: /* the newest one is answered, RFC 6455 5.5.3 */
        memcpy(ws->pong, ws->parser.control, ws->parser.control_len);
        ws->pong_len = ws->parser.control_len;
        ws->pong_due = true;
        send_due(ws);
        break;
    case PH_WS_GOT_CLOSE:
        leave(ws, PH_WS_NORMAL);
        break;
    case PH_WS_FAILED:
        leave(ws, ws->parser.code);
        break;
    case PH_WS_GOT_NOTHING:
        break;
    }
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    struct wsock *ws = data;
    uint8_t buf[READ_SIZE];
    ssize_t n = recv(ws->fd, buf, sizeof(buf), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (n <= 0) {
        ws->in_source = 0;
        end(ws);
        return G_SOURCE_REMOVE;
    }
    ws->received += ws->trusted ? 0 : (size_t)n;
    if (ws->received > STRANGER_BYTES) {
        leave(ws, PH_WS_POLICY);
    }
    size_t pos = 0;
    while (!ws->closing) {
        size_t used = 0;
        enum ph_ws_event event =
                ph_ws_parse(&ws->parser, buf + pos, (size_t)n - pos, &used);
        pos += used;
        if (event == PH_WS_GOT_NOTHING) {
            break;
        }
        handle(ws, event);
    }
    return G_SOURCE_CONTINUE;
}

/* Else it would hold its keys and its place among --max-viewers for ever, with
 * nothing on its way to it. No TCP_USER_TIMEOUT: that would also throw out who
 * is there but does not read. Best effort: a socket that is not TCP needs none
 * of it. */
static void notice_vanished(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
            {SOL_SOCKET, SO_KEEPALIVE, 1},
            {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
            {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
            {IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
    };
    for (size_t i = 0; i < PH_LEN(options); i++) {
        setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                sizeof(options[i].value));
    }
}

struct ph_transport *ph_wsock_create(struct ph_wsock_set *set, int fd)
{
    struct wsock *ws = g_new0(struct wsock, 1);
    ws->base.ops = &wsock_ops;
    ws->set = set;
    ws->fd = fd;
    notice_vanished(fd);
    ws->in_source = g_unix_fd_add(fd, G_IO_IN, on_readable, ws);
    set->list = g_list_prepend(set->list, ws);
    return &ws->base;
}

void ph_wsock_set_finish(struct ph_wsock_set *set)
{
    for (GList *next, *l = set->list; l; l = next) {
        next = l->next;
        wsock_free(l->data);
    }
}
