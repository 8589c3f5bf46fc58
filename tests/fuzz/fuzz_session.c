/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole connection: the input is what a guest sends until it hangs up, read
 * by a session of porthole-hostd with a fake encoder. Whatever comes, it ends,
 * and every byte that it took from the memory budget is given back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "hostd/encoder_fake.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum {
        MOST = 32 << 10 /* fits into the socket at once, and its answers */
    };
    int fds[2];
    ph_log_set_level(PH_LOG_ERROR);
    if (size > MOST || !ph_net_pair(fds)) {
        return 0;
    }
    struct iovec iov = {(void *)data, size};
    if (!ph_net_write_full(fds[0], &iov, 1, -1, ph_deadline_ms(10000), 0)) {
        abort();
    }
    shutdown(fds[0], SHUT_WR);
    struct ph_session *session = ph_session_create(&config, fds[1], 1);
    ph_session_run(session);
    ph_session_destroy(session);
    close(fds[0]);
    if (budget.used != 0) {
        abort();
    }
    return 0;
}
