/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtio-vsock device (OASIS virtio 1.1, section 5.10) whose host side is
 * this program: each stream that the guest opens to CID 2 and our port
 * becomes one end of a socket pair, served like any other guest. Ports of
 * others and unknown connections get RST. Flow control is the protocol's
 * credit: a stream costs its buffer and no more. One thread.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "hostd/vring.h"

enum {
    PH_VSOCK_STREAMS = 32,
    PH_VSOCK_BUFFER = 256 << 10, /* bytes a stream may have in flight to us */
    PH_VSOCK_HEADER = 44,
};

struct ph_vsock;

/* accept gets a connected socket for each new stream and owns it. False: it
 * is refused. */
struct ph_vsock *ph_vsock_create(uint64_t guest_cid, uint32_t port,
        bool (*accept)(void *data, int fd), void *data);
/* Ends all streams. */
void ph_vsock_destroy(struct ph_vsock *vsock);
/* The guest was reset: likewise. */
void ph_vsock_reset(struct ph_vsock *vsock);

/* Works off what the guest sent, or a ring full of it. False: its driver is
 * broken. *pushed: there are buffers to tell the guest of, and perhaps more to
 * do. */
bool ph_vsock_take(struct ph_vsock *vsock, struct ph_vring *tx, bool *pushed);
/* Gives the guest what there is for it, as far as it left buffers. */
bool ph_vsock_give(struct ph_vsock *vsock, struct ph_vring *rx, bool *pushed);

/* What to wait for besides the rings, into fds[PH_VSOCK_STREAMS]; count.
 * room: the guest has buffers left. Then take and give again. */
unsigned ph_vsock_poll(
        const struct ph_vsock *vsock, bool room, struct pollfd *fds);
