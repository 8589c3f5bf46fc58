/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ten guests of one porthole-hostd, of both versions of the protocol, for a
 * long time: every now and then one is killed and one stands still. Each frame
 * of the others is answered, and the host does not grow.
 *
 * usage: soak_hostd PORTHOLE-HOSTD SECONDS
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define LOG_MODULE "soak"
#include "common/log.h"
#include "common/macros.h"
#include "common/parse.h"

#include "child.h"
#include "unit/peer.h"
#include "unit/v1_guest.h"

enum {
    GUESTS = 10,
    FPS = 15,
    WIDTH = 640,
    HEIGHT = 360,
    PERIOD_S = 10, /* between two troubles */
    GROWTH_MIB = 48 /* the heap frays, by some 30 in the first 100 troubles */
};

enum order {
    WORK,
    DIE, /* in the middle of a message, and come back at once */
    STALL, /* in the middle of one, until the host hangs up */
    LEAVE
};

struct guest {
    pthread_t thread;
    bool extended;
    const struct ph_endpoint *endpoint;
    _Atomic int order;
    atomic_uint frames; /* answered */
    atomic_uint lives;
    int64_t slowest_ns; /* of all answers */
    uint8_t *pixels;
    struct v1_guest v1;
    struct peer peer;
    struct ph_hxfr_surface surface;
};

static struct ph_endpoint tcp;
static struct ph_endpoint local;

static void pause_ms(int64_t ms)
{
    poll(NULL, 0, (int)ms);
}

/* --- one guest --- */

static bool join(struct guest *g)
{
    int fd = ph_net_connect(g->endpoint, ph_deadline_ms(PEER_WAIT_MS));
    if (!CHECK(fd >= 0)) {
        return false;
    }
    if (g->extended) {
        g->peer.fd = fd;
        g->peer.passed_fd = -1;
        CHECK(peer_hello(&g->peer, PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT, 2));
        g->surface = peer_surface(&g->peer, 1, PH_HXFR_NV12, WIDTH, HEIGHT);
    } else {
        fcntl(fd, F_SETFL, 0);
        g->v1.fd = fd;
    }
    g->lives++;
    return true;
}

static int socket_of(const struct guest *g)
{
    return g->extended ? g->peer.fd : g->v1.fd;
}

static struct v1_frame frame_of(struct guest *g, unsigned n)
{
    struct v1_frame f = {.width = WIDTH,
            .height = HEIGHT,
            .format = V1_NV12,
            .stride = WIDTH,
            .pts = n,
            .pixels = g->pixels,
            .size = WIDTH * HEIGHT * 3 / 2};
    /* A band that moves. */
    memset(g->pixels, 90, WIDTH * HEIGHT);
    memset(g->pixels + (size_t)(n * 4 % (HEIGHT - 16)) * WIDTH, 200,
            WIDTH * 16);
    return f;
}

/* The n-th frame of a life, from 0. */
static bool show_v1(struct guest *g, unsigned n)
{
    struct v1_frame f = frame_of(g, n);
    return CHECK_EQ(v1_encode(&g->v1, &f), V1_UNIT) && CHECK_EQ(g->v1.pts, n) &&
            CHECK(n > 0 || g->v1.key);
}

static bool show_extended(struct guest *g, unsigned n)
{
    struct ph_rect all = {0, 0, WIDTH, HEIGHT};
    struct ph_rect band = {0, (uint16_t)(n * 4 % (HEIGHT - 16)), WIDTH, 16};
    uint32_t sequence = n + 2;
    uint8_t type = n % 4 == 3 ? PH_HXFR_REPEAT : PH_HXFR_TILES;
    uint16_t rects = type == PH_HXFR_TILES;
    peer_frame(&g->peer, type, &g->surface, sequence, n == 0 ? &all : &band,
            rects, 0, (uint8_t)n);
    struct ph_hxfr_access_unit au = peer_expect_unit(&g->peer, sequence);
    return au.sequence == sequence &&
            CHECK(n > 0 || au.flags & PH_HXFR_FRAME_KEYFRAME);
}

