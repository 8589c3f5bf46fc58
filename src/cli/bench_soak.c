/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Endurance: one content after the other, each picture compared, while the
 * connection is cut again and again, mostly in the middle of a message.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/bench_sender.h"
#include "common/clock.h"
#include "common/net.h"

enum {
    PHASE_S = 5,
    CUT_LEAST_MS = 200,
    CUT_MOST_MS = 3000,
    GROWTH_KB = 16 << 10, /* more than this is a leak */
};

struct soak {
    const struct ph_bench_options *options;
    struct ph_bench_sender sender;
    uint32_t random;
    int64_t next_cut;
    uint32_t cuts;
    uint32_t phases;
    pthread_mutex_t lock;
    int fd; /* of the connection, to cut; -1 */
};

/* On the link's thread. */
static int connect_again(void *data, int64_t deadline_ns)
{
    struct soak *s = data;
    int fd = ph_net_connect(&s->options->endpoint, deadline_ns);
    pthread_mutex_lock(&s->lock);
    if (s->fd >= 0) {
        close(s->fd);
    }
    s->fd = fd >= 0 ? dup(fd) : -1;
    pthread_mutex_unlock(&s->lock);
    return fd;
}

static void cut(struct soak *s)
{
    int64_t now = ph_clock_ns();
    if (now < s->next_cut) {
        return;
    }
    s->random = s->random * UINT32_C(1664525) + UINT32_C(1013904223);
    s->next_cut = now +
            (CUT_LEAST_MS + (s->random >> 8) % (CUT_MOST_MS - CUT_LEAST_MS)) *
                    PH_NS_PER_MS;
    pthread_mutex_lock(&s->lock);
    if (s->fd >= 0) {
        shutdown(s->fd, SHUT_RDWR);
        s->cuts++;
    }
    pthread_mutex_unlock(&s->lock);
}

/* kB on Linux; only ever compared with itself. */
static long most_memory(void)
{
    struct rusage u = {0};
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* Nothing is cut at the end of a phase: the last picture but one was compared
 * before the last one is answered. */
static bool settle(struct soak *s)
{
    struct ph_bench_sender *r = &s->sender;
    for (int i = 0; i < 3; i++) {
        if (!ph_bench_sender_next(r) || !ph_bench_sender_drain(r)) {
            return false;
        }
    }
    return true;
}

static bool run_phase(struct soak *s, const char *content)
{
    const struct ph_bench_options *o = s->options;
    struct ph_bench_sender *r = &s->sender;
    struct ph_bench_feed feed;
    struct ph_link_stats stats;
    char error[200];
    if (!ph_bench_feed_init(&feed, content, o->size.width, o->size.height,
                false, error, sizeof(error))) {
        ph_bench_fail(r->result, "%s", error);
        return false;
    }
    r->feed = &feed;
    r->has_frame = false;
    ph_bench_sender_mark_all(r);
    int64_t tick = ph_clock_ns();
    int64_t until = tick + PHASE_S * PH_NS_PER_S;
    bool ok = true;
    while (ok && ph_clock_ns() < until) {
        cut(s);
        ok = ph_bench_sender_next(r);
        ph_bench_pace(o->fps, &tick);
    }
    ok = ok && settle(s);
    ph_link_get_stats(r->link, &stats);
    s->phases++;
    if (stats.mismatches || r->result->failures) {
        ph_bench_fail(r->result,
                "%s, phase %u: %llu of %llu pictures differed, %llu frames "
                "failed",
                content, s->phases, (unsigned long long)stats.mismatches,
                (unsigned long long)stats.checks,
                (unsigned long long)r->result->failures);
    }
    ph_bench_feed_finish(&feed);
    r->feed = NULL;
    return ok && !r->result->failed;
}

static void run_phases(struct soak *s, uint32_t minutes)
{
    static const char *const contents[] = {
            "scroll", "typing", "drag", "video", "static"};
    struct ph_bench_result *result = s->sender.result;
    int64_t until = ph_clock_ns() + minutes * 60 * PH_NS_PER_S;
    long memory = 0;
    uint32_t i = 0;
    bool ok = true;
    while (ok && (ph_clock_ns() < until || i % PH_LEN(contents) != 0)) {
        ok = run_phase(s, contents[i % PH_LEN(contents)]);
        if (++i == PH_LEN(contents)) {
            memory = most_memory();
        }
    }
    long grown = most_memory() - memory;
    struct ph_link_stats stats;
    ph_link_get_stats(s->sender.link, &stats);
    printf("%u phases, %llu frames, %u cuts, %u connections lost, %llu "
           "pictures compared, %llu differed, %ld kB grown\n",
            s->phases, (unsigned long long)result->units, s->cuts,
            s->sender.lost, (unsigned long long)stats.checks,
            (unsigned long long)stats.mismatches, grown);
    if (ok && grown > GROWTH_KB) {
        ph_bench_fail(result, "memory grew by %ld kB", grown);
    }
}

void ph_bench_run_soak(
        const struct ph_bench_options *o, struct ph_bench_result *result)
{
    struct ph_bench_options options = *o;
    options.verify = true;
    struct soak s = {.options = &options,
            .random = 1,
            .next_cut = ph_clock_ns() + PH_NS_PER_S,
            .fd = -1,
            .sender = {.survive = true,
                    .connect = connect_again,
                    .connect_data = &s}};
    pthread_mutex_init(&s.lock, NULL);
    if (ph_bench_sender_init(&s.sender, &options, NULL, result)) {
        run_phases(&s, o->soak);
    }
    ph_bench_sender_finish(&s.sender);
    if (s.fd >= 0) {
        close(s.fd);
    }
    pthread_mutex_destroy(&s.lock);
}
