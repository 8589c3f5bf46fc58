/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table, its probe, and what each backend makes. */
#include "hostd/encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "hostd/encoder_fake.h"
#include "proto/h264.h"

#include "integration/decode.h"

#include "check.h"
#include "encoder_checks.h"
#include "encoders.h"

static void check_refused(const struct ph_encoder_ops *ops, const char *what)
{
    char why[160] = "";
    CHECK(!ph_encoder_probe(ops, why, sizeof(why)));
    if (!CHECK(strstr(why, what) != NULL)) {
        fprintf(stderr, "  %s: '%s'\n", ops->name, why);
    }
}

static void test_probe(void)
{
    char why[160] = "";
    CHECK(ph_encoder_probe(&ph_fake_encoder, why, sizeof(why)));
    check_refused(&ph_fake_absent, "there is none");
    check_refused(&ph_fake_holds, "keeps frame 0 until the next one comes");
    check_refused(&ph_fake_no_idr, "frame 2 should be a keyframe");
    check_refused(&ph_fake_bare, "frame 0 should be a keyframe");
    check_refused(&ph_fake_fails, "cannot encode frame 2");
}

static void test_pick(void)
{
    static const struct ph_encoder_ops *const table[] = {
            &ph_fake_absent, &ph_fake_holds, &ph_fake_encoder, &ph_fake_bare};
    static const struct ph_encoder_ops *const none[] = {&ph_fake_holds};
    char error[160] = "";
    size_t n = PH_LEN(table);
    CHECK(ph_encoder_pick(table, n, "auto", error, sizeof(error)) ==
            &ph_fake_encoder);
    CHECK(ph_encoder_pick(table, n, "fake", error, sizeof(error)) ==
            &ph_fake_encoder);
    CHECK(!ph_encoder_pick(table, n, "holds", error, sizeof(error)));
    CHECK(strstr(error, "keeps frame 0") != NULL);
    CHECK(!ph_encoder_pick(table, n, "x265", error, sizeof(error)));
    CHECK(strstr(error, "no encoder 'x265'") != NULL);
    CHECK(!ph_encoder_pick(none, 1, "auto", error, sizeof(error)));
    CHECK(!ph_encoder_pick(none, 0, "auto", error, sizeof(error)));
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_probe();
    test_pick();
    for (size_t i = 0; i < ph_encoder_table_size; i++) {
        if (encoder_works(ph_encoder_table[i])) {
            test_sizes(ph_encoder_table[i]);
            test_reconfigure(ph_encoder_table[i]);
        }
    }
    return CHECK_DONE();
}
