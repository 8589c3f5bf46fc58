/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stream to the host, whatever kind it is of. For the I/O thread of a link:
 * blocks until the deadline, or until stop_fd can be read; logs nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/endpoint.h"

/* The stream, ready for the calls of common/net.h, or -1: why[size] says what
 * is wrong. PH_ENDPOINT_AUTO tries vsock, virtio-serial and TCP in this order;
 * *found is then the one that worked, else the endpoint itself. */
int ph_dial(const struct ph_endpoint *ep, int64_t deadline_ns, int stop_fd,
        struct ph_endpoint *found, char *why, size_t size);
