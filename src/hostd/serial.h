/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams that cannot hang up: the host's end of a virtio-serial port, a
 * socket of QEMU's. Guests come and go on it without a sign but RESET:
 * docs/protocol.md, "Streams without an end".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ph_serial {
    int fd;
    bool asked;
    uint64_t nonce; /* of the guest that asked last */
};

/* Says that a host is here, to a guest that may wait for another's answers.
 * False: the stream is over. */
bool ph_serial_start(struct ph_serial *serial, int fd);
/* A guest asked in the middle of a session: the answer, which is for
 * ph_serial_wait to give, is due. */
void ph_serial_asked(struct ph_serial *serial, uint64_t nonce);
/* Skips what comes until a guest begins: what follows is its HELLO. Waits as
 * long as it takes. False: the stream is over. */
bool ph_serial_wait(struct ph_serial *serial);
