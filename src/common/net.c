/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/resolve.h"
#include "common/vsock.h"

#ifdef MSG_NOSIGNAL
enum {
    SEND_FLAGS = MSG_NOSIGNAL
};
#else
enum {
    SEND_FLAGS = 0
}; /* macOS: SO_NOSIGPIPE, set in ph_net_adopt */
#endif

bool ph_net_adopt(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        return false;
    }
    int one = 1;
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof(one));
#endif
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
            sa.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return true;
}

void ph_net_set_patience(int fd, uint32_t ms)
{
#if defined(TCP_USER_TIMEOUT)
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
#elif defined(TCP_RXT_CONNDROPTIME)
    int seconds = (int)((ms + 999) / 1000);
    setsockopt(
            fd, IPPROTO_TCP, TCP_RXT_CONNDROPTIME, &seconds, sizeof(seconds));
#endif
}

static int new_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0 && !ph_net_adopt(fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool ph_net_wait(int fd, short events, int64_t deadline_ns, int stop_fd)
{
    struct pollfd p[] = {{fd, events, 0}, {stop_fd, POLLIN, 0}};
    for (;;) {
        int n = poll(p, 2, ph_deadline_poll_ms(deadline_ns));
        if (n > 0 && p[1].revents) {
            errno = ECANCELED;
            return false;
        }
        if (n > 0) {
            return true;
        }
        if (n == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (errno != EINTR) {
            return false;
        }
    }
}

/* connect(), again while the backlog of a unix socket is full: no event says
 * when it is not. */
static bool begin_connect(int fd, const struct sockaddr *sa, socklen_t len,
        int64_t deadline_ns, int stop_fd)
{
    enum {
        PAUSE_MS = 5
    };
    while (connect(fd, sa, len) < 0) {
        if (errno != EAGAIN || sa->sa_family != AF_UNIX) {
            return errno == EINPROGRESS &&
                    ph_net_wait(fd, POLLOUT, deadline_ns, stop_fd);
        }
        int64_t pause = PH_MIN(ph_deadline_ms(PAUSE_MS), deadline_ns);
        if (!ph_net_wait(-1, 0, pause, stop_fd) &&
                (errno != ETIMEDOUT || pause == deadline_ns)) {
            return false;
        }
    }
    return true;
}

/* connect() to one address under the deadline. */
static int connect_to(const struct sockaddr *sa, socklen_t len,
        int64_t deadline_ns, int stop_fd)
{
    AUTOCLOSE int fd = new_socket(sa->sa_family);
    if (fd < 0 || !begin_connect(fd, sa, len, deadline_ns, stop_fd)) {
        return -1;
    }
    if (sa->sa_family != AF_UNIX) {
        int err = 0;
        socklen_t err_len = sizeof(err);
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &err_len);
        if (err) {
            errno = err;
            return -1;
        }
    }
    return ph_steal_fd(&fd);
}

static socklen_t unix_address(
        const struct ph_endpoint *ep, struct sockaddr_un *sa)
{
    *sa = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(sa->sun_path, ep->address,
            strnlen(ep->address, sizeof(sa->sun_path) - 1));
    return sizeof(*sa);
}

/* Addresses that need no name service: unix sockets, of QEMU's chardevs too,
 * and vsock. False: others, or errno. */
static bool plain_address(const struct ph_endpoint *ep, bool listening,
        struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_un sa;
    switch (ep->kind) {
    case PH_ENDPOINT_UNIX:
    case PH_ENDPOINT_SERIAL:
        *len = unix_address(ep, &sa);
        memcpy(out, &sa, sizeof(sa));
        return true;
    case PH_ENDPOINT_VSOCK:
        return ph_vsock_address(ep, listening, out, len);
    case PH_ENDPOINT_TCP:
    case PH_ENDPOINT_AUTO:
        break;
    }
    errno = ENOTSUP;
    return false;
}

int ph_net_connect(const struct ph_endpoint *ep, int64_t deadline_ns)
{
    return ph_net_connect_until(ep, deadline_ns, -1);
}

int ph_net_connect_until(
        const struct ph_endpoint *ep, int64_t deadline_ns, int stop_fd)
{
    if (ep->kind != PH_ENDPOINT_TCP) {
        struct sockaddr_storage sa;
        socklen_t len = 0;
        return plain_address(ep, false, &sa, &len)
                ? connect_to((struct sockaddr *)&sa, len, deadline_ns, stop_fd)
                : -1;
    }
    struct addrinfo *list =
            ph_resolve(ep->address, ep->port, 0, deadline_ns, stop_fd);
    int fd = -1;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = connect_to(a->ai_addr, a->ai_addrlen, deadline_ns, stop_fd);
    }
    int err = errno;
    if (list) {
        freeaddrinfo(list);
    }
    errno = err;
    return fd;
}

