/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's memory, queues and packets alike, as a hostile driver may leave
 * it, worked off by the vsock device. Byte 0 says how many turns; what lies
 * in the memory changes a little between them, as a guest can do.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostd/vsock_device.h"

#define LOG_MODULE "fuzz"
#include "common/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    GUEST = 0x1000,
    MEMORY = 0x4000,
    SIZE = 8,
    TX = 0x1000, /* desc, avail 0x80 behind, used 0x100 */
    RX = 0x1200,
    AVAIL = 0x80,
    USED = 0x100,
    TURNS = 8,
};

static bool echo(void *data, int fd)
{
    char bytes[256];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0) {
        n = 16;
        memset(bytes, 'x', sizeof(bytes));
    }
    if (send(fd, bytes, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        abort();
    }
    close(fd);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ph_log_set_level(PH_LOG_ERROR);
    if (size == 0 || size > MEMORY) {
        return 0;
    }
    uint8_t *bytes = aligned_alloc(4096, MEMORY);
    memset(bytes, 0, MEMORY);
    memcpy(bytes, data + 1, size - 1);
    struct ph_guest_memory memory = {.regions = {{.guest = GUEST,
                                             .user = GUEST,
                                             .size = MEMORY,
                                             .data = bytes}},
            .count = 1};
    struct ph_vring tx = {.memory = &memory, .size = SIZE};
    struct ph_vring rx = tx;
    if (!ph_vring_map(&tx, TX, TX + AVAIL, TX + USED) ||
            !ph_vring_map(&rx, RX, RX + AVAIL, RX + USED)) {
        abort();
    }
    struct ph_vsock *vsock = ph_vsock_create(3, 15937, echo, NULL);
    bool pushed = false;
    for (int i = 0; i < data[0] % TURNS + 1; i++) {
        if (!ph_vsock_take(vsock, &tx, &pushed) ||
                !ph_vsock_give(vsock, &rx, &pushed)) {
            break;
        }
        bytes[TX - GUEST + AVAIL + 2]++; /* its available index */
        bytes[RX - GUEST + AVAIL + 2]++;
    }
    ph_vsock_destroy(vsock);
    free(bytes);
    return 0;
}
