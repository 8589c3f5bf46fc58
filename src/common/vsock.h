/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of AF_VSOCK, the sockets between a virtual machine and its host:
 * the part of net.c that only Linux has. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/endpoint.h"

/* False with errno where the system has no such sockets. Port 0 becomes "any"
 * when listening. */
bool ph_vsock_address(const struct ph_endpoint *ep, bool listening,
        struct sockaddr_storage *out, socklen_t *len);
/* The port of a bound socket's address; false when it is none of these. */
bool ph_vsock_port(const struct sockaddr_storage *sa, uint32_t *port);
