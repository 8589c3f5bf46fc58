/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/guard.h"
#include "cli/run_services.h"
#include "common/cleanup.h"
#include "common/net.h"

enum {
    ERROR_MAX = 512,
};

static bool is_free(const struct ph_endpoint *http)
{
    struct ph_endpoint probe = *http;
    AUTOCLOSE int fd = ph_net_listen(&probe, PH_NET_BIND_ONLY);
    return fd >= 0;
}

/* The first free port from `from` on. */
static bool find_port(struct ph_run *r, unsigned from, char *error, size_t size)
{
    for (unsigned port = from; port <= PH_RUN_PORT_LAST; port++) {
        r->http.port = (uint16_t)port;
        if (is_free(&r->http)) {
            return true;
        }
    }
    snprintf(error, size,
            "the ports %d to %d of 127.0.0.1 are all taken: choose one "
            "with --http",
            PH_RUN_PORT_FIRST, PH_RUN_PORT_LAST);
    return false;
}

static bool choose_http(struct ph_run *r, char *error, size_t size)
{
    if (r->opts.http) {
        if (!is_free(&r->http)) {
            snprintf(error, size,
                    "cannot listen on %s: %s; choose another "
                    "with --http, or leave it out for a free port",
                    r->opts.http, strerror(errno));
            return false;
        }
        return true;
    }
    r->http = (struct ph_endpoint){PH_ENDPOINT_TCP, "127.0.0.1", 0};
    return find_port(r, PH_RUN_PORT_FIRST, error, size);
}

static struct ph_desktop_wish wish_of(const struct ph_run *r)
{
    return (struct ph_desktop_wish){
            .size = r->opts.size,
            .outputs = r->opts.outputs,
            .layout = r->opts.layout,
            .dir = r->desktop_dir,
    };
}

/* Compositors crash now and then while they start (GNOME Shell 43, once in some
 * hundred times): once more, then. */
static bool start_compositor(struct ph_run *r)
{
    struct ph_service *compositor = &r->desktop.compositor;
    return ph_supervisor_start(&r->supervisor, compositor) ||
            (compositor->crashed && !ph_supervisor_stopping() &&
                    ph_supervisor_start(&r->supervisor, compositor));
}

static bool start_desktop(struct ph_run *r, char *error, size_t size)
{
    struct ph_desktop_wish wish = wish_of(r);
    if (!r->desktop.kind->prepare(&r->desktop, &wish, error, size)) {
        return false;
    }
    for (size_t i = 0; i < PH_DESKTOP_HELPERS; i++) {
        struct ph_service *helper = &r->desktop.helpers[i];
        if (helper->name && !ph_supervisor_start(&r->supervisor, helper)) {
            return false;
        }
    }
    return start_compositor(r) &&
            r->desktop.kind->ready(&r->desktop, error, size) &&
            (!r->desktop.manager.name ||
                    ph_supervisor_start(&r->supervisor, &r->desktop.manager));
}

/* Between our look at the port and deskd's taking it another session may have
 * come: the next one then, unless the user said which. */
static bool start_deskd(struct ph_run *r, char *error, size_t size)
{
    for (;;) {
        if (!r->opts.http && !find_port(r, r->http.port, error, size)) {
            return false;
        }
        ph_run_describe_deskd(r);
        if (ph_supervisor_start(&r->supervisor, &r->deskd)) {
            return true;
        }
        if (r->opts.http || ph_supervisor_stopping() || is_free(&r->http)) {
            return false;
        }
    }
}

static bool start_shown(struct ph_run *r, char *error, size_t size)
{
    return ph_run_describe_shown(r, error, size) &&
            ph_supervisor_start(&r->supervisor, &r->shown);
}

static bool start_all(struct ph_run *r, char *error, size_t size)
{
    if (!start_desktop(r, error, size)) {
        return false;
    }
    bool last = r->desktop.begun[0]; /* deskd brings that about */
    if (!last && !start_shown(r, error, size)) {
        return false;
    }
    if (ph_run_wants_hostd(r)) {
        ph_run_describe_hostd(r);
        if (!ph_supervisor_start(&r->supervisor, &r->hostd)) {
            return false;
        }
    }
    if (!start_deskd(r, error, size)) {
        return false;
    }
    if (last && !start_shown(r, error, size)) {
        if (!ph_supervisor_stopping()) {
            ph_supervisor_show_log(&r->supervisor, r->deskd.name);
        }
        return false;
    }
    return true;
}

static void open_browser(const char *link)
{
    const char *argv[] = {"xdg-open", link, NULL};
    const struct ph_child_spec spec = {argv, NULL, NULL, NULL};
    char error[ERROR_MAX];
    int out = -1;
    if (ph_child_start(&spec, &out, error, sizeof(error)) < 0) {
        fprintf(stderr, "--open: %s: open the link yourself\n", error);
    }
    ph_close(&out);
}

static bool is_loopback(const char *address)
{
    return !strncmp(address, "127.", 4) || !strcmp(address, "localhost");
}

