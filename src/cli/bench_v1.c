/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark as guests of version 1 work: whole NV12 frames, one in flight,
 * on a blocking connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "proto/hxfr.h"

enum {
    PATIENCE_MS = 20000
};

struct v1 {
    const struct ph_bench_options *options;
    struct ph_bench_feed *feed;
    struct ph_bench_result *result;
    int fd;
    struct ph_nv12 frame; /* its planes lie behind each other */
    uint8_t *answer;
};

static bool send_frame(struct v1 *v, int64_t pts, bool keyframe)
{
    uint8_t head[PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE];
    struct ph_writer w = ph_writer(head, sizeof(head));
    struct ph_hxfr_frame_request q = {
            .width = v->frame.width,
            .height = v->frame.height,
            .format = PH_HXFR_NV12,
            .stride = v->frame.stride[0],
            .pts = pts,
            .duration = -1,
            .force_keyframe = keyframe,
            .has_pixels = true,
    };
    ph_hxfr_layout(q.format, q.width, q.height, q.stride, &q.layout);
    ph_hxfr_write_frame_request(&w, 1, &q);
    struct iovec iov[] = {{w.data, w.len}, {v->frame.plane[0], q.layout.size}};
    v->result->wire_bytes += w.len + q.layout.size;
    return ph_net_write_full(v->fd, iov, 2, -1, ph_deadline_ms(PATIENCE_MS), 0);
}

static bool read_bytes(struct v1 *v, void *buf, size_t len)
{
    struct ph_net_read how = {ph_deadline_ms(PATIENCE_MS), 0, NULL};
    switch (ph_net_read_full(v->fd, buf, len, &how)) {
    case PH_NET_OK:
        return true;
    case PH_NET_EOF:
        errno = EPIPE;
        return false;
    case PH_NET_ERROR:
        break;
    }
    return false;
}

/* Bytes of the access unit; 0: the connection broke, or an ERROR came. */
static size_t read_answer(struct v1 *v)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_hxfr_header h;
    if (!read_bytes(v, buf, sizeof(buf))) {
        return 0;
    }
    errno = EPROTO;
    if (!ph_hxfr_parse_header(buf, &h) || h.payload > PH_HXFR_MAX_ACCESS_UNIT) {
        return 0;
    }
    v->answer = ph_xrealloc(v->answer, h.payload + 1u);
    if (!read_bytes(v, v->answer, h.payload)) {
        return 0;
    }
    errno = EPROTO;
    return h.type == PH_HXFR_FRAME_RESPONSE &&
                    h.payload > PH_HXFR_FRAME_RESPONSE_SIZE
            ? h.payload - PH_HXFR_FRAME_RESPONSE_SIZE
            : 0;
}

static bool exchange(struct v1 *v, int64_t captured, bool first)
{
    size_t size = send_frame(v, captured, first) ? read_answer(v) : 0;
    if (!size) {
        ph_bench_fail(v->result, "the host did not answer a frame: %s",
                strerror(errno));
        return false;
    }
    ph_bench_count(v->result, captured, size);
    return true;
}

static bool send_next(struct v1 *v)
{
    if (!ph_bench_feed_next(v->feed)) {
        ph_bench_fail(v->result, "the next picture: %s", strerror(errno));
        return false;
    }
    int64_t captured = ph_clock_ns();
    ph_bench_feed_draw(v->feed, &v->feed->changed, &v->frame);
    return exchange(v, captured, false);
}

static void measure(struct v1 *v)
{
    enum {
        WARM_UP = 8
    };
    struct ph_region all = {.count = 0};
    ph_region_set(&all, (uint16_t)v->frame.width, (uint16_t)v->frame.height);
    ph_bench_feed_draw(v->feed, &all, &v->frame);
    bool ok = exchange(v, ph_clock_ns(), true);
    for (int i = 1; ok && i < WARM_UP; i++) {
        ok = send_next(v);
    }
    if (!ok) {
        return;
    }
    struct ph_bench_result *r = v->result;
    *r = (struct ph_bench_result){.host = "version 1", .way = "raw-v1"};
    int64_t cpu = ph_bench_cpu_ns() - v->feed->paint_ns;
    r->begin = ph_clock_ns();
    int64_t tick = r->begin;
    int64_t until = r->begin + v->options->seconds * PH_NS_PER_S;
    while (ph_clock_ns() < until && send_next(v)) {
        ph_bench_pace(v->options->fps, &tick);
    }
    r->end = ph_clock_ns();
    r->cpu = ph_bench_cpu_ns() - v->feed->paint_ns - cpu;
}

void ph_bench_run_v1(const struct ph_bench_options *o,
        struct ph_bench_feed *feed, struct ph_bench_result *result)
{
    uint32_t w = o->size.width;
    uint32_t h = o->size.height;
    AUTOFREE uint8_t *pixels = ph_xmalloc((size_t)w * h / 2 * 3);
    AUTOCLOSE int fd = ph_net_connect(&o->endpoint, ph_deadline_ms(5000));
    if (fd < 0) {
        ph_bench_fail(result, "cannot reach %s: %s", o->endpoint_text,
                strerror(errno));
        return;
    }
    struct v1 v = {
            .options = o,
            .feed = feed,
            .result = result,
            .fd = fd,
            .frame = {{pixels, pixels + (size_t)w * h}, {w, w}, w, h},
    };
    measure(&v);
    free(v.answer);
}
