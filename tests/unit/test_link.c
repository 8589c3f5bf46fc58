/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/link.h"

#include "link_fixture.h"

/* Whatever changes, the host's picture follows, over each kind of way. */
static void test_pictures(enum fake_kind kind, bool tcp, int version)
{
    enum {
        FRAMES = 60
    };
    struct fixture *f = begin(kind, tcp);
    CHECK_EQ(f->seen.version, version);
    for (uint32_t i = 0; i < FRAMES; i++) {
        uint32_t flags = i == 30 ? PH_HXFR_FRAME_KEYFRAME : 0;
        if (!CHECK_EQ(send_frame(f, flags, random_below(8)), PH_LINK_OK)) {
            break;
        }
    }
    CHECK(wait_for(&f->seen, &f->seen.units, FRAMES));
    CHECK_EQ(fake_host_get(&f->host, &f->host.keyframes_asked), 1);
    CHECK_EQ(get(&f->seen, &f->seen.keyframes), 2);
    CHECK_EQ(get(&f->seen, &f->seen.down), 0);
    CHECK_EQ(get(&f->seen, &f->seen.failed), 0);
    if (version == 2) {
        CHECK_EQ(fake_host_get(&f->host, &f->host.whole), 1);
        CHECK_EQ(send_repeat(f), PH_LINK_OK);
        CHECK_EQ(send_repeat(f), PH_LINK_OK);
        CHECK(wait_for(&f->seen, &f->seen.repeats, 2));
    } else {
        CHECK_EQ(send_repeat(f), PH_LINK_DOWN);
    }
    check_sums(f);
    end(f);
}

/* A resource in place of a picture, and pictures after it. */
static void test_resources(enum fake_kind kind, enum fake_trick trick)
{
    static const struct ph_link_resource resource = {
            3, WIDTH, HEIGHT, PH_HXFR_BGRA, WIDTH * 4};
    struct fixture *f = begin_with(kind, false, trick, 1);
    uint32_t sequence = 0;
    bool fails = trick == TRICK_FAIL;
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    CHECK(ph_link_takes_resources(f->link));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    CHECK_EQ(ph_link_submit_resource(f->link, &resource, 5, 0, &sequence),
            PH_LINK_OK);
    f->expected[sequence] = resource.id;
    f->last = sequence;
    CHECK(wait_for(
            &f->seen, fails ? &f->seen.failed : &f->seen.units, fails ? 1 : 2));
    CHECK_EQ(send_repeat(f), PH_LINK_DOWN);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, fails ? 3 : 4));
    CHECK_EQ(fake_host_get(&f->host, &f->host.resource_id), resource.id);
    CHECK_EQ(fake_host_get(&f->host, &f->host.resources), 1);
    CHECK_EQ(get(&f->seen, &f->seen.down), 0);
    check_sums(f);
    end(f);
}

/* A silent version 1 host is slower than we waited: its ERROR for HELLO is not
 * the answer to a frame. */
static void test_late_error(void)
{
    struct fixture *f = begin_with(FAKE_V1_SILENT, false, TRICK_LATE_ERROR, 0);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    CHECK_EQ(get(&f->seen, &f->seen.failed), 0);
    check_sums(f);
    end(f);
}

/* No more than the window is in flight, and `room` says when there is. */
static void test_window(void)
{
    struct ph_link_picture p;
    struct fixture *f = begin(FAKE_MEMFD, false);
    fake_host_hold(&f->host, true);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    uint32_t rooms = get(&f->seen, &f->seen.room);
    CHECK_EQ(ph_link_acquire(f->link, &p), PH_LINK_FULL);
    uint32_t sequence = 0;
    CHECK_EQ(ph_link_repeat(f->link, 0, 0, &sequence), PH_LINK_FULL);
    fake_host_hold(&f->host, false);
    CHECK(wait_for(&f->seen, &f->seen.room, rooms + 1));
    CHECK(wait_for(&f->seen, &f->seen.units, 2));
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 3));
    check_sums(f);

    /* The newest slot is the host's: it is not handed out. */
    uint8_t newest = 255;
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(acquire(f, &p), PH_LINK_OK);
        CHECK(p.slot != newest);
        newest = p.slot;
        if (i % 3 == 0) {
            ph_link_release(f->link, &p);
            CHECK_EQ(acquire(f, &p), PH_LINK_OK);
            newest = p.slot;
        }
        CHECK_EQ(ph_link_submit(f->link, &p, 0, 0, NULL, 0, &sequence),
                PH_LINK_OK);
    }
    CHECK(wait_for(&f->seen, &f->seen.units, 13));
    end(f);
}