static void begin_message(struct guest *g, unsigned n)
{
    if (g->extended) {
        peer_header(&g->peer, PH_HXFR_TILES, 100000);
        peer_write(&g->peer, g->pixels, 500);
    } else {
        struct v1_frame f = frame_of(g, n);
        uint8_t head[V1_HEADER + 44] = {'H', 'X', 'F', 'R', 1, 1, 1, 0};
        v1_put32(head + 8, 44 + f.size);
        v1_put32(head + 16, f.width);
        v1_put32(head + 20, f.height);
        v1_put32(head + 24, f.format);
        v1_put32(head + 28, f.stride);
        CHECK(v1_write(&g->v1, head, sizeof(head)));
        CHECK(v1_write(&g->v1, f.pixels, f.size / 2));
    }
}

/* The host hangs up; we do not. */
static void await_end(struct guest *g)
{
    char sink[512];
    struct pollfd p = {socket_of(g), POLLIN, 0};
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    while (g->order == STALL && ph_clock_ns() < deadline) {
        if (poll(&p, 1, 200) > 0 && recv(p.fd, sink, sizeof(sink), 0) <= 0) {
            return;
        }
    }
    CHECK(g->order != STALL);
}

static void leave(struct guest *g, bool reset)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (reset) {
        setsockopt(
                socket_of(g), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    close(socket_of(g));
}

/* False: it failed. */
static bool live(struct guest *g)
{
    int64_t due = ph_clock_ns();
    for (unsigned n = 0; g->order == WORK; n++) {
        int64_t begun = ph_clock_ns();
        if (!(g->extended ? show_extended(g, n) : show_v1(g, n))) {
            return false;
        }
        int64_t now = ph_clock_ns();
        g->slowest_ns = PH_MAX(g->slowest_ns, now - begun);
        g->frames++;
        due = PH_MAX(due + PH_NS_PER_S / FPS, now);
        pause_ms((due - now) / PH_NS_PER_MS);
    }
    if (g->order != LEAVE) {
        begin_message(g, 0);
    }
    if (g->order == STALL) {
        await_end(g);
    }
    leave(g, g->order == DIE);
    int done = g->order;
    /* LEAVE may have come meanwhile. */
    if (done == DIE || done == STALL) {
        atomic_compare_exchange_strong(&g->order, &done, WORK);
    }
    return true;
}

static void *run(void *guest)
{
    struct guest *g = guest;
    g->pixels = malloc(WIDTH * HEIGHT * 3 / 2);
    memset(g->pixels, 128, WIDTH * HEIGHT * 3 / 2);
    while (g->order != LEAVE && join(g) && live(g)) {
    }
    free(g->pixels);
    free(g->v1.data);
    free(g->peer.payload);
    return NULL;
}

/* --- the host --- */

struct host_size {
    unsigned sockets;
    unsigned threads;
    double mib;
};

static unsigned entries(pid_t pid, const char *name)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    DIR *dir = opendir(path);
    while (dir && readdir(dir)) {
        count++;
    }
    if (dir) {
        closedir(dir);
    }
    return count;
}