/* Removes a socket file that nobody listens on any more. */
static void remove_stale(const struct ph_endpoint *ep)
{
    struct stat st;
    if (lstat(ep->address, &st) < 0 || !S_ISSOCK(st.st_mode)) {
        return;
    }
    int fd = ph_net_connect(ep, ph_deadline_ms(100));
    if (fd >= 0) {
        close(fd);
    } else if (errno == ECONNREFUSED) {
        unlink(ep->address);
    }
}

static int bind_and_listen(
        const struct sockaddr *sa, socklen_t len, int backlog)
{
    AUTOCLOSE int fd = new_socket(sa->sa_family);
    int one = 1;
    if (fd < 0) {
        return -1;
    }
    if (sa->sa_family == AF_INET || sa->sa_family == AF_INET6) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    if (bind(fd, sa, len) < 0 ||
            (backlog != PH_NET_BIND_ONLY && listen(fd, backlog) < 0)) {
        return -1;
    }
    return ph_steal_fd(&fd);
}

static uint32_t bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } sa = {0};
    socklen_t len = sizeof(sa);
    uint32_t port = 0;
    if (getsockname(fd, &sa.any, &len) < 0 ||
            ph_vsock_port(&sa.storage, &port)) {
        return port;
    }
    return ntohs(
            sa.any.sa_family == AF_INET6 ? sa.v6.sin6_port : sa.v4.sin_port);
}

int ph_net_listen(struct ph_endpoint *ep, int backlog)
{
    int fd = -1;
    if (ep->kind != PH_ENDPOINT_TCP) {
        struct sockaddr_storage sa;
        socklen_t len = 0;
        if (!plain_address(ep, true, &sa, &len)) {
            return -1;
        }
        if (ep->kind != PH_ENDPOINT_VSOCK) {
            remove_stale(ep);
        }
        fd = bind_and_listen((struct sockaddr *)&sa, len, backlog);
        if (fd >= 0 && ep->kind == PH_ENDPOINT_VSOCK) {
            ep->port = bound_port(fd);
        }
        return fd;
    }
    struct addrinfo *list =
            ph_resolve(ep->address, ep->port, AI_PASSIVE, PH_NEVER, -1);
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = bind_and_listen(a->ai_addr, a->ai_addrlen, backlog);
    }
    int err = errno;
    if (list) {
        freeaddrinfo(list);
    }
    if (fd >= 0) {
        ep->port = bound_port(fd);
    }
    errno = err;
    return fd;
}