/* Size after size, also faster than the host can follow. */
static void test_sizes(enum fake_kind kind)
{
    struct fixture *f = begin(kind, false);
    for (uint32_t i = 0; i < 12; i++) {
        CHECK_EQ(send_frame(f, 0, 2), PH_LINK_OK);
        set_size(f, 64 + i * 2, 64);
        if (i % 2) {
            set_size(f, 32 + i * 2, 128);
            set_size(f, 34 + i * 2, 126);
        }
        CHECK_EQ(send_frame(f, 0, 2), PH_LINK_OK);
    }
    for (uint32_t n = 1; !came(f, f->last) && n <= 24; n++) {
        CHECK(wait_for(&f->seen, &f->seen.units, n));
    }
    CHECK(came(f, f->last)); /* the last one is never superseded */
    check_sums(f);
    CHECK_EQ(get(&f->seen, &f->seen.down), 0);
    end(f);
}

/* A version 1 host closes idle connections: nobody hears of it, the verdict
 * holds, and the frame that meets the closing is not lost. */
static void test_idle_close(enum fake_trick trick)
{
    struct fixture *f = begin_with(FAKE_V1_PONG, false, trick, 1);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
        CHECK(wait_for(&f->seen, &f->seen.units, i + 1));
    }
    check_sums(f);
    CHECK_EQ(get(&f->seen, &f->seen.down), 0);
    CHECK_EQ(get(&f->seen, &f->seen.ready), 1);
    CHECK_EQ(fake_host_get(&f->host, &f->host.connections), 2);
    CHECK_EQ(fake_host_get(&f->host, &f->host.hellos), 1);
    /* Closed again by a host that goes away for good. */
    fake_host_stop(&f->host);
    f->host.listen_fd = -1;
    enum ph_link_result r = send_frame(f, 0, 1);
    CHECK(r == PH_LINK_OK || r == PH_LINK_DOWN);
    CHECK(wait_for(&f->seen, &f->seen.down, 1));
    end(f);
}

static void test_bitrate(void)
{
    struct fixture *f = begin(FAKE_TILES, false);
    ph_link_set_bitrate(f->link, 123456);
    CHECK_EQ(send_frame(f, 0, 1), PH_LINK_OK);
    CHECK(wait_for(&f->seen, &f->seen.units, 1));
    CHECK_EQ(fake_host_get(&f->host, &f->host.bitrate), 123456);
    end(f);
}

int main(void)
{
    quieten("test_link");
    test_pictures(FAKE_MEMFD, false, 2);
    test_pictures(FAKE_TILES, false, 2);
    test_pictures(FAKE_TILES, true, 2);
    test_pictures(FAKE_MEMFD, true, 2);
    test_pictures(FAKE_V1_PONG, false, 1);
    test_pictures(FAKE_V1_ERROR, true, 1);
    test_pictures(FAKE_V1_SILENT, false, 1);
    test_resources(FAKE_MEMFD, TRICK_NONE);
    test_resources(FAKE_TILES, TRICK_NONE);
    test_resources(FAKE_TILES, TRICK_FAIL);
    test_late_error();
    test_window();
    test_sizes(FAKE_MEMFD);
    test_sizes(FAKE_TILES);
    test_sizes(FAKE_V1_PONG);
    test_idle_close(TRICK_HANG_UP_AFTER);
    test_idle_close(TRICK_HANG_UP);
    test_bitrate();
    return CHECK_DONE();
}