static struct host_size measure(pid_t pid)
{
    struct host_size size = {entries(pid, "fd"), entries(pid, "task"), 0};
    char path[64];
    char text[128] = "";
    char digits[32];
    uint32_t pages = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    if (f && fgets(text, sizeof(text), f)) {
        const char *second = text + strcspn(text, " ") + 1;
        snprintf(digits, sizeof(digits), "%.*s", (int)strcspn(second, " "),
                second);
        ph_parse_u32(digits, 0, UINT32_MAX, &pages);
    }
    if (f) {
        fclose(f);
    }
    size.mib = (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
    return size;
}

static bool start_host(struct child *child, const char *program)
{
    char line[CHILD_LINE];
    char error[128];
    char listen[sizeof(local.address) + 8];
    snprintf(listen, sizeof(listen), "unix:%s", local.address);
    const char *argv[] = {program, "--listen", "tcp:127.0.0.1:0", "--listen",
            listen, "--stats", "0", NULL};
    return CHECK(child_start(child, argv)) &&
            CHECK(child_expect(child, "listening tcp:", line, PEER_WAIT_MS)) &&
            CHECK(ph_endpoint_parse(
                    line + strlen("listening "), &tcp, error, sizeof(error))) &&
            CHECK(child_expect(child, "listening unix:", line, PEER_WAIT_MS));
}

/* All are at work, and a while has passed. */
static void await_calm(struct guest *guests)
{
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    for (int i = 0; i < GUESTS; i++) {
        unsigned before = guests[i].frames;
        while (ph_clock_ns() < deadline &&
                (guests[i].order != WORK || guests[i].frames < before + 5)) {
            pause_ms(20);
        }
        CHECK(guests[i].frames >= before + 5);
    }
}

/* What is left of those that died is cleared away soon. */
static struct host_size await_size(pid_t pid, struct host_size like)
{
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    struct host_size now = measure(pid);
    while ((now.sockets != like.sockets || now.threads != like.threads) &&
            ph_clock_ns() < deadline) {
        pause_ms(20);
        now = measure(pid);
    }
    CHECK_EQ(now.sockets, like.sockets);
    CHECK_EQ(now.threads, like.threads);
    return now;
}

static void make_trouble(struct guest *guests, unsigned round)
{
    int die = WORK;
    int stall = WORK;
    atomic_compare_exchange_strong(
            &guests[round * 3 % GUESTS].order, &die, DIE);
    atomic_compare_exchange_strong(
            &guests[(round * 3 + 5) % GUESTS].order, &stall, STALL);
}

static void tell(const struct guest *guests, unsigned rounds,
        struct host_size before, struct host_size after)
{
    unsigned frames = 0;
    unsigned lives = 0;
    int64_t slowest = 0;
    for (int i = 0; i < GUESTS; i++) {
        frames += guests[i].frames;
        lives += guests[i].lives;
        slowest = PH_MAX(slowest, guests[i].slowest_ns);
    }
    printf("%u frames, %u troubles, %u connections, slowest answer %.1f ms, "
           "%.1f MiB, then %.1f\n",
            frames, rounds, lives, (double)slowest / 1e6, before.mib,
            after.mib);
}

static bool is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    return false;
}

/* Troubles for so long; the host is as large after them as before. */
static void soak(struct guest *guests, pid_t host, uint32_t seconds)
{
    int64_t end = ph_deadline_ms((int64_t)seconds * 1000);
    int64_t period = PH_MIN(PERIOD_S * 1000, (int64_t)seconds * 1000 / 6);
    unsigned rounds = 0;
    await_calm(guests);
    struct host_size first = measure(host);
    /* The heap settles in the first ones. */
    struct host_size settled = first;
    while (ph_clock_ns() < end) {
        make_trouble(guests, rounds++);
        pause_ms(period);
        if (rounds == 3) {
            settled = measure(host);
        }
    }
    await_calm(guests);
    struct host_size last = await_size(host, first);
    tell(guests, rounds, settled, last);
    /* A sanitizer keeps what is freed, and tells of leaks itself. */
    CHECK(is_sanitized() || last.mib < settled.mib + GROWTH_MIB);
}

int main(int argc, char **argv)
{
    static struct guest guests[GUESTS];
    static struct child child;
    char dir[] = "/tmp/porthole-soak-XXXXXX";
    uint32_t seconds = 0;
    if (argc != 3 || !ph_parse_u32(argv[2], 1, 1000000, &seconds)) {
        fprintf(stderr, "usage: soak_hostd PORTHOLE-HOSTD SECONDS\n");
        return 2;
    }
    setenv("PORTHOLE_LOG", "error", 1);
    CHECK(mkdtemp(dir) != NULL);
    local.kind = PH_ENDPOINT_UNIX;
    snprintf(local.address, sizeof(local.address), "%s/hostd", dir);
    if (!start_host(&child, argv[1])) {
        return CHECK_DONE();
    }
    struct host_size empty = measure(child.pid);
    for (int i = 0; i < GUESTS; i++) {
        guests[i].extended = i % 3 == 2;
        guests[i].endpoint = i % 2 ? &tcp : &local;
        pthread_create(&guests[i].thread, NULL, run, &guests[i]);
    }
    soak(guests, child.pid, seconds);
    for (int i = 0; i < GUESTS; i++) {
        guests[i].order = LEAVE;
    }
    for (int i = 0; i < GUESTS; i++) {
        pthread_join(guests[i].thread, NULL);
    }
    await_size(child.pid, empty);
    int status = -1;
    kill(child.pid, SIGTERM);
    waitpid(child.pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(child.in);
    close(child.out);
    CHECK_EQ(rmdir(dir), 0);
    return CHECK_DONE();
}
