/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a real compositor through a real host to decoded pictures: run under
 * sway.sh with the paths of wl_patch and porthole-hostd as arguments.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "common/clock.h"
#include "decode.h"
#include "deskd/source_private.h"
#include "link/host_spawn.h"
#include "unit/check.h"

#define WAIT_MS 20000
#define WIDTH 1280u
#define HEIGHT 720u

struct seen {
    struct ph_source *source;
    struct decoder *decoder;
    unsigned units;
    unsigned keyframes;
    unsigned statuses;
    enum ph_stream_status status;
    bool repeat; /* of the newest unit */
    bool keyframe;
    uint32_t width;
    uint32_t height;
    int64_t worst_wake_ns;
};

static void on_unit(void *data, struct ph_unit *unit)
{
    struct seen *s = data;
    int64_t now = ph_clock_ns();
    uint64_t sum = 0;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        sum += unit->stage_us[i];
    }
    int64_t whole = (unit->received_ns - unit->captured_ns) / PH_NS_PER_US;
    CHECK(whole - (int64_t)sum <= 1 && (int64_t)sum - whole <= 1);
    CHECK_EQ(unit->stage_us[PH_STREAM_STAGE_QUEUE], 0);
    CHECK(s->units > 0 || unit->keyframe);
    CHECK_EQ(strncmp(unit->codec, "avc1.", 5), 0);
    CHECK(decoder_push(s->decoder, unit->data, unit->size));
    if (now - unit->received_ns > s->worst_wake_ns) {
        s->worst_wake_ns = now - unit->received_ns;
    }
    s->units++;
    s->keyframes += unit->keyframe;
    s->keyframe = unit->keyframe;
    s->repeat = unit->repeat;
    s->width = unit->width;
    s->height = unit->height;
}

static void on_status(
        void *data, enum ph_stream_status status, const char *text)
{
    struct seen *s = data;
    s->statuses++;
    s->status = status;
}

static const struct ph_source_events events = {
        .unit = on_unit,
        .status = on_status,
};

static gboolean on_timeout(gpointer data)
{
    *(bool *)data = true;
    return G_SOURCE_CONTINUE;
}

/* Runs the main loop until *counter passes `more` or ms are over. */
static bool run_until(const unsigned *counter, unsigned more, int ms)
{
    bool over = false;
    unsigned goal = *counter + more;
    guint timer = g_timeout_add((guint)ms, on_timeout, &over);
    while (!over && *counter < goal) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
    return *counter >= goal;
}

static void settle(struct seen *s)
{
    for (int i = 0; i < 200 && run_until(&s->units, 1, 500); i++) {
    }
}

static bool pixel_is(struct seen *s, uint32_t x, uint32_t y, uint8_t luma)
{
    uint8_t yuv[3] = {0};
    return decoder_pixel(s->decoder, x, y, yuv) && abs(yuv[0] - luma) <= 12;
}

static void show(struct child *patch, uint32_t x, uint32_t y, uint32_t rgb)
{
    CHECK(child_send(patch, "rect %u %u 8 8 %06x", x, y, rgb));
    CHECK(child_send(patch, "commit"));
}

static void test_start(struct seen *s)
{
    ph_source_set_active(s->source, true);
    CHECK(run_until(&s->units, 1, WAIT_MS));
    CHECK(s->keyframe);
    CHECK_EQ(s->width, WIDTH);
    CHECK_EQ(s->height, HEIGHT);
    settle(s);
}

/* Nothing happens, and nothing is done. */
static void test_static(struct seen *s, const struct ph_host_spawn *spawn)
{
    unsigned before = s->units;
    uint32_t own = child_cpu_ticks(getpid());
    uint32_t host = child_cpu_ticks(ph_host_spawn_pid(spawn));
    CHECK(host > 0);
    run_until(&s->units, 1, 5000);
    CHECK_EQ(s->units, before);
    CHECK(child_cpu_ticks(getpid()) - own <= 2);
    CHECK(child_cpu_ticks(ph_host_spawn_pid(spawn)) - host <= 2);
}

/* What stands still is refined, in as many units as were asked for, and one
 * more after a quick one; then nothing comes any more. */
