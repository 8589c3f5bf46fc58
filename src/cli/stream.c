/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stream.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/opt.h"

struct options {
    const char *token_file;
    uint32_t duration; /* seconds; 0: until Ctrl-C */
    const char *output;
    bool json;
    uint32_t fps;
};

#define ROW(short_name, name, arg, type, field, min, max, help)                \
    {                                                                          \
        short_name, name, arg, type, offsetof(struct options, field), min,     \
                max, NULL, help                                                \
    }

static const struct ph_opt rows[] = {
        ROW('t', "token-file", "FILE", PH_OPT_STRING, token_file, 0, 0,
                "whose first line is the token, instead of the link's"),
        ROW('d', "duration", "S", PH_OPT_U32, duration, 1, 31536000,
                "seconds to measure, from the first frame (until Ctrl-C)"),
        ROW('o', "output", "FILE.h264", PH_OPT_STRING, output, 0, 0,
                "write the video there, H.264 as it comes (Annex B)"),
        ROW('j', "json", NULL, PH_OPT_FLAG, json, 0, 0,
                "print the result as JSON"),
        ROW('f', "fps", "N", PH_OPT_U32, fps, 1, PH_STREAM_MAX_FPS,
                "ask for so many frames a second also while nothing changes"),
};

static const struct ph_opt_usage usage = {
        .name = "porthole stream",
        .operands = "[URL|SESSION]",
        .summary =
                "Receives a desktop as a browser would, and measures it: "
                "frames, data, gaps,\n"
                "latency by stage. Without URL: the one session that 'porthole "
                "run' has here.",
        .examples = "  porthole stream --duration 10\n"
                    "  porthole stream --json --duration 60 --fps 30 "
                    "'http://127.0.0.1:8080/#TOKEN'\n"
                    "  porthole stream --output desktop.h264",
        .opts = rows,
        .count = PH_LEN(rows),
};

struct app {
    struct options opts;
    GMainLoop *loop;
    struct ph_stream_client *client;
    FILE *output;
    bool output_started; /* a keyframe came */
    bool failed;
    guint progress_timer;
    uint64_t shown_frames;
    uint64_t shown_bytes;
    int64_t shown_us;
};

static int64_t now_us(void)
{
    return ph_clock_ns() / PH_NS_PER_US;
}

static void complain(struct app *app, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static void complain(struct app *app, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    g_autofree char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fprintf(stderr, "%sporthole stream: %s\n", app->shown_us ? "\n" : "", text);
    app->failed = true;
    g_main_loop_quit(app->loop);
}

static void on_frame(void *data, const struct ph_stream_frame *frame)
{
    struct app *app = data;
    if (!app->output || app->failed) {
        return;
    }
    app->output_started |= (frame->flags & PH_STREAM_FRAME_KEY) != 0;
    if (app->output_started &&
            fwrite(frame->data, 1, frame->size, app->output) != frame->size) {
        complain(app, "cannot write %s: %s", app->opts.output,
                g_strerror(errno));
    }
}

static gboolean on_finish(void *data)
{
    struct app *app = data;
    g_main_loop_quit(app->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_progress(void *data)
{
    struct app *app = data;
    struct ph_stream_view v = ph_stream_client_view(app->client);
    int64_t now = now_us();
    double span = (double)(now - app->shown_us) / 1e6;
    fprintf(stderr, "\r%4.0f s  %5.1f frames/s  %8.3f Mbit/s ",
            (double)(now - v.stats->first_us) / 1e6,
            (double)(v.stats->frames - app->shown_frames) / span,
            (double)(v.stats->bytes - app->shown_bytes) * 8 / 1e6 / span);
    fflush(stderr);
    app->shown_us = now;
    app->shown_frames = v.stats->frames;
    app->shown_bytes = v.stats->bytes;
    return G_SOURCE_CONTINUE;
}

static void on_started(void *data)
{
    struct app *app = data;
    if (app->opts.duration) {
        g_timeout_add(app->opts.duration * 1000U, on_finish, app);
    }
    if (isatty(STDERR_FILENO)) {
        app->shown_us = now_us();
        app->progress_timer = g_timeout_add(1000, on_progress, app);
    }
}

static void on_ended(void *data, const GError *error)
{
    struct app *app = data;
    if (error) {
        complain(app, "%s", error->message);
    }
}

static const struct ph_stream_client_events events = {
        .frame = on_frame,
        .started = on_started,
        .ended = on_ended,
};

static void report(struct app *app)
{
    struct ph_stream_view view = ph_stream_client_view(app->client);
    struct ph_stats_result result;
    if (view.stats->frames == 0 && app->failed) {
        return; /* what failed has been said */
    }
    ph_stats_result(view.stats, now_us(), view.offset_us, &result);
    if (app->progress_timer) {
        fprintf(stderr, "\r%60s\r", "");
    }
    bool ok = app->opts.json ? ph_stream_report_json(stdout, &view, &result)
                             : ph_stream_report_text(stdout, &view, &result);
    if (!ok) {
        complain(app, "cannot write the result: %s", g_strerror(errno));
    }
}

static bool open_output(struct app *app)
{
    if (!app->opts.output) {
        return true;
    }
    app->output = fopen(app->opts.output, "we");
    if (!app->output) {
        complain(app, "cannot write %s: %s", app->opts.output,
                g_strerror(errno));
    }
    return app->output != NULL;
}

static void measure(struct app *app, const struct ph_stream_target *target)
{
    app->client = ph_stream_client_create(
            target, (uint16_t)app->opts.fps, &events, app);
    g_unix_signal_add(SIGINT, on_finish, app);
    g_unix_signal_add(SIGTERM, on_finish, app);
    g_main_loop_run(app->loop);
    report(app);
    ph_stream_client_destroy(app->client);
    if (app->output && fclose(app->output) != 0) {
        complain(app, "cannot write %s: %s", app->opts.output,
                g_strerror(errno));
    }
}

int ph_stream_main(int argc, char **argv)
{
    struct app app = {0};
    struct ph_stream_target target;
    g_autoptr(GError) error = NULL;
    int operands;
    int code = ph_opt_main(&usage, argc, argv, &app.opts, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands > 1) {
        fprintf(stderr, "porthole stream: one URL or session, not %d\n",
                operands);
        return 2;
    }
    if (!ph_stream_target_find(&target, operands ? argv[0] : NULL,
                app.opts.token_file, &error)) {
        fprintf(stderr, "porthole stream: %s\n", error->message);
        return 1;
    }
    app.loop = g_main_loop_new(NULL, FALSE);
    if (open_output(&app)) {
        measure(&app, &target);
    }
    ph_stream_target_finish(&target);
    g_main_loop_unref(app.loop);
    return app.failed ? 1 : 0;
}