/* Tells the user where to go, and other commands where we are. */
static bool announce(struct ph_run *r, char *error, size_t size)
{
    char token[256];
    char view[256];
    char link[PH_SERVICE_LINE_MAX + sizeof(token)];
    const char *url = r->deskd.ready_line + strlen("listening ");
    if (!ph_session_read_line(r->token_file, token, sizeof(token)) ||
            !ph_session_read_line(r->view_token_file, view, sizeof(view))) {
        snprintf(error, size, "porthole-deskd wrote no tokens into %s: %s",
                r->session.dir, strerror(errno));
        return false;
    }
    const struct ph_session_facts facts = {
            r->name, url, r->token_file, r->view_token_file};
    if (!ph_session_publish(&r->session, &facts)) {
        fprintf(stderr, "porthole stream will not find this session: %s\n",
                strerror(errno));
    }
    snprintf(link, sizeof(link), "%s#token=%s", url, token);
    printf("\n  Open in a browser:  %s\n  To look on only:    %s#token=%s\n\n",
            link, url, view);
    fflush(stdout);
    if (is_loopback(r->http.address)) {
        fprintf(stderr,
                "  From another machine, first:  ssh -L %u:%s:%u "
                "THIS-MACHINE\n",
                r->http.port, r->http.address, r->http.port);
    }
    fprintf(stderr, "  Logs are in %s. Ctrl-C ends the desktop.\n\n",
            r->session.dir);
    if (r->opts.open) {
        open_browser(link);
    }
    return true;
}

static int work(void *data)
{
    struct ph_run *r = data;
    char error[ERROR_MAX] = "";
    bool ok = true;
    ph_supervisor_init(&r->supervisor, r->session.dir);
    if (start_all(r, error, sizeof(error)) &&
            announce(r, error, sizeof(error))) {
        ok = ph_supervisor_run(&r->supervisor);
        if (r->supervisor.ended) {
            fprintf(stderr, "%s has ended\n", r->shown.name);
        }
    } else {
        ok = ph_supervisor_stopping();
    }
    if (error[0]) {
        fprintf(stderr, "porthole run: %s\n", error);
    }
    ph_supervisor_stop(&r->supervisor);
    ph_session_remove(&r->session);
    return ok ? 0 : 1;
}

static void tidy(void *data)
{
    struct ph_run *r = data;
    ph_session_remove(&r->session);
}

static bool prepare_session(struct ph_run *r, char *error, size_t size)
{
    if (!ph_session_create(&r->session, error, size)) {
        return false;
    }
    ph_session_path(
            &r->session, "desktop", r->desktop_dir, sizeof(r->desktop_dir));
    ph_session_path(&r->session, "token", r->token_file, sizeof(r->token_file));
    ph_session_path(&r->session, "view-token", r->view_token_file,
            sizeof(r->view_token_file));
    if (mkdir(r->desktop_dir, 0700) != 0) {
        snprintf(error, size, "cannot make %s: %s", r->desktop_dir,
                strerror(errno));
        ph_session_remove(&r->session);
        return false;
    }
    return true;
}

/* What can be said before anything runs. False: *code is the exit code. */
static bool check(struct ph_run *r, char *error, size_t size, int *code)
{
    *code = 2;
    r->desktop.kind = ph_desktop_find(r->opts.desktop);
    if (!r->desktop.kind) {
        char names[128];
        ph_desktop_names(names, sizeof(names));
        snprintf(error, size, "--desktop: there is no '%s' (%s)",
                r->opts.desktop, names);
        return false;
    }
    struct ph_desktop_wish wish = wish_of(r);
    if (!ph_desktop_has_outputs(r->desktop.kind, &wish, error, size) ||
            !r->desktop.kind->check(&wish, error, size) ||
            !ph_run_check_pointer(
                    &r->opts, r->desktop.kind->capture, error, size) ||
            !ph_run_check_host(&r->opts, error, size) ||
            (r->opts.http &&
                    !ph_run_parse_http(r->opts.http, &r->http, error, size))) {
        return false;
    }
    if (r->opts.name) {
        snprintf(r->name, sizeof(r->name), "%s", r->opts.name);
    } else if (gethostname(r->name, sizeof(r->name) - 1) != 0) {
        snprintf(r->name, sizeof(r->name), "desktop");
    }
    *code = 1;
    return ph_run_find_programs(r, error, size) &&
            choose_http(r, error, size) && prepare_session(r, error, size);
}

int ph_run_main(int argc, char **argv)
{
    static struct ph_run run;
    char error[ERROR_MAX] = "";
    int operands;
    run.opts = ph_run_defaults;
    int code = ph_opt_main(&ph_run_usage, argc, argv, &run.opts, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands > 0) {
        argv[operands] = NULL;
        run.program = (const char *const *)argv;
    }
    if (!check(&run, error, sizeof(error), &code)) {
        fprintf(stderr, "porthole run: %s\n", error);
        return code;
    }
    return ph_guard_run(work, tidy, &run);
}
