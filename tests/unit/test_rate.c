/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bit rate against a simulated way to a viewer. */
#include "deskd/rate.h"

#include "check.h"
#include "common/clock.h"

enum {
    MOST = 8000000,
    FPS = 60,
    TICK_NS = 1000000000 / FPS,
    FRAMES = 1 << 14
};

/* A pipe of so many bit/s; what does not fit yet waits in front of it. */
struct way {
    struct ph_rate rate;
    int64_t now_ns;
    double capacity; /* bit/s */
    double wanted; /* bit/s that the content has, at most */
    double sent; /* bits */
    double through;
    double at[FRAMES]; /* bits sent up to a frame */
    int64_t when[FRAMES];
    unsigned frames;
    unsigned arrived;
    int64_t worst_ns; /* the largest lag since it was reset */
};

static void run(struct way *w, double seconds)
{
    for (int i = 0; i < (int)(seconds * FPS); i++) {
        double bits = w->wanted < w->rate.bitrate ? w->wanted : w->rate.bitrate;
        w->now_ns += TICK_NS;
        w->sent += bits / FPS;
        w->at[w->frames % FRAMES] = w->sent;
        w->when[w->frames++ % FRAMES] = w->now_ns;
        w->through += w->capacity / FPS;
        w->through = w->through < w->sent ? w->through : w->sent;
        while (w->arrived < w->frames &&
                w->at[w->arrived % FRAMES] <= w->through + 1) {
            w->arrived++;
        }
        int64_t lag = w->arrived < w->frames
                ? w->now_ns - w->when[w->arrived % FRAMES]
                : 0;
        w->worst_ns = lag > w->worst_ns ? lag : w->worst_ns;
        struct ph_rate_sample s = {.now_ns = w->now_ns,
                .lag_ns = lag,
                .acked = (uint64_t)(w->through / 8),
                .sent = (uint64_t)(w->sent / 8)};
        ph_rate_update(&w->rate, &s);
    }
}

static struct way fresh(double capacity)
{
    struct way w = {.now_ns = 1000 * PH_NS_PER_S,
            .capacity = capacity,
            .wanted = 2 * MOST};
    ph_rate_init(&w.rate, MOST);
    struct ph_rate_sample s = {.now_ns = w.now_ns};
    ph_rate_restart(&w.rate, &s);
    return w;
}

static void test_wide(void)
{
    struct way w = fresh(50e6);
    run(&w, 30);
    CHECK_EQ(w.rate.bitrate, MOST);
}

/* Down quickly, then at the capacity, with hardly a queue. */
static void test_narrow(void)
{
    struct way w = fresh(2e6);
    run(&w, 3);
    CHECK(w.rate.bitrate <= 2000000);
    run(&w, 5);
    for (int i = 0; i < 20; i++) {
        w.worst_ns = 0;
        run(&w, 1);
        CHECK(w.worst_ns < 500 * PH_NS_PER_MS);
        CHECK(w.rate.bitrate > 800000 && w.rate.bitrate < 3000000);
    }
}

static void test_widens(void)
{
    struct way w = fresh(1e6);
    run(&w, 10);
    CHECK(w.rate.bitrate < 1500000);
    w.capacity = 50e6;
    run(&w, 20);
    CHECK_EQ(w.rate.bitrate, MOST);
}

/* Content that uses little of it shows nothing of the way; long calm does. */
static void test_unused(void)
{
    struct way w = fresh(1e6);
    run(&w, 10);
    w.capacity = 50e6;
    w.wanted = 20000;
    run(&w, 30);
    CHECK_EQ(w.rate.bitrate, MOST);
}

static void test_least(void)
{
    struct way w = fresh(10000);
    run(&w, 60);
    CHECK_EQ(w.rate.bitrate, PH_RATE_LEAST);
    ph_rate_init(&w.rate, 100000); /* asked for less than that */
    run(&w, 10);
    CHECK_EQ(w.rate.bitrate, 100000);
}

int main(void)
{
    test_wide();
    test_narrow();
    test_widens();
    test_unused();
    test_least();
    return CHECK_DONE();
}
