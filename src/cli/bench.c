/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/command.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"

static const struct ph_bench_options defaults = {
        .content = "scroll",
        .seconds = 5,
        .fps = 60,
        .lz4 = "auto",
        .size = {1920, 1080},
};

#define ROW(short_name, name, arg, type, field, min, max, help)                \
    {                                                                          \
        short_name, name, arg, type, offsetof(struct ph_bench_options, field), \
                min, max, NULL, help                                           \
    }

static const struct ph_opt rows[] = {
        ROW('e', "endpoint", "ENDPOINT", PH_OPT_STRING, endpoint_text, 0, 0,
                "where the host listens: tcp:HOST:PORT, unix:PATH,\n"
                "vsock:CID:PORT, virtio-serial:PATH, auto"),
        ROW('c', "content", "WHAT", PH_OPT_STRING, content, 0, 0,
                "static, typing, scroll, drag, video, or a file of raw BGRx "
                "pictures (scroll)"),
        ROW('s', "size", "WxH", PH_OPT_SIZE, size, 0, PH_HXFR_MAX_SIDE,
                "of the pictures, both even (1920x1080)"),
        ROW('t', "seconds", "N", PH_OPT_U32, seconds, 1, 86400,
                "how long to measure (5)"),
        ROW('f', "fps", "N", PH_OPT_U32, fps, 0, 1000,
                "frames a second to try for, 0: as many as go (60)"),
        ROW(0, "raw-v1", NULL, PH_OPT_FLAG, raw_v1, 0, 0,
                "whole NV12 frames, as guests of version 1 send them"),
        ROW(0, "prepared", NULL, PH_OPT_FLAG, prepared, 0, 0,
                "paint, compare and convert before the measurement"),
        ROW(0, "lz4", "WHEN", PH_OPT_STRING, lz4, 0, 0,
                "pack tiles: auto, always, never (auto)"),
        ROW(0, "no-sharing", NULL, PH_OPT_FLAG, no_sharing, 0, 0,
                "send pixels also where memory could be shared"),
        ROW('v', "verify", NULL, PH_OPT_FLAG, verify, 0, 0,
                "compare the host's picture with ours after every frame"),
        ROW(0, "soak", "MINUTES", PH_OPT_U32, soak, 1, 100000,
                "all contents in turn, cutting the connection, comparing "
                "every picture"),
        ROW('j', "json", NULL, PH_OPT_FLAG, json, 0, 0,
                "print the result as JSON"),
};

static const struct ph_opt_usage usage = {
        .name = "porthole bench",
        .operands = "frames",
        .summary = "Sends pictures that look like a desktop to a host and "
                   "measures what comes back:\n"
                   "frames a second, latency, bytes on the wire, CPU time.",
        .examples = "  porthole bench frames --endpoint tcp:10.0.2.2:15937\n"
                    "  porthole bench frames --endpoint unix:/tmp/hostd "
                    "--content typing --json",
        .opts = rows,
        .count = PH_LEN(rows),
};

int64_t ph_bench_cpu_ns(void)
{
    struct rusage u = {0};
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * PH_NS_PER_S +
            (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * PH_NS_PER_US;
}

void ph_bench_pace(uint32_t fps, int64_t *tick)
{
    if (!fps) {
        return;
    }
    int64_t now = ph_clock_ns();
    int64_t interval = PH_NS_PER_S / fps;
    *tick += interval;
    if (*tick <= now) {
        /* Late: the next frame at once, the ticks stay where they were. */
        *tick = now - (now - *tick) % interval;
        return;
    }
    struct timespec wait = {(time_t)((*tick - now) / PH_NS_PER_S),
            (long)((*tick - now) % PH_NS_PER_S)};
    nanosleep(&wait, NULL);
}

void ph_bench_count(struct ph_bench_result *r, int64_t captured_ns, size_t size)
{
    r->units++;
    r->unit_bytes += size;
    if (r->latency_count < PH_LEN(r->latency)) {
        r->latency[r->latency_count++] = ph_clock_ns() - captured_ns;
    }
}

void ph_bench_fail(struct ph_bench_result *r, const char *fmt, ...)
{
    va_list ap;
    if (!r->failed) {
        va_start(ap, fmt);
        vsnprintf(r->reason, sizeof(r->reason), fmt, ap);
        va_end(ap);
        r->failed = true;
    }
}

static int complain(const char *fmt, ...) PH_PRINTF(1, 2);
static int complain(const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "porthole bench: ");
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fprintf(stderr, "\n");
    return 2;
}

/* -1: all is well; else the exit code. */
static int check(struct ph_bench_options *o, int operands, char **argv)
{
    char error[160];
    if (operands != 1 || strcmp(argv[0], "frames") != 0) {
        return complain("say what to measure: porthole bench frames");
    }
    if (!o->endpoint_text) {
        return complain("--endpoint is missing: where the host listens");
    }
    if (!ph_endpoint_parse(
                o->endpoint_text, &o->endpoint, error, sizeof(error))) {
        return complain("%s", error);
    }
    if (o->size.width < PH_SCENE_MIN_WIDTH ||
            o->size.height < PH_SCENE_MIN_HEIGHT ||
            (o->size.width | o->size.height) & 1) {
        return complain("--size %ux%u: at least %dx%d, both sides even",
                o->size.width, o->size.height, PH_SCENE_MIN_WIDTH,
                PH_SCENE_MIN_HEIGHT);
    }
    if (strcmp(o->lz4, "auto") != 0 && strcmp(o->lz4, "always") != 0 &&
            strcmp(o->lz4, "never") != 0) {
        return complain("--lz4 %s: auto, always or never", o->lz4);
    }
    if (o->raw_v1 && o->verify) {
        return complain("--verify: hosts cannot compare frames of version 1");
    }
    return -1;
}

int ph_bench_main(int argc, char **argv)
{
    struct ph_bench_options o = defaults;
    struct ph_bench_feed feed;
    char error[300] = "";
    int operands = 0;
    int code = ph_opt_main(&usage, argc, argv, &o, &operands);
    if (code < 0) {
        code = check(&o, operands, argv);
    }
    if (code >= 0) {
        return code;
    }
    AUTOFREE struct ph_bench_result *r = ph_xcalloc(1, sizeof(*r));
    if (o.soak) {
        ph_bench_run_soak(&o, r);
        return r->failed ? complain("%s", r->reason), 1 : 0;
    }
    if (!ph_bench_feed_init(&feed, o.content, o.size.width, o.size.height,
                o.prepared, error, sizeof(error))) {
        complain("%s", error);
        return 1;
    }
    if (o.raw_v1) {
        ph_bench_run_v1(&o, &feed, r);
    } else {
        ph_bench_run_link(&o, &feed, r);
    }
    ph_bench_feed_finish(&feed);
    if (r->failed || !r->way) {
        complain("%s", r->reason);
        return 1;
    }
    if (!ph_bench_report(&o, r)) {
        complain("cannot write the result: %s", strerror(errno));
        return 1;
    }
    return r->failures || r->mismatches ? 1 : 0;
}
