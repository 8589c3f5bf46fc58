/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/reset.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macros.h"
#include "common/net.h"
#include "proto/hxfr_ext.h"

enum {
    SESSION = 1,
    /* So long a host that waits for a message takes at most to answer. */
    CALM_MS = 300,
    BLOCK = 32 << 10,
};

struct reset {
    int fd;
    int64_t deadline_ns;
    struct ph_hxfr_reset ask;
    uint8_t wanted[PH_HXFR_RESET_SIZE]; /* the answer */
    uint8_t tail[PH_HXFR_RESET_SIZE]; /* what came last */
    size_t tail_len;
};

static void encode(const struct ph_hxfr_reset *r, uint8_t *out)
{
    struct ph_writer w = ph_writer(out, PH_HXFR_RESET_SIZE);
    ph_hxfr_write_reset(&w, SESSION, r);
}

/* Looks for the answer in what came, and in what came before it. */
static bool is_answered(struct reset *r, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (r->tail_len == sizeof(r->tail)) {
            memmove(r->tail, r->tail + 1, --r->tail_len);
        }
        r->tail[r->tail_len++] = data[i];
        if (r->tail_len == sizeof(r->tail) &&
                !memcmp(r->tail, r->wanted, sizeof(r->tail))) {
            return true;
        }
    }
    return false;
}

enum outcome {
    WAITING,
    ANSWERED,
    FAILED,
};

/* Reads what there is. */
static enum outcome listen_for_answer(struct reset *r)
{
    uint8_t buf[4096];
    for (;;) {
        ssize_t n = read(r->fd, buf, sizeof(buf));
        if (n > 0) {
            /* Nothing follows the answer: it waits for our BEGIN. */
            if (is_answered(r, buf, (size_t)n)) {
                return ANSWERED;
            }
        } else if (n == 0) {
            errno = EPIPE; /* nobody has the other end open */
            return FAILED;
        } else if (errno == EAGAIN) {
            return WAITING;
        } else if (errno != EINTR) {
            return FAILED;
        }
    }
}

static bool write_block(struct reset *r, uint8_t *data, size_t len)
{
    struct iovec iov = {data, len};
    return ph_net_write_full(r->fd, &iov, 1, -1, r->deadline_ns, 0);
}

/* Waits for the answer until then. */
static enum outcome wait_until(struct reset *r, int64_t until_ns)
{
    for (;;) {
        enum outcome o = listen_for_answer(r);
        if (o != WAITING || ph_clock_ns() >= until_ns) {
            return o;
        }
        struct pollfd p = {r->fd, POLLIN, 0};
        if (poll(&p, 1, ph_deadline_poll_ms(until_ns)) < 0 && errno != EINTR) {
            return FAILED;
        }
    }
}

/* The host may be in the middle of a message that nobody ends any more:
 * feeds it zeros, which are no message, until it asks what this is. */
static enum outcome flood(struct reset *r)
{
    uint8_t block[BLOCK] = {0};
    encode(&r->ask, block + sizeof(block) - PH_HXFR_RESET_SIZE);
    enum outcome o = WAITING;
    while (o == WAITING) {
        if (ph_clock_ns() >= r->deadline_ns) {
            errno = ETIMEDOUT;
            return FAILED;
        }
        if (!write_block(r, block, sizeof(block))) {
            return FAILED;
        }
        o = listen_for_answer(r);
    }
    return o;
}

bool ph_reset_connect(int fd, int64_t deadline_ns)
{
    uint64_t nonce = (uint64_t)ph_clock_ns() << 16 ^ (uint64_t)getpid();
    struct reset r = {
            .fd = fd,
            .deadline_ns = deadline_ns,
            .ask = {nonce, PH_HXFR_RESET_ASK},
    };
    uint8_t message[PH_HXFR_RESET_SIZE];
    encode(&(struct ph_hxfr_reset){nonce, PH_HXFR_RESET_ANSWER}, r.wanted);
    encode(&r.ask, message);
    if (!write_block(&r, message, sizeof(message))) {
        return false;
    }
    enum outcome o =
            wait_until(&r, PH_MIN(deadline_ns, ph_deadline_ms(CALM_MS)));
    if (o == WAITING) {
        o = flood(&r);
    }
    if (o != ANSWERED) {
        return false;
    }
    encode(&(struct ph_hxfr_reset){nonce, PH_HXFR_RESET_BEGIN}, message);
    return write_block(&r, message, sizeof(message));
}