static void test_refinement(struct seen *s, struct child *patch)
{
    struct ph_source_stats stats[2];
    ph_source_get_stats(s->source, &stats[0]);
    show(patch, 100, 100, 0xf0f0f0);
    CHECK(run_until(&s->units, 1, WAIT_MS));
    CHECK(!s->repeat);
    CHECK(run_until(&s->units, PH_REFINE_STEPS, WAIT_MS));
    CHECK(s->repeat && !s->keyframe);
    settle(s);
    CHECK(!run_until(&s->units, 1, 1500));
    ph_source_get_stats(s->source, &stats[1]);
    uint64_t repeats = stats[1].repeats - stats[0].repeats;
    CHECK(repeats == PH_REFINE_STEPS || repeats == PH_REFINE_STEPS + 1);
    CHECK_EQ(stats[1].frames - stats[0].frames, 1);
}

static void test_small_change(struct seen *s, struct child *patch)
{
    struct ph_source_stats before;
    struct ph_source_stats after;
    /* Each slot takes part once, until all of them are up to date. */
    for (uint32_t i = 0; i < 4; i++) {
        show(patch, 600, 300, i % 2 ? 0xffffff : 0);
        CHECK(run_until(&s->units, 1, WAIT_MS));
        settle(s);
    }
    ph_source_get_stats(s->source, &before);
    CHECK(child_send(patch, "rect 0 0 8 8 ffffff"));
    CHECK(child_send(patch, "rect %u %u 8 8 ffffff", WIDTH - 8, HEIGHT - 8));
    CHECK(child_send(patch, "commit"));
    CHECK(run_until(&s->units, 1, WAIT_MS));
    settle(s);
    ph_source_get_stats(s->source, &after);
    uint64_t pixels = after.pixels_converted - before.pixels_converted;
    CHECK(pixels > 0);
    CHECK(pixels < WIDTH * HEIGHT / 50);
    CHECK(pixel_is(s, 4, 4, 235));
    CHECK(pixel_is(s, WIDTH - 4, HEIGHT - 4, 235));
}

/* Single changes with pauses: each one is seen. */
static void test_last_change(struct seen *s, struct child *patch)
{
    uint32_t random = 1;
    for (uint32_t i = 0; i < 100; i++) {
        bool bright = i % 2 == 0;
        random = random * 1664525u + 1013904223u;
        run_until(&s->units, 1000, (int)(50 + random / 65536 % 250));
        show(patch, 200, 200, bright ? 0xf0f0f0 : 0x101010);
        uint8_t luma = bright ? 222 : 30;
        int64_t deadline = ph_deadline_ms(WAIT_MS);
        while (!pixel_is(s, 204, 204, luma) && ph_clock_ns() < deadline) {
            run_until(&s->units, 1, 100);
        }
        if (!CHECK(pixel_is(s, 204, 204, luma))) {
            break;
        }
    }
}

static void test_keyframe(struct seen *s)
{
    settle(s);
    unsigned before = s->keyframes;
    struct ph_source_stats stats[2];
    ph_source_get_stats(s->source, &stats[0]);
    ph_source_request_keyframe(s->source);
    ph_source_request_keyframe(s->source);
    CHECK(run_until(&s->keyframes, 1, WAIT_MS));
    CHECK(s->keyframe && s->repeat);
    settle(s);
    CHECK_EQ(s->keyframes, before + 1);
    ph_source_get_stats(s->source, &stats[1]);
    CHECK_EQ(stats[1].frames, stats[0].frames);
}

static void test_steady(struct seen *s)
{
    ph_source_set_steady_fps(s->source, 60);
    CHECK(run_until(&s->units, 60, WAIT_MS));
    CHECK(s->repeat && !s->keyframe);
    ph_source_set_steady_fps(s->source, 0);
    settle(s);
    CHECK(!run_until(&s->units, 1, 1000));
}

static void test_host_dies(struct seen *s, const struct ph_host_spawn *spawn)
{
    pid_t pid = ph_host_spawn_pid(spawn);
    CHECK(pid > 0);
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK(run_until(&s->statuses, 1, WAIT_MS));
    CHECK(run_until(&s->keyframes, 1, WAIT_MS));
    CHECK(s->keyframe);
    CHECK(pixel_is(s, 4, 4, 235));
    settle(s);
    CHECK_EQ(s->status, PH_STREAM_STATUS_OK);
    CHECK(ph_host_spawn_pid(spawn) != pid);
}

