/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of a host's name, under a deadline and interruptible, which
 * getaddrinfo() is not: a name is asked for on a thread of its own, which ends
 * when the name service does, whoever waits for it or not.
 */
#pragma once

#include <netdb.h>
#include <stdint.h>

/* flags: AI_PASSIVE, or 0. stop_fd: ends it with ECANCELED when it becomes
 * readable; -1: none. The caller frees with freeaddrinfo(). NULL: errno. */
struct addrinfo *ph_resolve(const char *name, uint16_t port, int flags,
        int64_t deadline_ns, int stop_fd);
