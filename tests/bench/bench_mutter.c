/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Mutter's pictures cost: our consumer with its comparison and conversion
 * to NV12, then pipewiresrc ! videoconvert, on the same session bus, one after
 * the other, twice. Under tests/integration/mutter.sh, with something moving:
 *   bench_mutter SECONDS
 * Prints a line for each: frames a second, the longest gap (ours), CPU.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "deskd/desktop.h"
#include "deskd/mutter_session.h"
#include "video/pixels.h"

struct bench {
    struct ph_capture *capture;
    unsigned frames;
    int64_t newest_ns;
    int64_t longest_ns;
    uint8_t *nv12;
};

static double cpu_seconds(int who)
{
    struct rusage r;
    getrusage(who, &r);
    return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
            (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void on_frame(void *data, const struct ph_capture_frame *f)
{
    struct bench *b = data;
    int64_t now = ph_clock_ns();
    uint32_t width = f->width & ~1U;
    uint32_t height = f->height & ~1U;
    if (!b->nv12) {
        b->nv12 = ph_xmalloc((size_t)width * height * 3 / 2);
    } else {
        b->longest_ns = PH_MAX(b->longest_ns, now - b->newest_ns);
    }
    struct ph_region damage = *f->damage;
    struct ph_rgb src = {f->data, f->stride, f->width, f->height, f->format};
    struct ph_nv12 dst = {
            .plane = {b->nv12, b->nv12 + (size_t)width * height},
            .stride = {width, width},
            .width = width,
            .height = height,
    };
    ph_region_align(&damage, (uint16_t)width, (uint16_t)height);
    for (uint16_t i = 0; i < damage.count; i++) {
        ph_pixels_to_nv12(&src, &dst, damage.rects[i]);
    }
    b->newest_ns = now;
    b->frames++;
    b->capture->ops->request(b->capture, false);
}

static void on_lost(void *data, const char *reason)
{
    fprintf(stderr, "bench_mutter: %s\n", reason);
    exit(1);
}

static void run_ours(unsigned seconds)
{
    static const struct ph_capture_events events = {
            .frame = on_frame, .lost = on_lost};
    const struct ph_desktop_options options = {.capture = "mutter", .fps = 60};
    char error[256] = "";
    struct bench b = {0};
    struct ph_desktop *d = ph_desktop_open(&options, error, sizeof(error));
    b.capture =
            d ? d->ops->capture(d, &events, &b, error, sizeof(error)) : NULL;
    if (!b.capture) {
        fprintf(stderr, "bench_mutter: %s\n", error);
        exit(1);
    }
    double before = cpu_seconds(RUSAGE_SELF);
    int64_t deadline = ph_deadline_ms((int64_t)seconds * 1000);
    b.capture->ops->request(b.capture, true);
    while (ph_clock_ns() < deadline) {
        struct pollfd pfd = {b.capture->ops->fd(b.capture), POLLIN, 0};
        if (poll(&pfd, 1, ph_deadline_poll_ms(deadline)) > 0) {
            b.capture->ops->dispatch(b.capture);
        }
    }
    printf("ours         %5.1f fps, longest gap %4lld ms, CPU %5.2f s\n",
            (double)b.frames / seconds,
            (long long)(b.longest_ns / PH_NS_PER_MS),
            cpu_seconds(RUSAGE_SELF) - before);
    b.capture->ops->destroy(b.capture);
    ph_desktop_close(d);
    free(b.nv12);
}

static unsigned count_lines(FILE *in)
{
    char line[1024];
    unsigned count = 0;
    while (fgets(line, sizeof(line), in)) {
        count += strstr(line, "chain") != NULL;
    }
    return count;
}

static void run_gstreamer(unsigned seconds)
{
    char error[256] = "";
    char command[512];
    const struct ph_mutter_wish wish = {0};
    struct ph_mutter_session *s =
            ph_mutter_session_open(&wish, error, sizeof(error));
    if (!s) {
        fprintf(stderr, "bench_mutter: %s\n", error);
        exit(1);
    }
    snprintf(command, sizeof(command),
            "timeout -s INT %u gst-launch-1.0 -v pipewiresrc path=%u ! "
            "video/x-raw,max-framerate=60/1 ! videoconvert ! "
            "video/x-raw,format=NV12 ! fakesink silent=false 2>&1",
            seconds, ph_mutter_session_node(s));
    double before = cpu_seconds(RUSAGE_CHILDREN);
    FILE *in = popen(command, "r");
    unsigned frames = in ? count_lines(in) : 0;
    if (in) {
        pclose(in);
    }
    printf("videoconvert %5.1f fps,                      CPU %5.2f s\n",
            (double)frames / seconds, cpu_seconds(RUSAGE_CHILDREN) - before);
    ph_mutter_session_close(s);
    ph_mutter_session_unref(s);
}

int main(int argc, char **argv)
{
    uint32_t seconds;
    if (argc != 2 || !ph_parse_u32(argv[1], 1, 600, &seconds)) {
        fprintf(stderr, "usage: bench_mutter SECONDS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < 2; i++) {
        run_ours(seconds);
        run_gstreamer(seconds);
    }
    return 0;
}
