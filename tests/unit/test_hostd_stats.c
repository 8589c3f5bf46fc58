/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a host tells of its guests. */
#include "hostd/stats.h"

#include <unistd.h>

#define LOG_MODULE "test"
#include "common/log.h"

#include "peer.h"

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Against sorting them. */
static void test_percentiles(void)
{
    enum {
        COUNT = 5000
    };
    static int64_t all[COUNT];
    struct ph_times t = {{0}};
    uint32_t seed = 7;
    CHECK_EQ(ph_times_percentile(&t, 50), 0);
    for (int i = 0; i < COUNT; i++) {
        seed = seed * 1664525 + 1013904223;
        all[i] = (seed >> 8) >> (seed % 20);
        ph_times_add(&t, all[i]);
    }
    qsort(all, COUNT, sizeof(all[0]), by_value);
    for (unsigned percent = 1; percent <= 100; percent++) {
        int64_t exact = all[(COUNT * percent + 99) / 100 - 1];
        int64_t got = ph_times_percentile(&t, percent);
        CHECK(got >= exact - exact / 14 - 1 && got <= exact + exact / 14 + 1);
    }
}

static void test_extremes(void)
{
    struct ph_times t = {{0}};
    ph_times_add(&t, -5);
    CHECK_EQ(ph_times_percentile(&t, 100), 0);
    ph_times_add(&t, INT64_MAX);
    CHECK(ph_times_percentile(&t, 100) > 60000000);
    CHECK_EQ(ph_times_percentile(&t, 50), 0);
    for (int64_t us = 1; us < 1 << 27; us += us / 16 + 1) {
        ph_times_add(&t, us);
    }
    CHECK(ph_times_percentile(&t, 99) > 60000000 / 4);
}

static void test_counts(void)
{
    static struct ph_budget budget = {.limit = 64 << 20};
    static const struct ph_session_config config = {
            .encoder = &ph_fake_fails, /* each third frame of an encoder */
            .bitrate = 8000000,
            .budget = &budget,
            .progress_ms = PEER_WAIT_MS,
            .idle_ms = PEER_WAIT_MS,
    };
    struct ph_session_stats s;
    struct peer p = peer_begin(&config);
    peer_hello(&p, 0, 1);
    for (int i = 0; i < 6; i++) {
        peer_picture(&p, PH_HXFR_BGRA, 16, 8, i, 0);
        peer_read(&p);
    }
    ph_session_take_stats(p.session, &s);
    CHECK_STR(s.name, "test");
    CHECK(s.width == 16 && s.height == 8);
    CHECK(s.frames == 4 && s.keyframes == 2 && s.failed == 2);
    CHECK(s.bytes_in > 6 * 16 * 8 * 4 && s.bytes_in < 8 * 16 * 8 * 4);
    CHECK(s.bytes_out > 2 * 272 && s.queued == 0);
    CHECK(s.encoder == NULL); /* closed by its failure */
    peer_picture(&p, PH_HXFR_BGRA, 16, 8, 7, 0);
    peer_read(&p);
    ph_session_take_stats(p.session, &s);
    CHECK_STR(s.encoder, "fails");
    CHECK(s.frames == 1 && s.keyframes == 1 && s.failed == 0);
    ph_session_take_stats(p.session, &s);
    CHECK(s.frames == 0 && s.bytes_in == 0 && s.bytes_out == 0);
    peer_finish(&p);
}

/* Lines that parse, whatever a guest calls itself; none that blocks. */
static void test_print(void)
{
    struct ph_session_stats guest = {.number = 3, .name = "a \"b\"\xff\n"};
    struct ph_host_stats stats = {
            .seconds = 2, .guests = &guest, .count = 1, .memory_limit = 5};
    char text[4096] = "";
    int fds[2];
    CHECK(pipe(fds) == 0);
    ph_stats_print(&stats, fds[1]);
    CHECK(read(fds[0], text, sizeof(text) - 1) > 0);
    CHECK(strstr(text,
                  "{\"type\":\"guest\",\"guest\":3,\"name\":\"a \\\"b\\\"") ==
            text);
    CHECK(strstr(text, "\n{\"type\":\"host\",\"guests\":1,") != NULL);
    for (int i = 0; i < 1000; i++) { /* more than any pipe holds */
        ph_stats_print(&stats, fds[1]);
    }
    close(fds[0]);
    ph_stats_print(&stats, fds[1]); /* nobody reads any more */
    close(fds[1]);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_percentiles();
    test_extremes();
    test_counts();
    test_print();
    return CHECK_DONE();
}
