/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who joins, who leaves, and what the source has to do for them. */
#include "hub_fakes.h"

static void test_join_and_leave(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    struct pipe b;
    connect(hub, &a);
    CHECK(!source.active);
    CHECK_STR(a.log, "");
    say_auth(&a, DRIVE);
    CHECK(source.active);
    CHECK_STR(a.log, "W");
    give_unit(hub, false, 10); /* left over: of no use */
    CHECK_STR(a.log, "W");
    give_unit(hub, true, 100);
    give_unit(hub, false, 10);
    CHECK_STR(a.log, "WCKF");
    CHECK_EQ(source.requests, 0); /* it begins with one by itself */

    advance(PH_HUB_KEYFRAME_MS);
    join(hub, &b);
    CHECK_EQ(source.requests, 1);
    give_unit(hub, false, 10);
    give_unit(hub, true, 100);
    CHECK_STR(a.log, "WCKFFK");
    CHECK_STR(b.log, "WCK");

    hang_up(&a);
    CHECK(source.active);
    hang_up(&b);
    CHECK(!source.active);
    struct ph_hub_stats s;
    ph_hub_get_stats(hub, &s);
    CHECK_EQ(s.viewers, 0);
    CHECK_EQ(s.units, 5);
    CHECK_EQ(s.frames_sent, 5);
    CHECK_EQ(s.keyframes_forced, 2);
    stop(hub);
}

/* 200 who come within 10 s: 20 keyframes, and nobody waits for long. */
static void test_crowd(void)
{
    enum {
        COUNT = 200
    };
    static struct pipe pipes[COUNT];
    static int64_t joined[COUNT];
    static int64_t waited[COUNT];
    struct ph_hub *hub = start(COUNT);
    int keyframes = 0;
    for (int ms = 0; ms < 11000; ms += 10, advance(10)) {
        if (ms < 10000 && ms % 50 == 0) {
            joined[ms / 50] = now_ns;
            join(hub, &pipes[ms / 50]);
        }
        ph_hub_update(hub); /* as its timer does */
        bool due = source.requests + source.activations > keyframes;
        keyframes += due;
        give_unit(hub, due, 10);
        for (int i = 0; i < COUNT; i++) {
            if (joined[i] && !waited[i] && pipes[i].frames) {
                waited[i] = now_ns - joined[i] + 1;
            }
        }
    }
    CHECK(keyframes <= 20);
    for (int i = 0; i < COUNT; i++) {
        CHECK(waited[i] && waited[i] <= 700 * PH_NS_PER_MS);
    }
    /* Who comes and goes does not restart the source each time. */
    while (pipes[0].closed == false) {
        for (int i = 0; i < COUNT; i++) {
            hang_up(&pipes[i]);
        }
    }
    int before = source.activations + source.requests;
    for (int i = 0; i < 100; i++, advance(10)) {
        join(hub, &pipes[0]);
        ph_hub_update(hub);
        hang_up(&pipes[0]);
    }
    CHECK(!source.active);
    CHECK(source.activations + source.requests - before <= 3);
    stop(hub);
}

static void test_pause_and_fps(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    struct pipe b;
    join(hub, &a);
    give_unit(hub, true, 100);
    advance(1000);
    join(hub, &b);
    give_unit(hub, true, 100);
    say_settings(&a, false, 30);
    CHECK_EQ(source.fps, 30);
    say_settings(&b, false, 60);
    CHECK_EQ(source.fps, 60);
    say_settings(&b, true, 60);
    CHECK_EQ(source.fps, 30);
    say_settings(&a, true, 30);
    CHECK(!source.active);
    CHECK_EQ(source.fps, 0);
    give_unit(hub, false, 10);
    CHECK_STR(a.log, "WCKK");
    advance(1000);
    say_settings(&a, false, 0);
    CHECK(source.active);
    give_unit(hub, true, 100);
    CHECK_STR(a.log, "WCKKK");
    CHECK_STR(b.log, "WCK");
    stop(hub);
}

static void test_heartbeat(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    join(hub, &a);
    ph_hub_beat(hub); /* nothing to be unchanged yet */
    give_unit(hub, true, 100);
    ph_hub_beat(hub);
    CHECK_STR(a.log, "WCK");
    advance(1000);
    ph_hub_beat(hub);
    advance(990);
    ph_hub_beat(hub);
    CHECK_STR(a.log, "WCKUU");
    advance(500);
    give_unit(hub, false, 10);
    advance(500);
    ph_hub_beat(hub);
    CHECK_STR(a.log, "WCKUUF");
    advance(500);
    ph_hub_source_events.status(hub, PH_STREAM_STATUS_NO_HOST, "gone");
    advance(1000);
    ph_hub_beat(hub);
    CHECK_STR(a.log, "WCKUUFS");
    struct pipe b;
    join(hub, &b);
    CHECK_STR(b.log, "WSC"); /* is told what is wrong, too */
    stop(hub);
}

