/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/capture.h"

#include <poll.h>

#include "common/clock.h"

#include "check.h"

struct seen {
    unsigned frames;
    int64_t time_ns;
    uint64_t damaged;
    uint32_t corner; /* the first pixel */
};

static void on_frame(void *data, const struct ph_capture_frame *frame)
{
    struct seen *s = data;
    s->frames++;
    CHECK(frame->time_ns >= s->time_ns);
    CHECK(frame->time_ns <= frame->ready_ns);
    s->time_ns = frame->time_ns;
    s->damaged = ph_region_pixels(frame->damage);
    s->corner = frame->data[0];
    CHECK_EQ(frame->width, 320);
    CHECK_EQ(frame->height, 240);
    CHECK_EQ(frame->stride, 1280);
    CHECK_EQ(frame->format, PH_HXFR_BGRA);
}

static void on_lost(void *data, const char *reason)
{
    CHECK(!reason);
}

static const struct ph_capture_events events = {
        .frame = on_frame, .lost = on_lost};

static bool next(struct ph_capture *c, struct seen *s, int ms)
{
    unsigned before = s->frames;
    int64_t deadline = ph_deadline_ms(ms);
    while (s->frames == before) {
        struct pollfd pfd = {c->ops->fd(c), POLLIN, 0};
        if (poll(&pfd, 1, ph_deadline_poll_ms(deadline)) <= 0) {
            return false;
        }
        c->ops->dispatch(c);
    }
    return true;
}

static void test_moving(void)
{
    struct seen s = {0};
    struct ph_capture *c = ph_capture_test_create(320, 240, 100, &events, &s);
    CHECK(!next(c, &s, 30)); /* not asked */
    c->ops->request(c, false);
    CHECK(next(c, &s, 10000));
    CHECK_EQ(s.damaged, 320 * 240); /* the first one */
    CHECK(!next(c, &s, 30)); /* one request, one frame */
    for (int i = 0; i < 5; i++) {
        c->ops->request(c, false);
        CHECK(next(c, &s, 10000));
        CHECK(s.damaged > 0 && s.damaged <= 2 * 64 * 64);
    }
    c->ops->request(c, false);
    c->ops->cancel(c);
    CHECK(!next(c, &s, 30));
    c->ops->request(c, false);
    CHECK(next(c, &s, 10000));
    CHECK_EQ(s.damaged, 320 * 240);
    c->ops->destroy(c);
}

static void test_still(void)
{
    struct seen s = {0};
    struct ph_capture *c = ph_capture_test_create(320, 240, 0, &events, &s);
    c->ops->request(c, false);
    CHECK(next(c, &s, 10000));
    CHECK_EQ(s.corner, 0xff); /* of the square, which stays */
    c->ops->request(c, false);
    CHECK(!next(c, &s, 50));
    c->ops->request(c, true);
    CHECK(next(c, &s, 10000));
    CHECK_EQ(s.damaged, 320 * 240);
    c->ops->destroy(c);
}

int main(void)
{
    test_moving();
    test_still();
    return CHECK_DONE();
}
