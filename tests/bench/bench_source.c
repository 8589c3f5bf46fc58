/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a key to an access unit, stage by stage, and what the compositor costs.
 * Run under sway.sh:
 *   sway.sh 1920x1080@60 bench_source HOSTD KEYS MAX_FPS CAPTURE CLIENT [ARGS]
 * CAPTURE is wlr, wlr:ext or wlr:screencopy; CLIENT is wl_patch (answers a key
 * at once) or a terminal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/parse.h"
#include "deskd/input.h"
#include "deskd/source.h"
#include "integration/child.h"
#include "link/host_spawn.h"

#define KEY_A 30
#define KEY_ENTER 28
#define MAX_KEYS 2000
#define MARKS (PH_STREAM_STAGES + 2)

struct bench {
    struct ph_source *source;
    struct ph_input *input;
    int64_t pressed;
    unsigned units;
    uint64_t stage_sum[PH_STREAM_STAGES];
    bool waiting;
    unsigned count;
    /* µs since the key: captured, then after each stage, then in main */
    uint32_t marks[MARKS][MAX_KEYS];
};

static const char *const names[MARKS] = {"shown by the compositor",
        "frame event", "converted", "submitted", "(link)", "(wait)",
        "access unit", "", "main loop"};

static void on_unit(void *data, struct ph_unit *unit)
{
    struct bench *b = data;
    b->units++;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        b->stage_sum[i] += unit->stage_us[i];
    }
    if (!b->waiting || unit->captured_ns < b->pressed || b->count >= MAX_KEYS) {
        return;
    }
    uint32_t at = (uint32_t)((unit->captured_ns - b->pressed) / PH_NS_PER_US);
    b->marks[0][b->count] = at;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        at += unit->stage_us[i];
        b->marks[i + 1][b->count] = at;
    }
    b->marks[MARKS - 1][b->count] =
            (uint32_t)((ph_clock_ns() - b->pressed) / PH_NS_PER_US);
    b->count++;
    b->waiting = false;
}

static void on_status(
        void *data, enum ph_stream_status status, const char *text)
{
    fprintf(stderr, "status %d %s\n", status, text);
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

static void run_for(unsigned ms)
{
    bool over = false;
    guint timer = g_timeout_add(ms, on_timeout, &over);
    while (!over) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
}

static uint32_t cpu_ms(pid_t pid)
{
    return child_cpu_ticks(pid) * 10;
}

/* sway writes its pid into its socket's name. */
static pid_t sway_pid(void)
{
    uint32_t pid = 0;
    char digits[16];
    const char *sock = getenv("SWAYSOCK");
    const char *p = sock ? strstr(sock, "sway-ipc.") : NULL;
    p = p ? strchr(p + 9, '.') : NULL;
    if (p) {
        snprintf(digits, sizeof(digits), "%.*s",
                (int)strspn(p + 1, "0123456789"), p + 1);
        ph_parse_u32(digits, 1, UINT32_MAX, &pid);
    }
    return (pid_t)pid;
}

static void tap(struct bench *b, uint16_t code)
{
    b->input->ops->key(b->input, code, true);
    b->input->ops->key(b->input, code, false);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct bench *b)
{
    printf("%u keys\n", b->count);
    for (int i = 0; i < MARKS && b->count; i++) {
        qsort(b->marks[i], b->count, sizeof(uint32_t), compare);
        const uint32_t *marks = b->marks[i];
        unsigned middle = b->count / 2;
        unsigned late = b->count * 95 / 100;
        if (names[i][0] && names[i][0] != '(') {
            printf("  %-24s p50 %6.2f  p95 %6.2f  max %6.2f ms\n", names[i],
                    marks[middle] / 1e3, marks[late] / 1e3,
                    marks[b->count - 1] / 1e3);
        }
    }
}

static void type(struct bench *b, uint32_t keys)
{
    uint32_t random = 7;
    for (uint32_t i = 0; i < keys; i++) {
        random = random * 1664525u + 1013904223u;
        run_for(80 + random / 65536 % 80);
        if (i % 60 == 59) {
            tap(b, KEY_ENTER);
            run_for(200);
        }
        b->waiting = true;
        b->pressed = ph_clock_ns();
        tap(b, KEY_A);
        for (int wait = 0; b->waiting && wait < 100; wait++) {
            run_for(10);
        }
        if (b->waiting) {
            printf("key %u: nothing came\n", i);
            b->waiting = false;
        }
    }
}

/* CPU of the compositor over a phase of so many seconds, and where the time
 * of a unit went. */
static void cost(struct bench *b, const char *what, unsigned seconds)
{
    static const char *const stages[PH_STREAM_STAGES] = {
            "capture", "convert", "submit", "link", "wait", "encode", "queue"};
    uint32_t before = cpu_ms(sway_pid());
    b->units = 0;
    memset(b->stage_sum, 0, sizeof(b->stage_sum));
    run_for(seconds * 1000);
    printf("%s: sway %.2f %% of a core, %.1f units/s", what,
            (cpu_ms(sway_pid()) - before) / (seconds * 10.0),
            (double)b->units / seconds);
    for (int i = 0; i < PH_STREAM_STAGES && b->units; i++) {
        printf(", %s %.2f", stages[i], b->stage_sum[i] / 1e3 / b->units);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct bench b;
    char error[256] = "";
    uint32_t keys = 0;
    uint32_t max_fps = 0;
    struct child client = {0};
    struct child flood = {0};
    if (argc < 6 || !ph_parse_u32(argv[2], 1, MAX_KEYS, &keys) ||
            !ph_parse_u32(argv[3], 0, 240, &max_fps)) {
        return 2;
    }
    struct ph_host_spawn *spawn =
            ph_host_spawn_create(argv[1], NULL, error, sizeof(error));
    const struct ph_desktop_options desktop_options = {.capture = argv[4]};
    struct ph_desktop *desktop =
            ph_desktop_open(&desktop_options, error, sizeof(error));
    struct ph_source_options options = {
            .desktop = desktop,
            .max_fps = max_fps,
            .link = {.connect = ph_host_spawn_connect, .connect_data = spawn},
    };
    b.source = ph_source_create(&options, &events, &b, error, sizeof(error));
    b.input = ph_input_wlr_create(NULL, NULL, "us", error, sizeof(error));
    if (!b.source || !b.input ||
            !child_start(&client, (const char *const *)argv + 5)) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    run_for(1500);
    child_send(&client, "echo 296 296");
    ph_source_set_active(b.source, true);
    run_for(1500);
    cost(&b, "static", 10);
    uint32_t before = cpu_ms(sway_pid());
    type(&b, keys);
    printf("typing: sway %.2f ms a key\n",
            (double)(cpu_ms(sway_pid()) - before) / keys);
    report(&b);
    child_stop(&client);
    const char *const flood_argv[] = {
            "foot", "sh", "-c", "base64 -w 200 /dev/urandom", NULL};
    child_start(&flood, flood_argv);
    run_for(2000);
    cost(&b, "flood in foot", 10);
    child_stop(&flood);
    b.input->ops->destroy(b.input);
    ph_source_destroy(b.source);
    ph_desktop_close(desktop);
    ph_host_spawn_destroy(spawn);
    return 0;
}
