/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One viewer: its queue, its input, its figures. */
#include "hub_fakes.h"

static void test_stages(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    join(hub, &a);
    give_unit(hub, true, 100);
    a.stuck = true;
    give_unit(hub, false, 10); /* half written */
    give_unit(hub, false, 10);
    advance(40);
    drain(&a);
    uint64_t sum = 0;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        sum += a.frame.stage_us[i];
    }
    CHECK_EQ(a.frame.sequence, sequence);
    CHECK_EQ(sum, a.frame.sent_us - a.frame.captured_us);
    CHECK_EQ(a.frame.sent_us, now_ns / 1000);
    /* 40 ms, what the unit waited before it came here, and what µs cut. */
    CHECK(a.frame.stage_us[PH_STREAM_STAGE_QUEUE] / 1000 == 41);
    stop(hub);
}

static void test_overflow(void)
{
    struct ph_hub *hub = start(9);
    struct pipe slow;
    struct pipe good;
    join(hub, &good);
    join(hub, &slow);
    give_unit(hub, true, 100);
    int requests = source.requests;

    slow.stuck = true;
    for (int i = 0; i < 60 * 5; i++, advance(16)) {
        give_unit(hub, false, 1000);
        CHECK(live_units < 60); /* bounded by age */
    }
    CHECK_EQ(good.frames, 301);
    CHECK_EQ(slow.frames, 2);
    CHECK_EQ(source.requests, requests); /* not before it drained */
    struct ph_hub_stats s;
    ph_hub_get_stats(hub, &s);
    CHECK(s.dropped > 20);
    drain(&slow);
    CHECK_EQ(source.requests, requests + 1);
    give_unit(hub, false, 10);
    CHECK_EQ(slow.frames, 2);
    give_unit(hub, true, 100);
    give_unit(hub, false, 100);
    CHECK_EQ(slow.frames, 4);

    /* By size: no more than 2 MB wait. */
    advance(11000);
    slow.stuck = true;
    give_unit(hub, false, 1000);
    for (int i = 0; i < 10; i++) {
        give_unit(hub, false, 500 << 10);
        CHECK(live_units <= 6);
    }
    /* What does not read gets no PONG, however often it asks. */
    for (uint64_t i = 0; i < 1000; i++) {
        say_ping(&slow, i);
    }
    size_t before = strlen(slow.log);
    drain(&slow);
    CHECK_EQ(strlen(slow.log) - before, PH_VIEWER_PONGS);
    stop(hub);
}

/* Who falls behind again and again gets a keyframe after 2, 4, 8, 8 s. */
static void test_back_off(void)
{
    static const int seconds[] = {0, 2, 4, 8, 8};
    struct ph_hub *hub = start(9);
    struct pipe slow;
    join(hub, &slow);
    give_unit(hub, true, 100);
    advance(1000);
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        int requests = source.requests;
        slow.stuck = true;
        give_unit(hub, false, 10);
        give_unit(hub, false, 10);
        advance(600);
        give_unit(hub, false, 10); /* too late */
        drain(&slow);
        int64_t fell = now_ns;
        while (source.requests == requests &&
                now_ns - fell < 20 * PH_NS_PER_S) {
            advance(100);
            ph_hub_update(hub);
        }
        CHECK_EQ((now_ns - fell) / PH_NS_PER_S, seconds[i]);
        give_unit(hub, true, 100);
        advance(600);
    }
    /* Forgiven after a while without. */
    advance(30000);
    int requests = source.requests;
    slow.stuck = true;
    give_unit(hub, false, 10);
    give_unit(hub, false, 10);
    advance(600);
    give_unit(hub, false, 10);
    drain(&slow);
    CHECK_EQ(source.requests, requests + 1);
    stop(hub);
}

static void test_input(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    struct pipe b;
    struct pipe v;
    join(hub, &a);
    join(hub, &b);
    connect(hub, &v);
    say_auth(&v, VIEW);

    say_press(&a, KEY_A, true);
    say_press(&a, KEY_A, true); /* repeated */
    say_press(&b, KEY_A, true);
    say_press(&v, KEY_B, true); /* may not */
    expect_input("+30 ");
    say_press(&a, KEY_A, false);
    expect_input("");
    say_press(&b, KEY_A, false);
    say_press(&b, KEY_A, false);
    expect_input("-30 ");

    say_press(&a, KEY_LEFTSHIFT, true);
    say_press(&a, BTN_LEFT, true);
    say_press(&b, KEY_LEFTSHIFT, true);
    expect_input("+42 +b272 ");
    hang_up(&a);
    expect_input("-b272 ");
    say_empty(&b, PH_STREAM_RELEASE_ALL);
    expect_input("-42 ");

    uint8_t buf[32];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_pointer point = {639, 0, 640, 360};
    ph_stream_write_pointer(&w, 0, &point);
    say(&b, &w);
    expect_input("@639,0/640,360 "); /* no picture yet: as it says */
    give_unit(hub, true, 100);
    say(&b, &w);
    expect_input("@1918,1/1920,1080 ");
    w.len = 0;
    struct ph_stream_wheel wheel = {false, 0, -120};
    ph_stream_write_wheel(&w, 0, &wheel);
    say(&b, &w);
    say(&v, &w);
    expect_input("w0,-120 ");
    stop(hub);
}

static void test_acks(void)
{
    struct ph_viewer_stats s = {0};
    uint32_t us = 0;
    CHECK(!ph_viewer_stats_percentile(&s, PH_VIEWER_RTT, 50, &us));
    for (uint32_t i = 1; i <= 200; i++) {
        struct ph_stream_ack ack = {i, 2000, 5000};
        ph_viewer_stats_sent(&s, i, 100, 1000 * PH_NS_PER_MS);
        ph_viewer_stats_ack(&s, &ack, (1006 + i % 2) * PH_NS_PER_MS);
        ph_viewer_stats_ack(&s, &ack, 2000 * PH_NS_PER_MS); /* twice */
    }
    CHECK_EQ(s.acks, 200);
    CHECK(ph_viewer_stats_percentile(&s, PH_VIEWER_RTT, 0, &us));
    CHECK_EQ(us, 1000);
    CHECK(ph_viewer_stats_percentile(&s, PH_VIEWER_RTT, 95, &us));
    CHECK_EQ(us, 2000);
    CHECK(ph_viewer_stats_percentile(&s, PH_VIEWER_DECODE, 50, &us));
    CHECK_EQ(us, 2000);
    struct ph_stream_ack unknown = {5000, 1, 1};
    ph_viewer_stats_ack(&s, &unknown, now_ns);
    CHECK_EQ(s.acks, 200);
}

int main(void)
{
    test_stages();
    test_overflow();
    test_back_off();
    test_input();
    test_acks();
    return CHECK_DONE();
}
