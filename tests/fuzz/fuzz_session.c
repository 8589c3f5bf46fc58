/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole connection: the input is what a guest sends until it hangs up, read
 * by a session of porthole-hostd with a fake encoder; and once more as what
 * guests leave on a stream that cannot hang up, which it is searched for a
 * beginning, again and again. Whatever comes, it ends, and every byte that it
 * took from the memory budget is given back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "hostd/encoder_fake.h"
#include "hostd/serial.h"
#include "hostd/session.h"

#define LOG_MODULE "fuzz"
#include "common/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ph_budget budget = {.limit = 64 << 20};
static const struct ph_session_config config = {
        .encoder = &ph_fake_encoder,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = 10000,
        .idle_ms = 10000,
};

/* As the server does it for each of its connections. */
static void serve(int fd)
{
    struct ph_session *session = ph_session_create(&config, fd, 1);
    ph_session_run(session);
    ph_session_destroy(session);
}

static void serve_line(int fd)
{
    struct ph_serial line;
    bool ok = ph_serial_start(&line, fd);
    while (ok && ph_serial_wait(&line)) {
        int copy = dup(fd);
        if (copy < 0 || !ph_net_adopt(copy)) {
            abort();
        }
        struct ph_session *session = ph_session_create(&config, copy, 1);
        ph_session_set_line(session, &line);
        ph_session_run(session);
        ph_session_destroy(session);
    }
    close(fd);
}

/* The input is all that comes; what is answered stays unread. */
static void run(void (*use)(int fd), const uint8_t *data, size_t size)
{
    int fds[2];
    struct iovec iov = {(void *)data, size};
    if (!ph_net_pair(fds)) {
        return;
    }
    if (!ph_net_write_full(fds[0], &iov, 1, -1, ph_deadline_ms(10000), 0)) {
        abort();
    }
    shutdown(fds[0], SHUT_WR);
    use(fds[1]);
    close(fds[0]);
    if (budget.used != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum {
        MOST = 32 << 10, /* fits into the socket at once, and its answers */
        LINE_MOST = 4 << 10, /* the same: each 24 bytes have an answer */
    };
    ph_log_set_level(PH_LOG_ERROR);
    if (size <= MOST) {
        run(serve, data, size);
    }
    if (size <= LINE_MOST) {
        run(serve_line, data, size);
    }
    return 0;
}
