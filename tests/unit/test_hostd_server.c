/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Many guests at once: accepting, limits, the end. */
#include "hostd/server.h"

#include <sys/stat.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "hostd/encoder_fake.h"
#include "hostd/options.h"

#include "peer.h"

static char dir[] = "/tmp/porthole-test-hostd-XXXXXX";
static struct ph_budget budget = {.limit = (size_t)4 << 30};

struct host {
    struct ph_server *server;
    struct ph_endpoint tcp;
    struct ph_endpoint local;
    pthread_t thread;
};

static void *run(void *server)
{
    ph_server_run(server);
    return NULL;
}

static struct host begin(unsigned max_guests)
{
    struct ph_server_config config = {
            .session = {&ph_fake_encoder, 8000000, &budget, PEER_WAIT_MS,
                    PEER_WAIT_MS},
            .max_guests = max_guests,
    };
    struct host h = {.tcp = {PH_ENDPOINT_TCP, "127.0.0.1", 0},
            .local = {.kind = PH_ENDPOINT_UNIX}};
    snprintf(h.local.address, sizeof(h.local.address), "%s/hostd", dir);
    h.server = ph_server_create(&config);
    CHECK(ph_server_listen(h.server, &h.tcp));
    CHECK(ph_server_listen(h.server, &h.local));
    CHECK(h.tcp.port != 0);
    pthread_create(&h.thread, NULL, run, h.server);
    return h;
}

static void finish(struct host *h)
{
    struct stat st;
    ph_server_stop(h->server);
    pthread_join(h->thread, NULL);
    CHECK(stat(h->local.address, &st) == 0);
    ph_server_destroy(h->server);
    CHECK(stat(h->local.address, &st) < 0);
    CHECK_EQ(budget.used, 0);
}

static int join(const struct ph_endpoint *ep)
{
    int fd = ph_net_connect(ep, ph_deadline_ms(PEER_WAIT_MS));
    CHECK(fd >= 0);
    return fd;
}

/* Only fd and payload of a peer are used: its session is the server's. */
static struct peer connect_to(const struct ph_endpoint *ep)
{
    struct peer p = {.fd = join(ep), .passed_fd = -1};
    return p;
}

static void leave(struct peer *p)
{
    close(p->fd);
    free(p->payload);
}

static void talk(struct peer *p, int64_t pts)
{
    peer_picture(p, PH_HXFR_BGRA, 16, 16, pts, 1);
    peer_expect(p, PH_HXFR_FRAME_RESPONSE);
}

/* Descriptors travel on unix sockets only. */
static void test_capabilities(void)
{
    struct host h = begin(8);
    struct peer a = connect_to(&h.tcp);
    struct peer b = connect_to(&h.local);
    CHECK(!(peer_hello(&a, 0x7ff, 2) & PH_HXFR_CAP_MEMFD));
    uint32_t want = PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT;
    CHECK_EQ(peer_hello(&b, 0x7ff, 2) & want, want);
    leave(&a);
    leave(&b);
    finish(&h);
}

/* 300 connections where 32 are allowed: those that were silent go, the one
 * that talks is served all the time. */
static void test_crowd(void)
{
    enum {
        CROWD = 300
    };
    static int fds[CROWD];
    struct host h = begin(32);
    struct peer p = connect_to(&h.local);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = join(i % 2 ? &h.tcp : &h.local);
        if (i % 8 == 0) {
            talk(&p, i);
        }
    }
    struct peer late = connect_to(&h.tcp);
    talk(&late, 1);
    talk(&p, CROWD);
    /* The first of the crowd is gone. */
    struct peer first = {.fd = fds[0], .passed_fd = -1};
    peer_expect_error(&first, PH_HXFR_ERR_BUSY);
    CHECK(strstr((const char *)first.payload + 4, "--max-guests") != NULL);
    peer_expect_end(&first);
    free(first.payload);
    for (int i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    talk(&p, CROWD + 1);
    leave(&late);
    leave(&p);
    finish(&h);
}

/* 200 guests at once, each with a frame in flight before the first is read. */
static void test_all_served(void)
{
    enum {
        GUESTS = 200
    };
    static struct peer p[GUESTS];
    struct host h = begin(GUESTS);
    for (int i = 0; i < GUESTS; i++) {
        p[i] = connect_to(i % 2 ? &h.tcp : &h.local);
        peer_picture(&p[i], PH_HXFR_NV12, 320, 240, i, (uint8_t)i);
    }
    for (int i = 0; i < GUESTS; i++) {
        CHECK_EQ(peer_expect_picture(&p[i], i, true).corner[0], i);
        leave(&p[i]);
    }
    finish(&h);
}

enum {
    ROUNDS = 5
};

static void *guest(void *ep)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct peer p = connect_to(ep);
        for (int i = 0; i < 10; i++) {
            talk(&p, i);
        }
        leave(&p);
    }
    return NULL;
}

/* Guests that come and go side by side. */
static void test_many(void)
{
    enum {
        GUESTS = 16
    };
    pthread_t threads[GUESTS];
    /* Room for all, however slowly those that left are cleared away. */
    struct host h = begin(GUESTS * ROUNDS);
    for (int i = 0; i < GUESTS; i++) {
        pthread_create(&threads[i], NULL, guest, i % 2 ? &h.tcp : &h.local);
    }
    for (int i = 0; i < GUESTS; i++) {
        pthread_join(threads[i], NULL);
    }
    finish(&h);
}

/* The end comes at once, with guests connected, half a message in. */
static void test_end(void)
{
    struct host h = begin(8);
    struct peer a = connect_to(&h.tcp);
    struct peer b = connect_to(&h.local);
    talk(&a, 1);
    peer_write(&b, "HXFR", 4);
    int64_t start = ph_clock_ns();
    finish(&h);
    CHECK(ph_clock_ns() - start < 20 * PH_NS_PER_S);
    peer_expect_end(&a);
    leave(&a);
    leave(&b);
}

static enum ph_opt_result parse(const char *arg, struct ph_hostd_options *o)
{
    char name[] = "porthole-hostd";
    char text[128];
    char error[256];
    int operands = 0;
    snprintf(text, sizeof(text), "%s", arg);
    char *argv[] = {name, text, NULL};
    *o = ph_hostd_defaults;
    return ph_opt_parse(
            &ph_hostd_usage, 2, argv, o, &operands, error, sizeof(error));
}

static void test_options(void)
{
    static const char *const bad[] = {"--bitrate=0", "--bitrate=fast",
            "--memory=1k", "--memory=", "--max-guests=0", "--fd=-1",
            "--max-guests=999999999", "--listen", "--encode=x"};
    struct ph_hostd_options o;
    for (size_t i = 0; i < PH_LEN(bad); i++) {
        CHECK_EQ(parse(bad[i], &o), PH_OPT_INVALID);
    }
    CHECK_EQ(parse("--bitrate=2500k", &o), PH_OPT_OK);
    CHECK_EQ(o.bitrate, 2500000);
    CHECK_EQ(parse("--memory=2G", &o), PH_OPT_OK);
    CHECK_EQ(o.memory, UINT64_C(2) << 30);
    CHECK_EQ(parse("--listen=unix:/x", &o), PH_OPT_OK);
    CHECK_EQ(o.listen.count, 1);
    CHECK_EQ(parse("--help", &o), PH_OPT_HELP);
    CHECK_EQ(parse("--version", &o), PH_OPT_VERSION);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    if (!mkdtemp(dir)) {
        return 1;
    }
    test_capabilities();
    test_crowd();
    test_all_served();
    test_many();
    test_end();
    test_options();
    rmdir(dir);
    return CHECK_DONE();
}
