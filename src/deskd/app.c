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
#include "deskd/http.h"
#include "deskd/report.h"
#include "deskd/screen.h"

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
    struct ph_screens screens;
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
    if (!ph_screens_open(&app->screens, o, hub, error, size)) {
        return false;
    }
    struct ph_http_options http = {.listen = o->http_endpoint, .web = o->web};
    app->http = ph_http_create(&http, &app->auth, &app->screens, error, size);
    return app->http != NULL;
}

static void finish(struct app *app)
{
    ph_screens_close_hubs(&app->screens);
    ph_http_destroy(app->http);
    ph_screens_close(&app->screens);
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
    ph_screens_stop(&app->screens, "the session is over");
    g_timeout_add(FAREWELL_STEP_MS, on_farewell, app);
    return G_SOURCE_CONTINUE;
}

static gboolean on_stats(gpointer data)
{
    struct app *app = data;
    ph_report_log(&app->screens);
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