static void test_refusals(void)
{
    struct ph_hub *hub = start(2);
    struct pipe p;
    connect(hub, &p);
    say_auth(&p, "another-token-than-ours");
    expect_goodbye(&p, PH_STREAM_BAD_TOKEN);
    connect(hub, &p);
    say_ping(&p, 1); /* before AUTH */
    expect_goodbye(&p, PH_STREAM_BAD_TOKEN);
    connect(hub, &p);
    p.base.events->message(p.base.data, (const uint8_t *)"\x80", 1);
    expect_goodbye(&p, PH_STREAM_BAD_MESSAGE);

    struct pipe a;
    struct pipe b;
    join(hub, &a);
    join(hub, &b);
    connect(hub, &p);
    say_auth(&p, VIEW);
    expect_goodbye(&p, PH_STREAM_TOO_MANY);
    CHECK(!a.closed && !b.closed);

    say_empty(&a, 0xee); /* of a later version */
    say_empty(&a, PH_STREAM_AUDIO);
    CHECK(!a.closed);
    say_empty(&a, PH_STREAM_PING); /* too short */
    expect_goodbye(&a, PH_STREAM_BAD_MESSAGE);
    say_auth(&b, DRIVE); /* once is enough: skipped */
    CHECK(!b.closed);
    ph_hub_stop(hub, "over");
    expect_goodbye(&b, PH_STREAM_SESSION_OVER);
    struct ph_hub_stats s;
    ph_hub_get_stats(hub, &s);
    CHECK_EQ(s.viewers, 0);
    CHECK_EQ(s.strangers, 0);
    CHECK(!source.active);
    stop(hub);
}

static void test_strangers(void)
{
    static struct pipe pipes[PH_HUB_MAX_STRANGERS + 1];
    struct ph_hub *hub = start(9);
    struct pipe a;
    join(hub, &a);
    for (size_t i = 0; i <= PH_HUB_MAX_STRANGERS; i++) {
        connect(hub, &pipes[i]);
    }
    expect_goodbye(&pipes[0], PH_STREAM_TOO_MANY);
    CHECK(!pipes[1].closed && !a.closed);
    say_auth(&pipes[PH_HUB_MAX_STRANGERS], DRIVE);
    CHECK_STR(pipes[PH_HUB_MAX_STRANGERS].log, "W");
    stop(hub);
    CHECK(a.closed && pipes[1].closed);
}

/* Frames at 60 fps for so long; a acknowledges them, b those of before. */
static void watch(struct ph_hub *hub, struct pipe *a, struct pipe *b, int ms)
{
    for (int t = 0; t < ms; t += 16) {
        give_unit(hub, false, 10000);
        advance(16);
        say_ack(a, sequence);
        if (sequence > 30) {
            say_ack(b, sequence - 30);
        }
    }
}

/* The bit rate goes by who drove last; by the quickest as long as nobody did.
 */
static void test_pace(void)
{
    struct ph_hub *hub = start(9);
    struct pipe a;
    struct pipe b;
    join(hub, &a);
    join(hub, &b);
    give_unit(hub, true, 1000);
    say_ack(&a, sequence);
    say_ack(&b, sequence);
    watch(hub, &a, &b, 3000);
    CHECK_EQ(source.bitrate, 0); /* b is half a second late: never mind */
    say_press(&b, KEY_A, true);
    say_press(&b, KEY_A, false);
    watch(hub, &a, &b, 3000);
    CHECK(source.bitrate > 0 && source.bitrate < PH_HUB_DEFAULT_BITRATE / 2);
    advance(1);
    say_press(&a, KEY_A, true);
    watch(hub, &a, &b, 30000);
    CHECK_EQ(source.bitrate, PH_HUB_DEFAULT_BITRATE);
    stop(hub);
}

int main(void)
{
    test_join_and_leave();
    test_crowd();
    test_pause_and_fps();
    test_heartbeat();
    test_refusals();
    test_strangers();
    test_pace();
    return CHECK_DONE();
}
