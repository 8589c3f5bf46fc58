/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#include "check.h"
#include "full_listener.h"

static char dir[] = "/tmp/porthole-test-net-XXXXXX";

static bool write_all(int fd, const void *data, size_t len, int pass)
{
    struct iovec iov = {(void *)data, len};
    return ph_net_write_full(fd, &iov, 1, pass, ph_deadline_ms(5000), 0);
}

static enum ph_net_result read_all(
        int fd, void *buf, size_t len, int64_t ms, int *passed)
{
    struct ph_net_read how = {ph_deadline_ms(ms), 0, passed};
    return ph_net_read_full(fd, buf, len, &how);
}

static void check_conversation(int a, int b)
{
    char buf[16] = "";
    CHECK(write_all(a, "hello", 5, -1));
    CHECK_EQ(read_all(b, buf, 5, 5000, NULL), PH_NET_OK);
    CHECK_STR(buf, "hello");
    /* Nothing comes: a deadline. */
    errno = 0;
    CHECK_EQ(read_all(b, buf, 1, 20, NULL), PH_NET_ERROR);
    CHECK_EQ(errno, ETIMEDOUT);
    /* Half a message and the end. */
    CHECK(write_all(a, "ab", 2, -1));
    shutdown(a, SHUT_WR);
    CHECK_EQ(read_all(b, buf, 3, 5000, NULL), PH_NET_ERROR);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(read_all(b, buf, 3, 5000, NULL), PH_NET_EOF);
}

static void check_listen(const char *text)
{
    struct ph_endpoint ep;
    char error[128];
    CHECK(ph_endpoint_parse(text, &ep, error, sizeof(error)));
    AUTOCLOSE int listener = ph_net_listen(&ep, 4);
    if (!CHECK(listener >= 0)) {
        return;
    }
    CHECK(ep.kind == PH_ENDPOINT_UNIX || ep.port != 0);
    /* A live address is not taken over. */
    struct ph_endpoint same = ep;
    errno = 0;
    CHECK_EQ(ph_net_listen(&same, 4), -1);
    CHECK_EQ(errno, EADDRINUSE);
    AUTOCLOSE int a = ph_net_connect(&ep, ph_deadline_ms(5000));
    CHECK(a >= 0);
    int b = -1;
    while (b < 0) { /* the check above left a probe in a unix backlog */
        AUTOCLOSE int fd = ph_net_accept(listener);
        char probe;
        if (fd >= 0 && recv(fd, &probe, 1, MSG_PEEK) != 0) {
            b = ph_steal_fd(&fd);
        } else if (fd < 0 && errno != EAGAIN) {
            CHECK(false);
            return;
        }
    }
    check_conversation(a, b);
    close(b);
}

/* Whoever looks whether a port is free must not make it taken. */
static void test_bind_only(void)
{
    struct ph_endpoint ep = {PH_ENDPOINT_TCP, "127.0.0.1", 0};
    AUTOCLOSE int probe = ph_net_listen(&ep, PH_NET_BIND_ONLY);
    CHECK(probe >= 0 && ep.port != 0);
#ifdef __linux__
    AUTOCLOSE int listener = ph_net_listen(&ep, 1);
    CHECK(listener >= 0);
    CHECK_EQ(ph_net_listen(&ep, PH_NET_BIND_ONLY), -1);
    CHECK_EQ(errno, EADDRINUSE);
#endif
}