int ph_net_accept(int listen_fd)
{
    int fd = accept(listen_fd, NULL, NULL);
    if (fd >= 0 && !ph_net_adopt(fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

bool ph_net_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) {
        return false;
    }
    if (!ph_net_adopt(fds[0]) || !ph_net_adopt(fds[1])) {
        ph_close(&fds[0]);
        ph_close(&fds[1]);
        return false;
    }
    return true;
}

bool ph_net_wake_pipe(int fds[2])
{
    if (pipe(fds) < 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

void ph_net_wake(int write_fd)
{
    ssize_t n = write(write_fd, "w", 1);
    (void)n; /* a full pipe wakes as well */
}

/* Room for a few descriptors, so that a peer that sends more than one leaks
 * none: all but the first are closed. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(4 * sizeof(int))];
};

static void take_passed(struct msghdr *msg, int *passed_fd)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (passed_fd && *passed_fd < 0) {
                fcntl(fd, F_SETFD, FD_CLOEXEC);
                *passed_fd = fd;
            } else {
                close(fd);
            }
        }
    }
}

static ssize_t receive(int fd, void *buf, size_t len, int *passed_fd)
{
    union control control;
    struct iovec iov = {buf, len};
    struct msghdr msg = {.msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = &control,
            .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &msg, 0);
    if (n < 0 && errno == ENOTSOCK) {
        return read(fd, buf, len);
    }
    if (n >= 0) {
        take_passed(&msg, passed_fd);
    }
    return n;
}

static int64_t renewed(int64_t deadline_ns, int64_t progress_ns)
{
    return progress_ns > 0 ? ph_clock_ns() + progress_ns : deadline_ns;
}

enum ph_net_result ph_net_read_full(
        int fd, void *buf, size_t len, const struct ph_net_read *how)
{
    int64_t deadline_ns = how->deadline_ns;
    int stop_fd = how->stop_fd ? *how->stop_fd : -1;
    size_t done = 0;
    if (how->passed_fd) {
        *how->passed_fd = -1;
    }
    while (done < len) {
        ssize_t n = receive(fd, (char *)buf + done, len - done, how->passed_fd);
        if (n > 0) {
            done += (size_t)n;
            deadline_ns = renewed(deadline_ns, how->progress_ns);
        } else if (n == 0) {
            errno = EPIPE;
            return done ? PH_NET_ERROR : PH_NET_EOF;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!ph_net_wait(fd, POLLIN, deadline_ns, stop_fd)) {
                return PH_NET_ERROR;
            }
        } else if (errno != EINTR) {
            return PH_NET_ERROR;
        }
    }
    return PH_NET_OK;
}

/* A virtio port takes one buffer at a time, and each has its price. */
static ssize_t write_joined(int fd, const struct iovec *iov, int count)
{
    uint8_t buf[32 << 10]; /* no more fits into one of its buffers */
    size_t n = 0;
    if (iov[0].iov_len >= sizeof(buf)) {
        return write(fd, iov[0].iov_base, iov[0].iov_len);
    }
    for (int i = 0; i < count && n < sizeof(buf); i++) {
        size_t len = PH_MIN(iov[i].iov_len, sizeof(buf) - n);
        memcpy(buf + n, iov[i].iov_base, len);
        n += len;
    }
    return write(fd, buf, n);
}

static ssize_t transmit(int fd, struct iovec *iov, int count, int pass_fd)
{
    union control control;
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};
    if (pass_fd >= 0) {
        memset(&control, 0, sizeof(control));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
    }
    ssize_t n = sendmsg(fd, &msg, SEND_FLAGS);
    if (n < 0 && errno == ENOTSOCK) {
        return write_joined(fd, iov, count);
    }
    return n;
}

/* Takes n written bytes off the front of the vector. */
static void advance(struct iovec **iov, int *count, size_t n)
{
    while (*count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        ++*iov;
        --*count;
    }
    if (*count > 0) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
    }
}

static bool write_all(int fd, struct iovec *iov, int count, int pass_fd,
        int64_t deadline_ns, int64_t progress_ns, int stop_fd)
{
    enum {
        MAX_IOV = 512
    }; /* IOV_MAX is at least 1024 where we run */
    advance(&iov, &count, 0);
    while (count > 0) {
        ssize_t n = transmit(fd, iov, PH_MIN(count, MAX_IOV), pass_fd);
        if (n >= 0) {
            pass_fd = n > 0 ? -1 : pass_fd;
            advance(&iov, &count, (size_t)n);
            deadline_ns = renewed(deadline_ns, progress_ns);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!ph_net_wait(fd, POLLOUT, deadline_ns, stop_fd)) {
                return false;
            }
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool ph_net_write_full(int fd, struct iovec *iov, int count, int pass_fd,
        int64_t deadline_ns, int64_t progress_ns)
{
    return write_all(fd, iov, count, pass_fd, deadline_ns, progress_ns, -1);
}

bool ph_net_write_until(
        int fd, struct iovec *iov, int count, int64_t deadline_ns, int stop_fd)
{
    return write_all(fd, iov, count, -1, deadline_ns, 0, stop_fd);
}

ssize_t ph_net_write_some(int fd, struct iovec *iov, int count)
{
    for (;;) {
        ssize_t n = transmit(fd, iov, count, -1);
        if (n >= 0) {
            return n;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return 0;
        }
        if (errno != EINTR) {
            return -1;
        }
    }
}
