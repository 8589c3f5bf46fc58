/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a stream that cannot hang up, in whatever state it is. */
#include "hostd/serial.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "link/reset.h"
#include "proto/hxfr_ext.h"

#include "check.h"

struct host {
    int fd;
    size_t swallow; /* what it still takes for a message of before */
    bool begun;
    char next[6]; /* what came behind the beginning */
};

static bool read_all(int fd, void *buf, size_t len)
{
    struct ph_net_read how = {ph_deadline_ms(20000), 0, NULL};
    return ph_net_read_full(fd, buf, len, &how) == PH_NET_OK;
}

static bool write_all(int fd, const void *buf, size_t len)
{
    struct iovec iov = {(void *)buf, len};
    return ph_net_write_full(fd, &iov, 1, -1, ph_deadline_ms(20000), 0);
}

static void *run_host(void *arg)
{
    struct host *h = arg;
    struct ph_serial serial;
    uint8_t buf[4096];
    CHECK(ph_serial_start(&serial, h->fd));
    while (h->swallow > 0) {
        size_t n = h->swallow < sizeof(buf) ? h->swallow : sizeof(buf);
        CHECK(read_all(h->fd, buf, n));
        h->swallow -= n;
    }
    h->begun = ph_serial_wait(&serial);
    if (h->begun) {
        CHECK(read_all(h->fd, h->next, 5));
    }
    return NULL;
}

/* A beginning after a guest left `before` on the stream, and its host wants
 * `swallow` bytes more of a message that nobody ends. */
static void check_beginning(const void *before, size_t len, size_t swallow)
{
    int fds[2];
    pthread_t thread;
    struct host host = {.swallow = swallow};
    CHECK(ph_net_pair(fds));
    host.fd = fds[1];
    CHECK(write_all(fds[0], before, len));
    pthread_create(&thread, NULL, run_host, &host);
    CHECK(ph_reset_connect(fds[0], ph_deadline_ms(20000), -1));
    CHECK(write_all(fds[0], "HELLO", 5));
    pthread_join(thread, NULL);
    CHECK(host.begun);
    CHECK_STR(host.next, "HELLO");
    close(fds[0]);
    close(fds[1]);
}

static void test_beginnings(void)
{
    uint8_t reset[PH_HXFR_RESET_SIZE];
    struct ph_writer w = ph_writer(reset, sizeof(reset));
    struct ph_hxfr_reset old = {77, PH_HXFR_RESET_BEGIN};
    ph_hxfr_write_reset(&w, 1, &old);
    check_beginning("", 0, 0);
    check_beginning("HXFHXFRHHXFR", 12, 0);
    check_beginning(reset, sizeof(reset), 0);
    for (size_t n = 3; n < sizeof(reset); n += 10) {
        check_beginning(reset, n, 0);
    }
    for (size_t n = 20; n < 5000000; n *= 101) {
        check_beginning("", 0, n);
    }
}

/* The guest that was here is gone, and what it asked was never begun. */
static void test_two_guests(void)
{
    int fds[2];
    pthread_t thread;
    struct host host = {0};
    uint8_t reset[PH_HXFR_RESET_SIZE];
    struct ph_writer w = ph_writer(reset, sizeof(reset));
    struct ph_hxfr_reset ask = {77, PH_HXFR_RESET_ASK};
    ph_hxfr_write_reset(&w, 1, &ask);
    CHECK(ph_net_pair(fds));
    host.fd = fds[1];
    for (int i = 0; i < 3; i++) {
        CHECK(write_all(fds[0], reset, sizeof(reset)));
    }
    pthread_create(&thread, NULL, run_host, &host);
    CHECK(ph_reset_connect(fds[0], ph_deadline_ms(20000), -1));
    CHECK(write_all(fds[0], "again", 5));
    pthread_join(thread, NULL);
    CHECK(host.begun);
    CHECK_STR(host.next, "again");
    close(fds[0]);
    close(fds[1]);
}

static void test_nobody(void)
{
    int fds[2];
    CHECK(ph_net_pair(fds));
    errno = 0;
    CHECK(!ph_reset_connect(fds[0], ph_deadline_ms(500), -1));
    CHECK_EQ(errno, ETIMEDOUT);
    close(fds[1]);
    CHECK(!ph_reset_connect(fds[0], ph_deadline_ms(500), -1));
    CHECK(errno == EPIPE || errno == ECONNRESET);
    close(fds[0]);
    CHECK(ph_net_pair(fds));
    close(fds[0]);
    struct ph_serial serial = {.fd = fds[1]};
    CHECK(!ph_serial_wait(&serial));
    close(fds[1]);
}

/* Nobody answers, and nobody wants an answer any more: in the calm, and when
 * no more zeros fit. Without an end of its own this would hang. */
static void test_stopped(void)
{
    int fds[2];
    int stop[2];
    CHECK(ph_net_wake_pipe(stop));
    CHECK(ph_net_pair(fds));
    ph_net_wake(stop[1]);
    errno = 0;
    CHECK(!ph_reset_connect(fds[0], PH_NEVER, stop[0]));
    CHECK_EQ(errno, ECANCELED);
    close(fds[0]);
    close(fds[1]);
    close(stop[0]);
    close(stop[1]);
}

/* A host that never stops sending, but never answers. */
static void *babble(void *arg)
{
    static const uint8_t noise[4096];
    int fd = *(const int *)arg;
    while (write_all(fd, noise, sizeof(noise))) {
    }
    return NULL;
}

static void test_babbler(void)
{
    int fds[2];
    pthread_t thread;
    CHECK(ph_net_pair(fds));
    pthread_create(&thread, NULL, babble, &fds[1]);
    errno = 0;
    CHECK(!ph_reset_connect(fds[0], ph_deadline_ms(500), -1));
    CHECK_EQ(errno, ETIMEDOUT);
    close(fds[0]);
    pthread_join(thread, NULL);
    close(fds[1]);
}

int main(void)
{
    test_beginnings();
    test_two_guests();
    test_nobody();
    test_stopped();
    test_babbler();
    return CHECK_DONE();
}
