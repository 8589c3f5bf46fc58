/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/serial.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/net.h"
#include "proto/hxfr_ext.h"

enum {
    PROGRESS_S = 10,
    SESSION = 1,
};

static bool send_reset(struct ph_serial *s, uint32_t phase)
{
    uint8_t buf[PH_HXFR_RESET_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_reset reset = {s->nonce, phase};
    ph_hxfr_write_reset(&w, SESSION, &reset);
    struct iovec iov = {buf, w.len};
    return ph_net_write_full(
            s->fd, &iov, 1, -1, ph_deadline_ms(PROGRESS_S * 1000), 0);
}

bool ph_serial_start(struct ph_serial *s, int fd)
{
    *s = (struct ph_serial){.fd = fd};
    return send_reset(s, PH_HXFR_RESET_NEWS);
}

void ph_serial_asked(struct ph_serial *s, uint64_t nonce)
{
    s->asked = true;
    s->nonce = nonce;
}

/* How many bytes stand before what may be the head of a RESET. */
static size_t find_head(const uint8_t *data, size_t len)
{
    static const uint8_t head[] = {'H', 'X', 'F', 'R', PH_HXFR_RESET};
    for (size_t i = 0; i < len; i++) {
        const uint8_t *at = memchr(data + i, head[0], len - i);
        if (!at) {
            return len;
        }
        i = (size_t)(at - data);
        size_t n = len - i < sizeof(head) ? len - i : sizeof(head);
        if (!memcmp(at, head, n)) {
            return i;
        }
    }
    return len;
}

static bool read_all(struct ph_serial *s, void *buf, size_t len, int64_t until)
{
    struct ph_net_read how = {until, 0, NULL};
    return ph_net_read_full(s->fd, buf, len, &how) == PH_NET_OK;
}

/* Skips up to the head of what may be a RESET. False: the stream is over. */
static bool skip(struct ph_serial *s)
{
    uint8_t buf[16384];
    for (;;) {
        struct pollfd p = {s->fd, POLLIN, 0};
        ssize_t n = recv(s->fd, buf, sizeof(buf), MSG_PEEK);
        if (n > 0) {
            size_t before = find_head(buf, (size_t)n);
            if (before && !read_all(s, buf, before, PH_NEVER)) {
                return false;
            }
            if (before < (size_t)n) {
                return true;
            }
        } else if (n == 0 || errno != EAGAIN ||
                (poll(&p, 1, -1) < 0 && errno != EINTR)) {
            return false;
        }
    }
}

/* The next RESET. What only looks like its head is dropped with what is
 * behind it, in the length of a RESET: a guest asks until it is answered. */
static bool next_reset(struct ph_serial *s, struct ph_hxfr_reset *out)
{
    uint8_t buf[PH_HXFR_RESET_SIZE];
    struct ph_hxfr_header h;
    while (skip(s)) {
        if (!read_all(s, buf, sizeof(buf), ph_deadline_ms(PROGRESS_S * 1000))) {
            if (errno == ETIMEDOUT) {
                continue;
            }
            return false;
        }
        if (ph_hxfr_parse_header(buf, &h) && h.type == PH_HXFR_RESET &&
                h.payload == sizeof(buf) - PH_HXFR_HEADER_SIZE &&
                ph_hxfr_parse_reset(
                        buf + PH_HXFR_HEADER_SIZE, h.payload, out)) {
            return true;
        }
    }
    return false;
}

/* A guest may have asked many times before it sees the answer: the first one
 * is answered, so that nothing stands between that and our first message. */
static bool take_ask(struct ph_serial *s, uint64_t nonce)
{
    if (s->asked && s->nonce == nonce) {
        return true;
    }
    ph_serial_asked(s, nonce);
    return send_reset(s, PH_HXFR_RESET_ANSWER);
}

bool ph_serial_wait(struct ph_serial *s)
{
    struct ph_hxfr_reset reset;
    if (s->asked && !send_reset(s, PH_HXFR_RESET_ANSWER)) {
        return false;
    }
    while (next_reset(s, &reset)) {
        if (reset.phase == PH_HXFR_RESET_ASK && !take_ask(s, reset.nonce)) {
            return false;
        }
        if (reset.phase == PH_HXFR_RESET_BEGIN && s->asked &&
                reset.nonce == s->nonce) {
            s->asked = false;
            return true;
        }
    }
    return false;
}
