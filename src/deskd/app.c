/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "app"
#include "deskd/app.h"

#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "deskd/auth.h"
#include "deskd/clipboard_hub.h"
#include "deskd/http.h"
#include "deskd/hub.h"
#include "deskd/report.h"
#include "link/host_spawn.h"

enum {
    STATS_SECONDS = 60,
    FAREWELL_MS = 1000, /* for the browsers to take their GOODBYE */
    FAREWELL_STEP_MS = 10,
};

struct app {
    const struct ph_deskd_options *options;
    struct ph_auth auth;
    char name[256];
    char *downloads;
    struct ph_hub *hub;
    struct ph_host_spawn *host; /* NULL: it is somebody else's */
    struct ph_desktop_options desktop_options;
    struct ph_desktop *desktop;
    struct ph_source *source;
    struct ph_input *input;
    struct ph_http *http;
    GMainLoop *loop;
    bool stopping;
    int64_t stop_us; /* not later */
};

static bool init_auth(struct app *app, char *error, size_t size)
{
    const struct ph_deskd_options *o = app->options;
    struct ph_auth *auth = &app->auth;
    auth->hosts = o->allow_host;
    auth->origins = o->allow_origin;
    if (o->view_token_file &&
            !ph_auth_load(o->view_token_file, auth->view, error, size)) {
        return false;
    }
    if (o->token_file) {
        return ph_auth_load(o->token_file, auth->drive, error, size) &&
                ph_auth_tokens_differ(auth, error, size);
    }
    ph_auth_make_token(auth->drive);
    return true;
}

/* Where the source has its pictures encoded. */
static bool choose_host(
        struct app *app, struct ph_link_options *link, char *error, size_t size)
{
    const struct ph_deskd_options *o = app->options;
    if (!o->local_host) {
        link->endpoint = o->host_endpoint;
        if (o->encoder) {
            LOG_WARN("--encoder has no effect on the host at %s", o->host);
        }
        return true;
    }
    const char *args[] = {"--encoder", o->encoder, NULL};
    app->host =
            ph_host_spawn_create(NULL, o->encoder ? args : NULL, error, size);
    link->connect = ph_host_spawn_connect;
    link->connect_data = app->host;
    return app->host != NULL;
}

static bool init_desktop(struct app *app, char *error, size_t size)
{
    const struct ph_deskd_options *o = app->options;
    app->desktop_options = (struct ph_desktop_options){
            .capture = o->capture,
            .display = o->display,
            .output = o->output,
            .layout = o->layout,
            .width = o->size.width,
            .height = o->size.height,
            .fps = o->fps,
            .cursor = o->cursor_kind,
    };
    app->desktop = ph_desktop_open(&app->desktop_options, error, size);
    if (!app->desktop) {
        return false;
    }
    struct ph_source_options source = {
            .desktop = app->desktop,
            .max_fps = o->fps,
            .link = {.name = app->name, .bitrate = (uint32_t)o->bitrate},
    };
    if (!choose_host(app, &source.link, error, size)) {
        return false;
    }
    app->source = ph_source_create(
            &source, &ph_hub_source_events, app->hub, error, size);
    if (!app->source) {
        return false;
    }
    app->input = app->desktop->ops->input(app->desktop, error, size);
    return app->input != NULL;
}

/* A desktop without a clipboard is one all the same. */
static void init_clipboard(struct app *app)
{
    char error[256] = "";
    const struct ph_desktop_ops *ops = app->desktop->ops;
    struct ph_clipboard *clipboard = NULL;
    if (ops->clipboard) {
        clipboard = ops->clipboard(app->desktop, &ph_clipboard_hub_events,
                ph_hub_clipboard(app->hub), error, sizeof(error));
        if (!clipboard) {
            LOG_WARN("nothing can be copied or pasted: %s", error);
        }
    }
    ph_hub_attach_clipboard(app->hub, clipboard);
}

