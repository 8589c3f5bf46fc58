/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/link.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include "common/cleanup.h"
#include "common/net.h"
#include "proto/hxfr_ext.h"

#include "full_listener.h"
#include "link_fixture.h"

/* What the host does ends the connection; the next one works. */
static void test_recovery(
        enum fake_kind kind, enum fake_trick trick, const char *reason)
{
    struct fixture *f = begin_with(kind, false, trick, 2);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    while (get(&f->seen, &f->seen.down) == 0 && f->last < 100) {
        if (send_frame(f, 0, 1) == PH_LINK_DOWN) {
            CHECK(wait_for(&f->seen, &f->seen.down, 1));
        }
    }
    CHECK(wait_for(&f->seen, &f->seen.down, 1));
    check_text(f, reason);
    CHECK(wait_for(&f->seen, &f->seen.ready, 2));
    uint32_t units = get(&f->seen, &f->seen.units);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, units + 1));
    check_sums(f);
    CHECK(fake_host_get(&f->host, &f->host.whole) >= 2);
    CHECK_EQ(get(&f->seen, &f->seen.down), 1);
    end(f);
}

/* A host that it cannot work with, each time anew: the link says why. */
static void test_useless(
        enum fake_trick trick, uint32_t downs, const char *reason)
{
    struct fixture *f = begin_with(FAKE_MEMFD, false, trick, 0);
    CHECK(wait_for(&f->seen, &f->seen.down, downs));
    check_text(f, reason);
    end(f);
}

/* A request fails, the link goes on; the next frame is whole, since the host
 * may not have drawn the one that failed. */
static void test_failure(
        enum fake_kind kind, enum fake_trick trick, uint32_t at)
{
    struct fixture *f = begin_with(kind, false, trick, at);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    for (uint32_t i = 0; i <= at; i++) {
        CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    }
    CHECK(wait_for(&f->seen, &f->seen.failed, 1));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, at + 1));
    CHECK_EQ(get(&f->seen, &f->seen.down), 0);
    if (kind == FAKE_MEMFD || kind == FAKE_TILES) {
        CHECK_EQ(fake_host_get(&f->host, &f->host.whole), 2);
    }
    check_sums(f);
    end(f);
}

/* An answer to a frame that is not all written would free its slot. */
static void test_early_answer(void)
{
    struct fixture *f = begin_with(FAKE_TILES, false, TRICK_EARLY, 0);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    set_size(f, 1920, 1080);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.down, 1));
    check_text(f, "nothing asked for");
    CHECK_EQ(get(&f->seen, &f->seen.units), 0);
    end(f);
}

/* Told once, however often it tries; and it finds the host that comes. */
static void test_never_there(bool tcp)
{
    struct ph_link_picture p;
    struct fixture *f = ph_xcalloc(1, sizeof(*f));
    f->host.kind = FAKE_TILES;
    use_endpoint(f, tcp);
    if (tcp) { /* a port that nobody listens on */
        CHECK(fake_host_start(&f->host));
        fake_host_stop(&f->host);
        f->host.stopping = false;
    }
    start_link(f, 0);
    set_size(f, WIDTH, HEIGHT);
    CHECK(wait_for(&f->seen, &f->seen.down, 1));
    CHECK_EQ(ph_link_acquire(f->link, &p), PH_LINK_DOWN);
    CHECK(fake_host_start(&f->host));
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    CHECK_EQ(get(&f->seen, &f->seen.down), 1);
    check_sums(f);
    end(f);
}

/* Ends at any time, also with an acquired slot and requests in flight. */
static void test_stop(enum fake_kind kind)
{
    struct ph_link_picture p;
    end(begin_with(kind, false, TRICK_NONE, 0));
    struct fixture *f = begin_with(kind, false, TRICK_HANG_UP, 0);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    send_frame(f, 0, 1);
    CHECK(wait_for(&f->seen, &f->seen.down, kind < FAKE_V1_PONG));
    end(f);
    f = begin(kind, false);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    acquire(f, &p);
    ph_link_stop(f->link);
    p.plane[0][0] = 1;
    uint32_t sequence = 0;
    ph_link_submit(f->link, &p, 0, 0, NULL, 0, &sequence);
    end(f);
    ph_link_destroy(NULL);
}

/* An extended host too slow for the 500 ms is asked again. */
static void test_late_hello(void)
{
    struct fixture *f = begin_with(FAKE_TILES, false, TRICK_LATE_HELLO, 0);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    CHECK_EQ(f->seen.version, 1);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.ready, 2));
    CHECK_EQ(f->seen.version, 2);
    set_size(f, WIDTH, HEIGHT);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    check_sums(f);
    end(f);
}

/* How long it took is the host's word, and bounded: see on_unit(). */
static void test_times(void)
{
    struct fixture *f = begin_with(FAKE_TILES, true, TRICK_TIMES, 1);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    end(f);
}

