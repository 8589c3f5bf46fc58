/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A slow way between a guest and a host, for measuring: passes connections on
 * with a limited rate and a delay, in each direction.
 *
 *   relay LISTEN TO BYTES_PER_S DELAY_US
 *
 * Prints "listening ENDPOINT". The rate is that of a wire: a byte leaves when
 * those before it have left; what is on the way is at most what fits into the
 * delay, and a buffer of 64 kB.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/net.h"
#include "common/parse.h"

enum {
    CHUNK = 16 << 10,
    CHUNKS = 64,
    BUFFER = 64 << 10,
};

struct way {
    double rate; /* bytes a second */
    int64_t delay;
};

struct chunk {
    int64_t due; /* when its last byte arrives */
    size_t len;
    size_t done;
    uint8_t data[CHUNK];
};

/* One direction of a connection. */
struct flow {
    struct way way;
    int from;
    int to;
    int64_t free_at; /* when the wire is free again */
    struct chunk *ring; /* CHUNKS */
    size_t head;
    size_t count;
    size_t bytes; /* in it */
    bool ended;
};

static size_t room_of(const struct flow *f)
{
    size_t most = BUFFER +
            (size_t)(f->way.rate * (double)f->way.delay / (double)PH_NS_PER_S);
    return f->count < CHUNKS && f->bytes < most && !f->ended ? CHUNK : 0;
}

static void take_in(struct flow *f)
{
    struct chunk *c = &f->ring[(f->head + f->count) % CHUNKS];
    ssize_t n = recv(f->from, c->data, CHUNK, MSG_DONTWAIT);
    if (n <= 0) {
        f->ended = n == 0 || poll(&(struct pollfd){f->from, POLLIN, 0}, 1, 0);
        return;
    }
    int64_t now = ph_clock_ns();
    f->free_at = PH_MAX(f->free_at, now) +
            (int64_t)((double)n / f->way.rate * (double)PH_NS_PER_S);
    c->due = f->free_at + f->way.delay;
    c->len = (size_t)n;
    c->done = 0;
    f->count++;
    f->bytes += (size_t)n;
}

/* False: the other side is gone. */
static bool give_out(struct flow *f)
{
    struct chunk *c = &f->ring[f->head];
    struct iovec iov = {c->data + c->done, c->len - c->done};
    ssize_t n = ph_net_write_some(f->to, &iov, 1);
    if (n < 0) {
        return false;
    }
    c->done += (size_t)n;
    if (c->done == c->len) {
        f->head = (f->head + 1) % CHUNKS;
        f->count--;
        f->bytes -= c->len;
    }
    return true;
}

static bool step(struct flow *f)
{
    int64_t now = ph_clock_ns();
    bool due = f->count > 0 && f->ring[f->head].due <= now;
    struct pollfd p[] = {{room_of(f) ? f->from : -1, POLLIN, 0},
            {due ? f->to : -1, POLLOUT, 0}};
    struct timespec wait = {0};
    if (f->count > 0 && !due) {
        int64_t left = f->ring[f->head].due - now;
        wait = (struct timespec){
                (time_t)(left / PH_NS_PER_S), (long)(left % PH_NS_PER_S)};
    }
    if (ppoll(p, 2, f->count > 0 && !due ? &wait : NULL, NULL) < 0) {
        return false;
    }
    if (p[0].revents) {
        take_in(f);
    }
    return !p[1].revents || give_out(f);
}

static void *run_flow(void *arg)
{
    struct flow *f = arg;
    f->ring = ph_xcalloc(CHUNKS, sizeof(*f->ring));
    while ((!f->ended || f->count > 0) && step(f)) {
    }
    shutdown(f->to, SHUT_WR);
    shutdown(f->from, SHUT_RD);
    free(f->ring);
    return NULL;
}

struct connection {
    struct flow there;
    struct flow back;
};

static void *run_connection(void *arg)
{
    struct connection *c = arg;
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_flow, &c->back) == 0) {
        run_flow(&c->there);
        pthread_join(thread, NULL);
    }
    close(c->there.from);
    close(c->there.to);
    free(c);
    return NULL;
}

static void pass_on(int guest, const struct ph_endpoint *to, struct way way)
{
    pthread_t thread;
    int host = ph_net_connect(to, ph_deadline_ms(5000));
    if (host < 0) {
        perror("connect");
        close(guest);
        return;
    }
    struct connection *c = ph_xcalloc(1, sizeof(*c));
    c->there = (struct flow){.way = way, .from = guest, .to = host};
    c->back = (struct flow){.way = way, .from = host, .to = guest};
    if (pthread_create(&thread, NULL, run_connection, c) == 0) {
        pthread_detach(thread);
    }
}

int main(int argc, char **argv)
{
    struct ph_endpoint listen;
    struct ph_endpoint to;
    char error[200];
    char text[PH_ENDPOINT_TEXT_MAX];
    uint32_t rate = 0;
    uint32_t delay_us = 0;
    if (argc != 5 ||
            !ph_endpoint_parse(argv[1], &listen, error, sizeof(error)) ||
            !ph_endpoint_parse(argv[2], &to, error, sizeof(error)) ||
            !ph_parse_u32(argv[3], 1, UINT32_MAX, &rate) ||
            !ph_parse_u32(argv[4], 0, 10000000, &delay_us)) {
        fprintf(stderr, "usage: relay LISTEN TO BYTES_PER_S DELAY_US\n");
        return 2;
    }
    int fd = ph_net_listen(&listen, 16);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    ph_endpoint_format(&listen, text, sizeof(text));
    printf("listening %s\n", text);
    fflush(stdout);
    for (;;) {
        struct pollfd p = {fd, POLLIN, 0};
        poll(&p, 1, -1);
        int guest = ph_net_accept(fd);
        if (guest >= 0) {
            pass_on(guest, &to, (struct way){rate, delay_us * PH_NS_PER_US});
        }
    }
}
