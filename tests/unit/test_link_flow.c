/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a link learns about its way, on ways that are computed. */
#include "link/flow.h"

#include "check.h"

enum {
    MS = 1000000,
    WHOLE = 3110400, /* a picture of 1080p */
};

/* Frames of `bytes` over a way of this rate (bytes a second) and round trip;
 * the host takes `encode`. */
static void answer(struct ph_flow *f, int n, size_t bytes, double rate,
        int64_t rtt, int64_t encode)
{
    for (int i = 0; i < n; i++) {
        int64_t transfer = (int64_t)((double)bytes / rate * 1e9);
        struct ph_flow_sample s = {.bytes = bytes,
                .total = rtt + transfer + encode,
                .receive = transfer,
                .encode = encode};
        ph_flow_answered(f, &s);
    }
}

static void check_rate(const struct ph_flow *f, double rate)
{
    double got = 1e9 / f->per_byte;
    CHECK(got > rate * 0.9 && got < rate * 1.1);
}

static void test_rate(void)
{
    struct ph_flow f = {0};
    CHECK(ph_flow_wants_packing(&f)); /* nothing known: the first frame */
    CHECK_EQ(ph_flow_window(&f, 8), 2);
    CHECK_EQ(ph_flow_window(&f, 1), 1);
    answer(&f, 20, 500, 72e6, 2 * MS, 4 * MS);
    CHECK(f.rtt > 1.9 * MS && f.rtt < 2.2 * MS);
    answer(&f, 20, 60000, 72e6, 2 * MS, 4 * MS);
    check_rate(&f, 72e6);
    answer(&f, 40, WHOLE, 3e9, 2 * MS, 4 * MS);
    check_rate(&f, 3e9);
    /* Somebody else had the machine for a while: no slower way. */
    for (int i = 0; i < 60; i++) {
        struct ph_flow_sample s = {.bytes = 60000,
                .total = 7 * MS,
                .receive = 10000,
                .encode = 4 * MS};
        ph_flow_answered(&f, &s);
    }
    check_rate(&f, 3e9);
    /* Buffers took the message at once: its way was long all the same. */
    for (int i = 0; i < 60; i++) {
        struct ph_flow_sample s = {.bytes = 1000000,
                .total = 16 * MS,
                .receive = 10000,
                .encode = 4 * MS};
        ph_flow_answered(&f, &s);
    }
    check_rate(&f, 100e6);
}

/* 1 ns a byte, to a third: worth it below 670 MB/s. */
static void test_packing(void)
{
    struct ph_flow f = {0};
    for (int i = 0; i < 50; i++) {
        ph_flow_packed(&f, 300000, 100000, 300000);
    }
    answer(&f, 50, WHOLE, 72e6, MS, 4 * MS);
    CHECK(ph_flow_wants_packing(&f));
    answer(&f, 50, WHOLE, 500e6, MS, 4 * MS);
    CHECK(ph_flow_wants_packing(&f));
    answer(&f, 50, WHOLE, 1e9, MS, 4 * MS);
    CHECK(!ph_flow_wants_packing(&f));
    /* What does not shrink is not worth it on any way. */
    for (int i = 0; i < 50; i++) {
        ph_flow_packed(&f, 300000, 300000, 300000);
    }
    answer(&f, 50, WHOLE, 72e6, MS, 4 * MS);
    CHECK(!ph_flow_wants_packing(&f));
    /* Something else may: it is tried again, there where it can pay. */
    for (int i = 0; i < 10; i++) {
        ph_flow_not_packed(&f);
    }
    CHECK(ph_flow_wants_packing(&f));
    answer(&f, 50, WHOLE, 3e9, MS, 4 * MS);
    for (int i = 0; i < 1000; i++) {
        ph_flow_not_packed(&f);
    }
    CHECK(!ph_flow_wants_packing(&f));
}

static void test_window(void)
{
    struct ph_flow f = {0};
    answer(&f, 20, 500, 72e6, MS / 10, 4 * MS); /* near */
    CHECK_EQ(ph_flow_window(&f, 3), 2);
    CHECK_EQ(ph_flow_window(&f, 1), 1);
    f = (struct ph_flow){0};
    answer(&f, 20, 500, 72e6, 20 * MS, 4 * MS); /* far */
    CHECK_EQ(ph_flow_window(&f, 3), 3);
    CHECK_EQ(ph_flow_window(&f, 8), 3);
    CHECK_EQ(ph_flow_window(&f, 2), 2);
    f = (struct ph_flow){0};
    answer(&f, 20, WHOLE, 100e6, 2 * MS, 10 * MS); /* both have to do */
    CHECK_EQ(ph_flow_window(&f, 3), 2);
    answer(&f, 60, WHOLE, 10e6, 2 * MS, 10 * MS); /* 300 ms a frame */
    CHECK_EQ(ph_flow_window(&f, 3), 1);
    answer(&f, 60, 1000, 10e6, 2 * MS, 10 * MS); /* and then little */
    CHECK_EQ(ph_flow_window(&f, 3), 2);
}

int main(void)
{
    test_rate();
    test_packing();
    test_window();
    return CHECK_DONE();
}
