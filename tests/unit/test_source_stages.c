/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/source_private.h"

#include "check.h"

static uint32_t sum(const uint32_t stages[PH_STREAM_STAGES])
{
    uint32_t s = 0;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        s += stages[i];
    }
    return s;
}

static void test_each(void)
{
    uint32_t out[PH_STREAM_STAGES];
    int64_t t = INT64_C(5000000000123);
    struct ph_source_times times = {t, t, t + 1000400, t + 1500800};
    struct ph_link_unit unit = {
            .submitted_ns = t + 1600900,
            .received_ns = t + 9999999,
            .receive_us = 100,
            .wait_us = 200,
            .encode_us = 5000,
    };
    ph_source_stages(&times, &unit, out);
    CHECK_EQ(out[PH_STREAM_STAGE_CAPTURE], 1000);
    CHECK_EQ(out[PH_STREAM_STAGE_CONVERT], 500);
    CHECK_EQ(out[PH_STREAM_STAGE_SUBMIT], 100);
    CHECK_EQ(out[PH_STREAM_STAGE_WAIT], 300);
    CHECK_EQ(out[PH_STREAM_STAGE_ENCODE], 5000);
    CHECK_EQ(out[PH_STREAM_STAGE_QUEUE], 0);
    CHECK_EQ(sum(out), 9999);
}

/* Clocks and rounding that do not agree: never negative, the sum holds. */
static void test_odd(void)
{
    uint32_t out[PH_STREAM_STAGES];
    int64_t t = 1000000;
    struct ph_source_times times = {t, t, t - 5000, t - 9000};
    struct ph_link_unit unit = {
            .submitted_ns = t + 1000,
            .received_ns = t + 101000,
            .receive_us = 60,
            .wait_us = 60,
            .encode_us = 60,
    };
    ph_source_stages(&times, &unit, out);
    CHECK_EQ(sum(out), 101);
    CHECK_EQ(out[PH_STREAM_STAGE_ENCODE], 60);
    CHECK_EQ(out[PH_STREAM_STAGE_WAIT], 40);
    CHECK_EQ(out[PH_STREAM_STAGE_LINK], 0);
    unit.encode_us = UINT32_MAX;
    unit.wait_us = UINT32_MAX;
    ph_source_stages(&times, &unit, out);
    CHECK_EQ(sum(out), 101);
    unit.received_ns = t - 1;
    ph_source_stages(&times, &unit, out);
    CHECK_EQ(sum(out), 1); /* it took no time since it was submitted */
}

int main(void)
{
    test_each();
    test_odd();
    return CHECK_DONE();
}
