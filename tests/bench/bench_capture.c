/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many frames a desktop gives when nothing is done with them: what
 * streaming is measured against.
 *   WAYLAND_DISPLAY=... bench_capture SECONDS [wlr]
 *   DISPLAY=... bench_capture SECONDS x11
 * Prints JSON: frames, fps, the longest gap and percentiles of gaps in ms.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "deskd/desktop.h"

enum {
    MAX_FRAMES = 1 << 18
};

static double gaps[MAX_FRAMES];
static unsigned frames;
static int64_t newest;
static struct ph_capture *capture;
static bool lost;

static void on_frame(void *data, const struct ph_capture_frame *frame)
{
    int64_t now = ph_clock_ns();
    if (frames > 0 && frames < MAX_FRAMES) {
        gaps[frames - 1] = (double)(now - newest) / PH_NS_PER_MS;
    }
    newest = now;
    frames++;
    capture->ops->request(capture, false);
}

static void on_lost(void *data, const char *reason)
{
    fprintf(stderr, "bench_capture: %s\n", reason);
    lost = true;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(double seconds)
{
    size_t n = frames > 1 ? PH_MIN(frames - 1, (unsigned)MAX_FRAMES) : 0;
    qsort(gaps, n, sizeof(gaps[0]), compare);
    printf("{\"frames\": %u, \"fps\": %.2f, \"gap_ms\": {\"p50\": %.2f, "
           "\"p95\": %.2f, \"p99\": %.2f, \"max\": %.2f}}\n",
            frames, frames / seconds, n ? gaps[n / 2] : 0,
            n ? gaps[n * 95 / 100] : 0, n ? gaps[n * 99 / 100] : 0,
            n ? gaps[n - 1] : 0);
}

int main(int argc, char **argv)
{
    static const struct ph_capture_events events = {
            .frame = on_frame, .lost = on_lost};
    uint32_t seconds = 0;
    char error[256];
    struct ph_desktop_options options = {.capture = "wlr", .fps = 60};
    if (argc < 2 || argc > 3 || !ph_parse_u32(argv[1], 1, 3600, &seconds)) {
        fprintf(stderr, "usage: bench_capture SECONDS [CAPTURE]\n");
        return 2;
    }
    options.capture = argc == 3 ? argv[2] : options.capture;
    struct ph_desktop *desktop =
            ph_desktop_open(&options, error, sizeof(error));
    capture = desktop ? desktop->ops->capture(
                                desktop, &events, NULL, error, sizeof(error))
                      : NULL;
    if (!capture) {
        fprintf(stderr, "bench_capture: %s\n", error);
        return 1;
    }
    int64_t end = ph_deadline_ms((int64_t)seconds * 1000);
    capture->ops->request(capture, true);
    while (!lost && ph_clock_ns() < end) {
        struct pollfd p = {capture->ops->fd(capture), POLLIN, 0};
        if (poll(&p, 1, ph_deadline_poll_ms(end)) > 0) {
            capture->ops->dispatch(capture);
        }
    }
    report(seconds);
    capture->ops->destroy(capture);
    ph_desktop_close(desktop);
    return lost;
}