static void test_inactive(struct seen *s, struct child *patch)
{
    ph_source_set_active(s->source, false);
    settle(s);
    unsigned before = s->units;
    struct ph_source_stats stats[2];
    ph_source_get_stats(s->source, &stats[0]);
    for (uint32_t i = 0; i < 5; i++) {
        show(patch, 200, 200, i % 2 ? 0xf0f0f0 : 0x101010);
        run_until(&s->units, 1, 100);
    }
    ph_source_get_stats(s->source, &stats[1]);
    CHECK_EQ(s->units, before);
    CHECK_EQ(stats[1].frames, stats[0].frames);
    ph_source_set_active(s->source, true);
    CHECK(run_until(&s->units, 1, WAIT_MS));
    CHECK(s->keyframe);
    CHECK(pixel_is(s, 204, 204, 30));
    /* Off and on again before the thread looks is off and on as well. */
    settle(s);
    before = s->keyframes;
    ph_source_set_active(s->source, false);
    ph_source_set_active(s->source, true);
    CHECK(run_until(&s->units, 1, WAIT_MS));
    CHECK_EQ(s->keyframes, before + 1);
}

static void test_resize(struct seen *s)
{
    settle(s);
    CHECK_EQ(system("swaymsg -q output HEADLESS-1 mode 801x599@60Hz"), 0);
    for (int i = 0; i < 100 && s->width != 802; i++) {
        run_until(&s->units, 1, 200);
    }
    CHECK_EQ(s->width, 802);
    CHECK_EQ(s->height, 600);
    settle(s);
}

/* The compositor ends and another one takes its place. */
static void test_desktop_again(struct seen *s)
{
    const char *const argv[] = {"sh", "-c", "exec $SWAY_AGAIN 2>&1", NULL};
    struct child sway = {0};
    CHECK(system("swaymsg -q exit 2>/dev/null") != -1);
    CHECK(run_until(&s->statuses, 1, WAIT_MS));
    CHECK_EQ(s->status, PH_STREAM_STATUS_NO_DESKTOP);
    unsigned before = s->keyframes;
    CHECK(child_start(&sway, argv));
    CHECK(run_until(&s->keyframes, 1, WAIT_MS));
    settle(s);
    CHECK_EQ(s->status, PH_STREAM_STATUS_OK);
    CHECK_EQ(s->width, WIDTH);
    CHECK(s->keyframes > before);
    child_stop(&sway);
    CHECK(run_until(&s->statuses, 1, WAIT_MS));
    CHECK_EQ(s->status, PH_STREAM_STATUS_NO_DESKTOP);
}

int main(int argc, char **argv)
{
    char error[256] = "";
    char line[CHILD_LINE];
    struct seen seen = {0};
    struct child patch = {0};
    if (argc != 3) {
        return 2;
    }
    const char *const patch_argv[] = {argv[1], NULL};
    const char *const host_args[] = {"--encoder", "x264", NULL};
    struct ph_host_spawn *spawn =
            ph_host_spawn_create(argv[2], host_args, error, sizeof(error));
    const struct ph_desktop_options desktop_options = {.capture = "wlr"};
    struct ph_desktop *desktop =
            ph_desktop_open(&desktop_options, error, sizeof(error));
    struct ph_source_options options = {
            .desktop = desktop,
            .max_fps = 60,
            .link = {.connect = ph_host_spawn_connect, .connect_data = spawn},
    };
    seen.decoder = decoder_create();
    seen.source =
            ph_source_create(&options, &events, &seen, error, sizeof(error));
    if (!CHECK(seen.source) || !CHECK(child_start(&patch, patch_argv)) ||
            !CHECK(child_expect(&patch, "size 1280 720", line, WAIT_MS))) {
        fprintf(stderr, "%s\n", error);
        return CHECK_DONE();
    }
    test_start(&seen);
    test_static(&seen, spawn);
    test_refinement(&seen, &patch);
    test_small_change(&seen, &patch);
    test_last_change(&seen, &patch);
    test_keyframe(&seen);
    test_steady(&seen);
    test_host_dies(&seen, spawn);
    test_inactive(&seen, &patch);
    test_resize(&seen);
    test_desktop_again(&seen);
    ph_source_destroy(seen.source);
    ph_desktop_close(desktop);
    ph_host_spawn_destroy(spawn);
    child_stop(&patch);
    decoder_destroy(seen.decoder);
    printf("slowest wake of main: %lld us\n",
            (long long)(seen.worst_wake_ns / PH_NS_PER_US));
    return CHECK_DONE();
}
