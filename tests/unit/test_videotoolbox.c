/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our backend for VideoToolbox, against a stand-in for Apple's frameworks
 * (fake_videotoolbox.c): usage: test_videotoolbox LIBRARY
 */
#include "hostd/encoder_videotoolbox.h"

#include <stdio.h>

#include "common/clock.h"
#define LOG_MODULE "test"
#include "common/log.h"

#include "check.h"
#include "encoder_checks.h"

enum {
    PATIENCE_MS = 20000, /* on a machine that is busy */
    HANG_MS = 1000, /* where it is waited for in vain */
};

static const struct ph_encoder_ops *const ops = &ph_encoder_videotoolbox;

static void misbehave(const char *how)
{
    CHECK_EQ(setenv("FAKE_VIDEOTOOLBOX", how, 1), 0);
}

static void check_refused(const char *how, const char *what)
{
    char why[160] = "";
    misbehave(how);
    CHECK(!ph_encoder_probe(ops, why, sizeof(why)));
    if (!CHECK(strstr(why, what) != NULL)) {
        fprintf(stderr, "  %s: '%s'\n", how, why);
    }
    misbehave("");
}

/* The probe's third frame is the first that goes wrong. */
static void test_probe(void)
{
    char why[160] = "";
    if (!CHECK(ph_encoder_probe(ops, why, sizeof(why)))) {
        fprintf(stderr, "  %s\n", why);
    }
    check_refused("holds", "keeps frame 0 until the next one comes");
    check_refused("deaf", "frame 2 should be a keyframe");
    check_refused("fails", "cannot encode frame 2");
    check_refused("fails-late", "cannot encode frame 2");
    check_refused("drops", "cannot encode frame 2");
    check_refused("garbage", "frame 0 is another picture");
    check_refused("poor", "error -12902");
}

/* Neither the frame nor the end waits for a call that never returns. */
static void test_hang(const char *library)
{
    int64_t begin = ph_clock_ns();
    ph_videotoolbox_pretend(library, HANG_MS);
    check_refused("hangs", "cannot encode frame 2");
    int64_t took_ms = (ph_clock_ns() - begin) / PH_NS_PER_MS;
    CHECK(took_ms >= HANG_MS);
    CHECK(took_ms < HANG_MS * 10);
    ph_videotoolbox_pretend(library, PATIENCE_MS);
}

int main(int argc, char **argv)
{
    char error[160] = "";
    if (argc != 2) {
        return 2;
    }
    ph_log_set_level(PH_LOG_ERROR);
    ph_videotoolbox_pretend("/nowhere/VideoToolbox", PATIENCE_MS);
    CHECK(!ph_encoder_probe(ops, error, sizeof(error)));
    CHECK(strstr(error, "a part of macOS") != NULL);
    ph_videotoolbox_pretend(argv[1], PATIENCE_MS);
    test_probe();
    test_sizes(ops);
    test_reconfigure(ops);
    test_hang(argv[1]);
    return CHECK_DONE();
}
