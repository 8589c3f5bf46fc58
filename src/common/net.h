/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Byte streams between two processes: listen, connect, read and write whole
 * messages under a deadline, pass a file descriptor.
 *
 * Sockets made here are non-blocking and close-on-exec; the calls block in
 * poll() until the deadline (common/clock.h). Another thread interrupts them
 * with shutdown(fd, SHUT_RDWR), or, where the descriptor may be of something
 * else (a virtio port), by a stop_fd that can then be read. No call raises
 * SIGPIPE. Nothing is logged; errno says what failed (ETIMEDOUT for a deadline,
 * EPIPE for an end of file in the middle).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/endpoint.h"

/* A backlog: the socket is bound, which shows that an address is free, but is
 * in nobody's way who listens there meanwhile (TCP, on Linux). */
#define PH_NET_BIND_ONLY (-1)

/* A listening socket. *ep is updated with the port that was chosen for port
 * 0. A stale socket file is replaced, a live one is not (EADDRINUSE). */
int ph_net_listen(struct ph_endpoint *ep, int backlog);

/* The next connection, ready for the calls below, or -1. */
int ph_net_accept(int listen_fd);

/* The name of a host is resolved under the same deadline. A unix socket whose
 * backlog is full is tried again until then. */
int ph_net_connect(const struct ph_endpoint *ep, int64_t deadline_ns);
/* The same; ends with ECANCELED as soon as stop_fd can be read. */
int ph_net_connect_until(
        const struct ph_endpoint *ep, int64_t deadline_ns, int stop_fd);

/* poll() for these events. False: errno, ETIMEDOUT for the deadline or
 * ECANCELED when stop_fd (-1: none) can be read. */
bool ph_net_wait(int fd, short events, int64_t deadline_ns, int stop_fd);

/* A connected pair of stream sockets, for a child process: both of them
 * close-on-exec. */
bool ph_net_pair(int fds[2]);

/* Makes a descriptor that came from elsewhere (inherited) fit for the calls
 * below: non-blocking, close-on-exec, no SIGPIPE, TCP_NODELAY where it is
 * TCP. */
bool ph_net_adopt(int fd);

/* A TCP connection ends with ETIMEDOUT when the peer does not acknowledge, or
 * has no room for, what was sent for so long; otherwise that takes a quarter
 * of an hour. One that sends nothing lives on. Where the system has no such
 * thing, nothing changes. */
void ph_net_set_patience(int fd, uint32_t ms);

/* A pipe that wakes a thread out of poll(): both ends non-blocking and
 * close-on-exec. False: errno. */
bool ph_net_wake_pipe(int fds[2]);
/* Any thread, and signal handlers. write_fd: fds[1]. */
void ph_net_wake(int write_fd);

enum ph_net_result {
    PH_NET_OK,
    PH_NET_EOF, /* the peer closed before the first byte */
    PH_NET_ERROR, /* errno */
};

/* Reads exactly len bytes. The deadline is renewed by progress_ns whenever
 * bytes arrive when progress_ns > 0: "10 s without progress" instead of "10 s
 * in all". fds, when not NULL, takes one descriptor passed with these bytes
 * (-1 when none; the caller closes it). stop_fd, when not NULL: a wait ends
 * with ECANCELED as soon as it can be read. */
struct ph_net_read {
    int64_t deadline_ns;
    int64_t progress_ns;
    int *passed_fd;
    const int *stop_fd;
};
enum ph_net_result ph_net_read_full(
        int fd, void *buf, size_t len, const struct ph_net_read *how);

/* Writes every byte of iov[0..count), which it changes on the way. Same
 * deadline rule. pass_fd >= 0 travels with the first byte (unix sockets). */
bool ph_net_write_full(int fd, struct iovec *iov, int count, int pass_fd,
        int64_t deadline_ns, int64_t progress_ns);

/* The same; ends with ECANCELED when it has to wait and stop_fd can be read. */
bool ph_net_write_until(
        int fd, struct iovec *iov, int count, int64_t deadline_ns, int stop_fd);

/* Writes what fits at once. Bytes written, 0 when none fit, -1 with errno.
 * count: up to IOV_MAX, which is at least 1024 where we run. */
ssize_t ph_net_write_some(int fd, struct iovec *iov, int count);
