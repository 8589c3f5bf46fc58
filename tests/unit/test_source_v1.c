/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A source over a host that knows version 1 only: whole BGRA pictures, one at
 * a time, and the whole picture again for a keyframe or a steady rate.
 */
#include "deskd/source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "proto/hxfr.h"

#include "check.h"

#define WIDTH 100u
#define HEIGHT 80u
#define WAIT_MS 20000

/* NAL units that pass for a keyframe; and for another frame. */
static const uint8_t key_unit[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x15, 0xda,
        0x05, 0x07, 0xe9, 0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03, 0x00, 0x02,
        0x00, 0x00, 0x03, 0x00, 0xf1, 0x1e, 0x2c, 0x5d, 0x40, 0, 0, 0, 1, 0x68,
        0xce, 0x0f, 0xc8, 0, 0, 0, 1, 0x65, 0x88, 0x84};
static const uint8_t other_unit[] = {0, 0, 0, 1, 0x41, 0x9a, 0x02};

static atomic_uint requests;
static atomic_uint forced; /* with force_keyframe */
static atomic_uint unfit; /* not as they should be */

static bool read_bytes(int fd, void *buf, size_t len)
{
    struct ph_net_read how = {PH_NEVER, 0, NULL};
    return ph_net_read_full(fd, buf, len, &how) == PH_NET_OK;
}

static bool write_message(int fd, const struct ph_writer *w)
{
    struct iovec iov = {w->data, w->len};
    CHECK(w->ok);
    return ph_net_write_full(fd, &iov, 1, -1, ph_deadline_ms(WAIT_MS), 0);
}

static bool answer_frame(
        int fd, const struct ph_hxfr_header *h, const uint8_t *payload)
{
    struct ph_hxfr_frame_request q;
    uint8_t out[256];
    struct ph_writer w = ph_writer(out, sizeof(out));
    bool ok = ph_hxfr_parse_frame_request(h, payload, &q);
    const uint8_t *pixels = payload + PH_HXFR_FRAME_REQUEST_SIZE;
    /* The white square is at the left edge now and then, the frame never. */
    ok = ok && q.has_pixels && q.format == PH_HXFR_BGRA && q.width == WIDTH &&
            q.height == HEIGHT && q.stride == WIDTH * 4 &&
            pixels[(WIDTH * HEIGHT - 1) * 4] == 0xC0;
    unfit += !ok;
    bool key = requests++ == 0 || q.force_keyframe;
    forced += q.force_keyframe;
    const uint8_t *unit = key ? key_unit : other_unit;
    uint32_t size = key ? sizeof(key_unit) : sizeof(other_unit);
    struct ph_hxfr_frame_response resp = {q.pts, q.pts, key, 1};
    ph_hxfr_write_frame_response(&w, h->session, &resp, size);
    ph_write_bytes(&w, unit, size);
    return ok && write_message(fd, &w);
}

static void *serve(void *arg)
{
    static uint8_t payload[WIDTH * HEIGHT * 4 + PH_HXFR_FRAME_REQUEST_SIZE];
    int fd = *(int *)arg;
    uint8_t head[PH_HXFR_HEADER_SIZE];
    struct ph_hxfr_header h;
    while (read_bytes(fd, head, sizeof(head)) &&
            ph_hxfr_parse_header(head, &h) && h.payload <= sizeof(payload) &&
            (h.payload == 0 || read_bytes(fd, payload, h.payload))) {
        if (h.type == PH_HXFR_FRAME_REQUEST) {
            if (!answer_frame(fd, &h, payload)) {
                break;
            }
        } else if (h.type == PH_HXFR_PING) {
            uint8_t out[PH_HXFR_HEADER_SIZE];
            struct ph_writer w = ph_writer(out, sizeof(out));
            ph_hxfr_write_empty(&w, PH_HXFR_PONG, h.session);
            write_message(fd, &w);
        } else if (h.type != 0x80) { /* HELLO is skipped, all else unasked */
            unfit++;
        }
    }
    close(fd);
    return NULL;
}

static pthread_t host;
static int host_fd;
static bool host_runs;

static int connect_host(void *data, int64_t deadline_ns)
{
    int pair[2];
    if (host_runs || !ph_net_pair(pair)) {
        return -1;
    }
    host_fd = pair[1];
    host_runs = pthread_create(&host, NULL, serve, &host_fd) == 0;
    return pair[0];
}

struct seen {
    unsigned units;
    unsigned keyframes;
};

static void on_unit(void *data, struct ph_unit *unit)
{
    struct seen *s = data;
    CHECK(s->units > 0 || unit->keyframe);
    CHECK(!unit->repeat);
    s->units++;
    s->keyframes += unit->keyframe;
}

static void on_status(
        void *data, enum ph_stream_status status, const char *text)
{
    CHECK_EQ(status, PH_STREAM_STATUS_OK);
}

static gboolean on_timeout(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_CONTINUE;
}

static bool run_until(const unsigned *counter, unsigned more)
{
    bool over = false;
    unsigned goal = *counter + more;
    guint timer = g_timeout_add(WAIT_MS, on_timeout, &over);
    while (!over && *counter < goal) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
    return *counter >= goal;
}

int main(void)
{
    static const struct ph_source_events events = {on_unit, on_status};
    struct seen seen = {0};
    char error[256] = "";
    const struct ph_desktop_options desktop_options = {
            .capture = "test", .width = WIDTH, .height = HEIGHT, .fps = 10};
    struct ph_desktop *desktop =
            ph_desktop_open(&desktop_options, error, sizeof(error));
    struct ph_source_options options = {
            .desktop = desktop,
            .max_fps = 10,
            .link = {.connect = connect_host},
    };
    struct ph_source *source =
            ph_source_create(&options, &events, &seen, error, sizeof(error));
    if (!CHECK(source)) {
        return CHECK_DONE();
    }
    CHECK_EQ(requests, 0);
    ph_source_set_active(source, true);
    CHECK(run_until(&seen.units, 2));
    CHECK_EQ(seen.keyframes, 1);
    ph_source_request_keyframe(source);
    CHECK(run_until(&seen.keyframes, 1));
    CHECK(forced >= 1);
    ph_source_set_steady_fps(source, 50);
    CHECK(run_until(&seen.units, 3));
    ph_source_destroy(source);
    ph_desktop_close(desktop);
    pthread_join(host, NULL);
    CHECK_EQ(unfit, 0);
    return CHECK_DONE();
}