/* Stopped in the middle of a connect that nobody answers, which alone would
 * take 3 s. */
static void test_stop_connecting(void)
{
    struct full_listener full = full_listener_begin();
    struct ph_link_options options = {.endpoint = full.endpoint, .window = 1};
    struct ph_link_events events = {0};
    struct ph_link *link = ph_link_create(&options, &events, NULL);
    CHECK(ph_link_start(link));
    poll(NULL, 0, 100); /* so long, most likely, that it is in there */
    int64_t begun = ph_clock_ns();
    ph_link_destroy(link);
    CHECK(ph_clock_ns() - begun < 2 * PH_NS_PER_S);
    full_listener_end(&full);
}

static int take_fd(void *data, int64_t deadline_ns)
{
    return ph_steal_fd(data);
}

/* A stream that shutdown() does nothing to, as a virtio port is one: stopped
 * in the middle of an answer, of which so much came. That alone would take
 * 10 s. */
static void test_stop_reading(size_t came)
{
    uint8_t answer[PH_HXFR_HEADER_SIZE + 4] = {0};
    uint8_t hello[1];
    struct ph_writer w = ph_writer(answer, sizeof(answer));
    struct ph_hxfr_header head = {
            .type = PH_HXFR_HELLO_RESP, .session = 1, .payload = 100};
    ph_hxfr_write_header(&w, &head);
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0);
    int theirs = open(ptsname(ours), O_RDWR | O_NOCTTY);
    struct termios raw;
    CHECK(tcgetattr(theirs, &raw) == 0);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_iflag = 0;
    raw.c_oflag = 0;
    CHECK(tcsetattr(theirs, TCSANOW, &raw) == 0);
    CHECK(ph_net_adopt(ours) && ph_net_adopt(theirs));
    struct ph_link_options options = {
            .connect = take_fd, .connect_data = &theirs, .window = 1};
    struct ph_link_events events = {0};
    struct ph_link *link = ph_link_create(&options, &events, NULL);
    CHECK(ph_link_start(link));
    struct ph_net_read how = {ph_deadline_ms(PATIENCE_S * 1000)};
    CHECK_EQ(ph_net_read_full(ours, hello, 1, &how), PH_NET_OK);
    CHECK_EQ(write(ours, answer, came), (ssize_t)came);
    poll(NULL, 0, 100); /* so long, most likely, that it has read that */
    int64_t begun = ph_clock_ns();
    ph_link_destroy(link);
    CHECK(ph_clock_ns() - begun < 5 * PH_NS_PER_S);
    close(ours);
}

static void test_faults(void)
{
    test_recovery(FAKE_MEMFD, TRICK_HANG_UP, "closed");
    test_recovery(FAKE_TILES, TRICK_HANG_UP, "closed");
    test_recovery(FAKE_TILES, TRICK_MUTE, "did not answer for 200 ms");
    test_recovery(FAKE_V1_PONG, TRICK_MUTE, "did not answer for 200 ms");
    test_recovery(FAKE_TILES, TRICK_GARBAGE, "no frame protocol");
    test_recovery(FAKE_V1_ERROR, TRICK_GARBAGE, "no frame protocol");
    test_recovery(FAKE_TILES, TRICK_HUGE, "no frame protocol");
    test_recovery(FAKE_MEMFD, TRICK_WRONG_SEQUENCE, "nothing asked for");
    test_recovery(FAKE_MEMFD, TRICK_UNASKED, "nothing asked for");
    test_useless(TRICK_NO_SLOTS, 2, "did not answer for 200 ms");
    test_useless(TRICK_UNSEALED_SLOTS, 2, "cannot map");
    test_useless(TRICK_SHORT_SLOTS, 2, "cannot map");
    test_useless(TRICK_ONE_SLOT, 2, "do not fit");
    test_useless(TRICK_BUSY, 1, "as the test wants it");
    test_failure(FAKE_MEMFD, TRICK_FAIL, 1);
    test_failure(FAKE_TILES, TRICK_FAIL, 1);
    test_failure(FAKE_TILES, TRICK_EMPTY, 1);
    test_failure(FAKE_TILES, TRICK_NO_SPS, 0);
    test_failure(FAKE_V1_ERROR, TRICK_FAIL, 1);
    test_failure(FAKE_V1_ERROR, TRICK_EMPTY, 1);
}

int main(void)
{
    quieten("test_link_faults");
    test_faults();
    test_early_answer();
    test_late_hello();
    test_times();
    test_stop_connecting();
    test_stop_reading(0);
    test_stop_reading(7);
    test_stop_reading(PH_HXFR_HEADER_SIZE + 4);
    test_never_there(false);
    test_never_there(true);
    test_stop(FAKE_MEMFD);
    test_stop(FAKE_V1_PONG);
    return CHECK_DONE();
}