static void test_stale_socket(void)
{
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_UNIX};
    snprintf(ep.address, sizeof(ep.address), "%s/stale", dir);
    int fd = ph_net_listen(&ep, 1);
    CHECK(fd >= 0);
    close(fd); /* its file stays */
    fd = ph_net_listen(&ep, 1);
    CHECK(fd >= 0);
    ph_close(&fd);
    /* A file that is no socket stays what it is. */
    unlink(ep.address);
    close(open(ep.address, O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(ph_net_listen(&ep, 1), -1);
    struct stat st;
    CHECK(lstat(ep.address, &st) == 0 && S_ISREG(st.st_mode));
    unlink(ep.address);
}

static void test_descriptor(void)
{
    int fds[2];
    int passed = -1;
    char buf[4];
    CHECK(ph_net_pair(fds));
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(write_all(fds[0], "abcd", 4, file));
    CHECK_EQ(read_all(fds[1], buf, 4, 5000, &passed), PH_NET_OK);
    CHECK(passed >= 0 && passed != file);
    CHECK(fcntl(passed, F_GETFD) & FD_CLOEXEC);
    ph_close(&passed);
    /* One that nobody asked for is closed, not leaked. */
    CHECK(write_all(fds[0], "abcd", 4, file));
    CHECK_EQ(read_all(fds[1], buf, 4, 5000, NULL), PH_NET_OK);
    int next = dup(file);
    CHECK(next <= file + 1);
    ph_close(&next);
    ph_close(&file);
    close(fds[0]);
    close(fds[1]);
}

struct writer {
    int fd;
    char *data;
    size_t len;
    bool ok;
};

static void *run_writer(void *arg)
{
    struct writer *w = arg;
    struct iovec iov[] = {
            {w->data, 1}, {w->data + 1, 0}, {w->data + 1, w->len - 1}};
    w->ok = ph_net_write_full(
            w->fd, iov, 3, -1, ph_deadline_ms(20000), 10 * PH_NS_PER_S);
    return NULL;
}

/* More than a socket buffer, in pieces. */
static void test_large(void)
{
    enum {
        LEN = 8 << 20
    };
    int fds[2];
    CHECK(ph_net_pair(fds));
    struct writer w = {fds[0], malloc(LEN), LEN, false};
    char *got = malloc(LEN);
    for (size_t i = 0; i < LEN; i++) {
        w.data[i] = (char)(i * 7 + i / 251);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, run_writer, &w);
    struct ph_net_read how = {ph_deadline_ms(20000), 10 * PH_NS_PER_S, NULL};
    CHECK_EQ(ph_net_read_full(fds[1], got, LEN, &how), PH_NET_OK);
    pthread_join(thread, NULL);
    CHECK(w.ok);
    CHECK_MEM(got, w.data, LEN);
    free(got);
    free(w.data);
    close(fds[1]);
    /* Writing to a closed peer is an error, not a signal. */
    struct iovec iov = {(void *)"x", 1};
    CHECK(!ph_net_write_full(fds[0], &iov, 1, -1, ph_deadline_ms(100), 0));
    close(fds[0]);
}

static void test_unreachable(void)
{
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_UNIX};
    snprintf(ep.address, sizeof(ep.address), "%s/nobody", dir);
    CHECK_EQ(ph_net_connect(&ep, ph_deadline_ms(1000)), -1);
    CHECK_EQ(errno, ENOENT);
    struct ph_endpoint tcp = {PH_ENDPOINT_TCP, "127.0.0.1", 0};
    int fd = ph_net_listen(&tcp, 1);
    CHECK(fd >= 0);
    ph_close(&fd);
    CHECK_EQ(ph_net_connect(&tcp, ph_deadline_ms(1000)), -1);
    CHECK_EQ(errno, ECONNREFUSED);
}

static void *accept_two(void *listener)
{
    for (int i = 0; i < 2; i++) {
        struct pollfd p = {*(int *)listener, POLLIN, 0};
        poll(&p, 1, 5000);
        close(ph_net_accept(p.fd));
    }
    return NULL;
}

/* Linux says EAGAIN at once to a unix socket whose backlog is full. */
static void test_full_backlog(void)
{
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_UNIX};
    pthread_t thread;
    snprintf(ep.address, sizeof(ep.address), "%s/full", dir);
    AUTOCLOSE int listener = ph_net_listen(&ep, 0);
    AUTOCLOSE int first = ph_net_connect(&ep, ph_deadline_ms(5000));
    CHECK(first >= 0);
    CHECK_EQ(ph_net_connect(&ep, ph_deadline_ms(30)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    pthread_create(&thread, NULL, accept_two, &listener);
    AUTOCLOSE int second = ph_net_connect(&ep, ph_deadline_ms(5000));
    CHECK(second >= 0);
    pthread_join(thread, NULL);
    unlink(ep.address);
}

/* Whatever is waited for: a name, a port that does not answer, a backlog. */
static void test_stopped(void)
{
    struct full_listener full = full_listener_begin();
    struct ph_endpoint waits[] = {full.endpoint,
            {PH_ENDPOINT_TCP, "no-such-host.invalid", 1},
            {.kind = PH_ENDPOINT_UNIX}};
    int stop[2];
    snprintf(waits[2].address, sizeof(waits[2].address), "%s/full", dir);
    AUTOCLOSE int listener = ph_net_listen(&waits[2], 0);
    AUTOCLOSE int first = ph_net_connect(&waits[2], ph_deadline_ms(5000));
    CHECK(listener >= 0 && first >= 0);
    CHECK(ph_net_wake_pipe(stop));
    ph_net_wake(stop[1]);
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQ(ph_net_connect_until(&waits[i], PH_NEVER, stop[0]), -1);
        CHECK_EQ(errno, ECANCELED);
    }
    CHECK_EQ(ph_net_connect(&full.endpoint, ph_deadline_ms(20)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    close(stop[0]);
    close(stop[1]);
    unlink(waits[2].address);
    full_listener_end(&full);
}

static void test_names(void)
{
    struct ph_endpoint ep = {PH_ENDPOINT_TCP, "localhost", 0};
    AUTOCLOSE int listener = ph_net_listen(&ep, 4);
    CHECK(listener >= 0);
    AUTOCLOSE int fd = ph_net_connect(&ep, ph_deadline_ms(20000));
    CHECK(fd >= 0);
    struct ph_endpoint none = {PH_ENDPOINT_TCP, "no-such-host.invalid", 1};
    CHECK_EQ(ph_net_connect(&none, ph_deadline_ms(20000)), -1);
    CHECK(errno == EADDRNOTAVAIL || errno == ETIMEDOUT);
}

int main(void)
{
    char text[128];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(text, sizeof(text), "unix:%s/s", dir);
    check_listen("tcp:127.0.0.1:0");
    check_listen(text);
    unlink(text + 5);
    test_bind_only();
    test_stale_socket();
    test_descriptor();
    test_large();
    test_unreachable();
    test_full_backlog();
    test_stopped();
    test_names();
    rmdir(dir);
    return CHECK_DONE();
}