/* Where files go that are dropped on the page; NULL: nowhere. */
static const char *find_downloads(struct app *app)
{
    const char *wanted = app->options->downloads;
    if (wanted) {
        return strcmp(wanted, "none") == 0 ? NULL : wanted;
    }
    const char *folder = g_get_user_special_dir(G_USER_DIRECTORY_DOWNLOAD);
    if (!folder) {
        app->downloads = g_build_filename(g_get_home_dir(), "Downloads", NULL);
        folder = app->downloads;
    }
    return folder;
}

static bool init(struct app *app, char *error, size_t size)
{
    const struct ph_deskd_options *o = app->options;
    if (o->name) {
        g_strlcpy(app->name, o->name, sizeof(app->name));
    } else if (gethostname(app->name, sizeof(app->name) - 1) != 0) {
        g_strlcpy(app->name, "desktop", sizeof(app->name));
    }
    if (!init_auth(app, error, size)) {
        return false;
    }
    struct ph_hub_options hub = {
            .auth = &app->auth,
            .name = app->name,
            .downloads = find_downloads(app),
            .max_viewers = o->max_viewers,
            .bitrate = (uint32_t)o->bitrate,
    };
    app->hub = ph_hub_create(&hub);
    if (!init_desktop(app, error, size)) {
        return false;
    }
    ph_hub_attach(app->hub, app->source, app->input);
    init_clipboard(app);
    struct ph_http_options http = {.listen = o->http_endpoint, .web = o->web};
    app->http = ph_http_create(
            &http, &app->auth, app->hub, app->source, error, size);
    return app->http != NULL;
}

/* Viewers first: they release keys into the input and stop the source. */
static void finish(struct app *app)
{
    ph_hub_destroy(app->hub);
    ph_http_destroy(app->http);
    ph_source_destroy(app->source);
    ph_host_spawn_destroy(app->host);
    if (app->input) {
        app->input->ops->destroy(app->input);
    }
    ph_desktop_close(app->desktop);
    g_clear_pointer(&app->loop, g_main_loop_unref);
    g_free(app->downloads);
}

static gboolean on_farewell(gpointer data)
{
    struct app *app = data;
    if (!ph_http_idle(app->http) && g_get_monotonic_time() < app->stop_us) {
        return G_SOURCE_CONTINUE;
    }
    g_main_loop_quit(app->loop);
    return G_SOURCE_REMOVE;
}

static gboolean on_stop(gpointer data)
{
    struct app *app = data;
    if (app->stopping) { /* asked twice */
        g_main_loop_quit(app->loop);
        return G_SOURCE_CONTINUE;
    }
    app->stopping = true;
    app->stop_us = g_get_monotonic_time() + FAREWELL_MS * 1000;
    ph_http_stop(app->http);
    ph_hub_stop(app->hub, "the session is over");
    g_timeout_add(FAREWELL_STEP_MS, on_farewell, app);
    return G_SOURCE_CONTINUE;
}

static gboolean on_stats(gpointer data)
{
    struct app *app = data;
    ph_report_log(app->hub, app->source);
    return G_SOURCE_CONTINUE;
}

static void announce(const struct app *app)
{
    printf("listening %s\n", ph_http_url(app->http));
    if (!app->options->token_file) { /* it is nowhere else */
        printf("open %s#token=%s\n", ph_http_url(app->http), app->auth.drive);
    }
    fflush(stdout);
}

int ph_app_run(const struct ph_deskd_options *options)
{
    struct app app = {.options = options};
    char error[512] = "";
    if (!init(&app, error, sizeof(error))) {
        LOG_ERR("%s", error);
        finish(&app);
        return EXIT_FAILURE;
    }
    app.loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_stop, &app);
    g_unix_signal_add(SIGINT, on_stop, &app);
    g_unix_signal_add(SIGUSR1, on_stats, &app);
    if (options->stats) {
        g_timeout_add_seconds(STATS_SECONDS, on_stats, &app);
    }
    announce(&app);
    g_main_loop_run(app.loop);
    finish(&app);
    return EXIT_SUCCESS;
}
