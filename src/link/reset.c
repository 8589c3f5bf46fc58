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
    int stop_fd;
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

/* Reads what comes until then; in the past: what there is. However much comes,
 * that ends with the deadline of it all. */
static enum outcome listen_for_answer(struct reset *r, int64_t until_ns)
{
    uint8_t buf[4096];
    while (ph_clock_ns() < r->deadline_ns) {
        if (!ph_net_wait(r->fd, POLLIN, until_ns, r->stop_fd)) {
            return errno == ETIMEDOUT ? WAITING : FAILED;
        }
        ssize_t n = read(r->fd, buf, sizeof(buf));
        if (n > 0) {
            /* Nothing follows the answer: it waits for our BEGIN. */
            if (is_answered(r, buf, (size_t)n)) {
                return ANSWERED;
            }
        } else if (n == 0) {
            errno = EPIPE; /* nobody has the other end open */
            return FAILED;
        } else if (errno != EAGAIN && errno != EINTR) {
            return FAILED;
        }
    }
    errno = ETIMEDOUT;
    return FAILED;
}

static bool write_block(struct reset *r, uint8_t *data, size_t len)
{
    struct iovec iov = {data, len};
    return ph_net_write_until(r->fd, &iov, 1, r->deadline_ns, r->stop_fd);
}

/* The host may be in the middle of a message that nobody ends any more:
 * feeds it zeros, which are no message, until it asks what this is. */
static enum outcome flood(struct reset *r)
{
    uint8_t block[BLOCK] = {0};
    encode(&r->ask, block + sizeof(block) - PH_HXFR_RESET_SIZE);
    for (;;) {
        enum outcome o = listen_for_answer(r, 0);
        if (o != WAITING) {
            return o;
        }
        if (!write_block(r, block, sizeof(block))) {
            return FAILED;
        }
    }
}

bool ph_reset_connect(int fd, int64_t deadline_ns, int stop_fd)
{
    uint64_t nonce = (uint64_t)ph_clock_ns() << 16 ^ (uint64_t)getpid();
    struct reset r = {
            .fd = fd,
            .deadline_ns = deadline_ns,
            .stop_fd = stop_fd,
            .ask = {nonce, PH_HXFR_RESET_ASK},
    };
    uint8_t message[PH_HXFR_RESET_SIZE];
    encode(&(struct ph_hxfr_reset){nonce, PH_HXFR_RESET_ANSWER}, r.wanted);
    encode(&r.ask, message);
    if (!write_block(&r, message, sizeof(message))) {
        return false;
    }
    enum outcome o =
            listen_for_answer(&r, PH_MIN(deadline_ns, ph_deadline_ms(CALM_MS)));
    if (o == WAITING) {
        o = flood(&r);
    }
    if (o != ANSWERED) {
        return false;
    }
    encode(&(struct ph_hxfr_reset){nonce, PH_HXFR_RESET_BEGIN}, message);
    return write_block(&r, message, sizeof(message));
}
