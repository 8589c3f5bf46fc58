/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that vanish without a word, behind a network of their own: a host in
 * one network namespace, guests in another, a cable between them. The times of
 * the host are shortened. Ends with 77 where no namespace can be made.
 */
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "hostd/encoder.h"
#include "hostd/server.h"

#include "netns.h"
#include "unit/peer.h"
#include "unit/v1_guest.h"

enum {
    PROGRESS_MS = 1000,
    IDLE_MS = 300,
    MAX_GUESTS = 8,
    WIDTH = 640,
    HEIGHT = 360
};

static struct ph_budget budget = {.limit = 512 << 20};
static struct ph_endpoint host = {PH_ENDPOINT_TCP, "10.99.0.1", 0};
static struct ph_endpoint loopback = {PH_ENDPOINT_TCP, "127.0.0.1", 0};

/* --- the host and its guests --- */

static void *run(void *server)
{
    ph_server_run(server);
    return NULL;
}

/* Each guest costs the host one. */
static int open_sockets(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

/* Until so many are open; false after a minute. */
static bool await_sockets(int count)
{
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    while (open_sockets() != count && ph_clock_ns() < deadline) {
        poll(NULL, 0, 10);
    }
    return CHECK_EQ(open_sockets(), count);
}

static struct v1_guest join(int net, const struct ph_endpoint *ep)
{
    struct timeval patience = {.tv_sec = 60};
    enter(net);
    struct v1_guest g = {
            .fd = ph_net_connect(ep, ph_deadline_ms(PEER_WAIT_MS))};
    enter(host_net);
    CHECK(g.fd >= 0);
    fcntl(g.fd, F_SETFL, 0);
    setsockopt(g.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return g;
}

static void leave(struct v1_guest *g)
{
    close(g->fd);
    free(g->data);
}

/* As when its machine is switched off: nothing is sent. */
static void switch_off(struct v1_guest *g)
{
    int on = 1;
    CHECK(setsockopt(g->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) == 0);
    leave(g);
}

static struct v1_frame frame(int64_t pts)
{
    static uint8_t pixels[WIDTH * HEIGHT * 3 / 2];
    return (struct v1_frame){.width = WIDTH,
            .height = HEIGHT,
            .format = V1_NV12,
            .stride = WIDTH,
            .pts = pts,
            .pixels = pixels,
            .size = sizeof(pixels)};
}

static void talk(struct v1_guest *g, int64_t pts)
{
    struct v1_frame f = frame(pts);
    CHECK_EQ(v1_encode(g, &f), V1_UNIT);
    CHECK_EQ(g->pts, pts);
}

/* Serves `other` all the time until so many sockets are left. */
static void serve_until(int count, struct v1_guest *other)
{
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    int64_t longest = 0;
    do {
        int64_t begun = ph_clock_ns();
        talk(other, begun);
        longest = PH_MAX(longest, ph_clock_ns() - begun);
        poll(NULL, 0, 5); /* there are others on this machine */
    } while (open_sockets() != count && ph_clock_ns() < deadline);
    CHECK_EQ(open_sockets(), count);
    printf("the other guest waited %.1f ms at most\n", (double)longest / 1e6);
}

/* Its cable is cut in the middle of a message: it is given up, another guest
 * is served all the while, and its reconnect at once. */
static void test_inside_message(struct v1_guest *other)
{
    int before = open_sockets();
    struct v1_guest g = join(guest_net, &host);
    talk(&g, 1);
    struct v1_frame f = frame(2);
    uint32_t half = f.size / 2;
    f.size -= half; /* the header says as much, and the rest never comes */
    CHECK(v1_send_frame(&g, &f));
    struct v1_guest slow = join(guest_net, &host);
    CHECK(v1_write(&slow, "HXFR\1\1", 6));
    ip(guest_net, "link set eth0 down");
    switch_off(&g);
    switch_off(&slow);
    serve_until(before, other);
    ip(guest_net, "link set eth0 up");
    g = join(guest_net, &host);
    talk(&g, 3);
    CHECK_EQ(g.key, 1);
    leave(&g);
    CHECK(await_sockets(before));
}

/* Silent for longer than anything lasts, without a cable: still a guest, that
 * costs a socket and next to no memory. */
static void test_silence(void)
{
    int before = open_sockets();
    struct v1_guest g = join(guest_net, &host);
    talk(&g, 1);
    ip(guest_net, "link set eth0 down");
    int64_t end = ph_deadline_ms(3 * PROGRESS_MS);
    while (ph_clock_ns() < end) {
        poll(NULL, 0, 50);
    }
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    while (budget.used > 0 && ph_clock_ns() < deadline) {
        poll(NULL, 0, 10);
    }
    CHECK_EQ(budget.used, 0);
    ip(guest_net, "link set eth0 up");
    talk(&g, 2); /* on the same connection */
    CHECK_EQ(g.key, 1);
    leave(&g);
    CHECK(await_sockets(before));
}

/* No way back to it: its answer is never acknowledged. TCP alone would try
 * for a quarter of an hour. */
static void test_lost_answer(struct v1_guest *other)
{
    int before = open_sockets();
    struct v1_guest g = join(guest_net, &host);
    talk(&g, 1);
    CHECK_EQ(open_sockets(), before + 2);
    ip(host_net, "route del 10.99.0.0/24");
    CHECK(v1_message(&g, 0x10, NULL, 0)); /* PING */
    serve_until(before + 1, other);
    ip(host_net, "route add 10.99.0.0/24 dev cable");
    struct v1_guest again = join(guest_net, &host);
    talk(&again, 2);
    leave(&again);
    leave(&g);
    CHECK(await_sockets(before));
}

/* It vanishes between messages and comes back, many times: served each time,
 * while what is left of it stays below --max-guests. */
static void test_comes_back(struct v1_guest *other)
{
    int before = open_sockets();
    for (int i = 0; i < 5 * MAX_GUESTS; i++) {
        struct v1_guest g = join(guest_net, &host);
        talk(&g, i);
        talk(other, i);
        if (i % 2) {
            CHECK(v1_write(&g, "HXFR\1", 5)); /* or inside of one */
        }
        switch_off(&g);
        CHECK(open_sockets() <= before + MAX_GUESTS + 1);
        CHECK(budget.used <= MAX_GUESTS * ((size_t)16 << 20));
    }
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    signal(SIGPIPE, SIG_IGN);
    if (!make_network()) {
        printf("no network namespaces here\n");
        return 77;
    }
    struct ph_server_config config = {
            .session = {&ph_encoder_libx264, 2000000, &budget, PROGRESS_MS,
                    IDLE_MS, PROGRESS_MS},
            .max_guests = MAX_GUESTS,
    };
    pthread_t thread;
    struct ph_server *server = ph_server_create(&config);
    CHECK(ph_server_listen(server, &host));
    CHECK(ph_server_listen(server, &loopback));
    pthread_create(&thread, NULL, run, server);
    struct v1_guest other = join(host_net, &loopback);
    talk(&other, 1);
    test_inside_message(&other);
    test_silence();
    test_lost_answer(&other);
    test_comes_back(&other);
    leave(&other);
    ph_server_stop(server);
    pthread_join(thread, NULL);
    ph_server_destroy(server);
    CHECK_EQ(budget.used, 0);
    return CHECK_DONE();
}
