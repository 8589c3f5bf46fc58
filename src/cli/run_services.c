/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run_services.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"
#include "common/program.h"

static const char foot_config[] = "# Written by porthole run.\n"
                                  "font=monospace:size=14\n"
                                  "dpi-aware=no\n"
                                  "pad=10x8\n"
                                  "[scrollback]\n"
                                  "lines=10000\n"
                                  "[cursor]\n"
                                  "blink=no\n"
                                  "[colors]\n"
                                  "background=14181f\n"
                                  "foreground=d8dee9\n"
                                  "regular0=2e3440\n"
                                  "regular1=e06c75\n"
                                  "regular2=98c379\n"
                                  "regular3=e5c07b\n"
                                  "regular4=61afef\n"
                                  "regular5=c678dd\n"
                                  "regular6=56b6c2\n"
                                  "regular7=d8dee9\n"
                                  "bright0=5c6370\n"
                                  "bright1=ef8a92\n"
                                  "bright2=b5e08f\n"
                                  "bright3=f0d399\n"
                                  "bright4=83c3ff\n"
                                  "bright5=d9a0ea\n"
                                  "bright6=7bd3dd\n"
                                  "bright7=ffffff\n";

bool ph_run_wants_hostd(const struct ph_run *r)
{
    return !strcmp(r->opts.host, "local");
}

static bool find_own(
        const char *name, char *out, size_t out_size, char *error, size_t size)
{
    if (!ph_program_find(name, out, out_size)) {
        snprintf(error, size,
                "%s is not beside this program, nor in $PORTHOLE_LIBEXEC, nor "
                "along $PATH: build or install it",
                name);
        return false;
    }
    return true;
}

bool ph_run_find_programs(struct ph_run *r, char *error, size_t size)
{
    char found[PATH_MAX];
    const struct ph_desktop_kind *kind = r->desktop.kind;
    if (!ph_program_in_path(kind->program, found, sizeof(found))) {
        snprintf(error, size, "%s is not installed: apt-get install %s",
                kind->program, kind->package);
        return false;
    }
    for (const struct ph_desktop_need *n = kind->needs; n && n->program; n++) {
        if (!ph_program_in_path(n->program, found, sizeof(found))) {
            snprintf(error, size,
                    "%s, which %s needs, is not installed: apt-get install %s",
                    n->program, kind->program, n->package);
            return false;
        }
    }
    const char *terminal = kind->terminal ? kind->terminal[0] : "foot";
    const char *shown = r->program ? r->program[0] : terminal;
    if (!ph_program_in_path(shown, found, sizeof(found))) {
        snprintf(error, size,
                r->program ? "there is no program '%s' here"
                           : "%s is not installed: apt-get install %s, or "
                             "name another program behind --",
                shown, shown);
        return false;
    }
    return find_own("porthole-deskd", r->deskd_path, sizeof(r->deskd_path),
                   error, size) &&
            (!ph_run_wants_hostd(r) ||
                    find_own("porthole-hostd", r->hostd_path,
                            sizeof(r->hostd_path), error, size));
}

/* The user's own settings of the terminal are better than ours. */
static bool has_foot_config(void)
{
    char path[PATH_MAX];
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    snprintf(path, sizeof(path), "%s%s/foot/foot.ini",
            config ? config : (home ? home : ""), config ? "" : "/.config");
    return access(path, R_OK) == 0;
}

static bool describe_foot(struct ph_run *r)
{
    size_t n = 0;
    r->foot_argv[n++] = "foot";
    if (has_foot_config()) {
        return true;
    }
    snprintf(r->foot_config, sizeof(r->foot_config), "--config=%s/foot.ini",
            r->session.dir);
    r->foot_argv[n++] = r->foot_config;
    AUTOCLOSE int fd = open(strchr(r->foot_config, '=') + 1,
            O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t len = sizeof(foot_config) - 1;
    return fd >= 0 && write(fd, foot_config, len) == (ssize_t)len;
}

/* Terminals and toolkits want a locale that can write UTF-8. */
static bool has_utf8_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) {
            const char *set = strchr(value, '.');
            return set &&
                    (!strncasecmp(set, ".utf-8", 6) ||
                            !strncasecmp(set, ".utf8", 5));
        }
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Becomes a program when a file is there. */
static const char wait_script[] =
        "end=$(($(date +%s) + 25))\n"
        "until [ -e \"$0\" ]; do\n"
        "    sleep .05\n"
        "    [ $(date +%s) -lt $end ] || {\n"
        "        echo 'porthole-deskd has made no monitor'\n"
        "        exit 1\n"
        "    }\n"
        "done\n"
        "echo '" PH_DESKTOP_READY "'; exec \"$@\"\n";

/* The arguments of that; ours until the end. */
static const char **wait_argv(const char *file, const char *const *argv)
{
    const char *const begin[] = {"sh", "-c", wait_script, file};
    size_t count = 0;
    while (argv[count]) {
        count++;
    }
    const char **all = calloc(PH_LEN(begin) + count + 1, sizeof(*all));
    if (all) {
        memcpy(all, begin, sizeof(begin));
        memcpy(all + PH_LEN(begin), argv, count * sizeof(*all));
    }
    return all;
}

bool ph_run_describe_shown(struct ph_run *r, char *error, size_t size)
{
    const char *const *terminal = r->desktop.kind->terminal;
    if (!r->program && !terminal && !describe_foot(r)) {
        snprintf(error, size, "cannot write into %s: %s", r->session.dir,
                strerror(errno));
        return false;
    }
    size_t n = 0;
    for (const char *const *p = r->desktop.env; *p; p++) {
        r->shown_env[n++] = *p;
    }
    if (!has_utf8_locale()) {
        r->shown_env[n++] = "LC_ALL=C.UTF-8";
    }
    const char *const *argv = r->program ? r->program
            : terminal                   ? terminal
                                         : r->foot_argv;
    bool waits = r->desktop.begun[0];
    r->shown_argv = waits ? wait_argv(r->desktop.begun, argv) : NULL;
    if (waits && !r->shown_argv) {
        snprintf(error, size, "no memory");
        return false;
    }
    r->shown = (struct ph_service){
            .name = base_name(argv[0]),
            .child = {waits ? r->shown_argv : argv, r->shown_env,
                    ph_desktop_leaks, NULL},
            .ready = waits ? PH_DESKTOP_READY : NULL,
            .needs = &r->desktop.compositor,
            .once = r->opts.once,
    };
    return true;
}

void ph_run_describe_hostd(struct ph_run *r)
{
    const char **argv = r->hostd_argv;
    snprintf(r->hostd_endpoint, sizeof(r->hostd_endpoint), "unix:%s/hostd.sock",
            r->session.dir);
    *argv++ = r->hostd_path;
    *argv++ = "--listen";
    *argv++ = r->hostd_endpoint;
    if (r->opts.encoder) {
        *argv++ = "--encoder";
        *argv++ = r->opts.encoder;
    }
    r->hostd = (struct ph_service){
            .name = "porthole-hostd",
            .child = {r->hostd_argv, NULL, NULL, NULL},
            .ready = "listening ",
    };
}

struct args {
    const char **argv;
    size_t count;
};

static void add(struct args *a, const char *option, const char *value)
{
    if (value) {
        a->argv[a->count++] = option;
        a->argv[a->count++] = value;
    }
}

static const char *host_of(const struct ph_run *r)
{
    if (ph_run_wants_hostd(r)) {
        return r->hostd_endpoint;
    }
    return strcmp(r->opts.host, "none") != 0 ? r->opts.host : NULL;
}

void ph_run_describe_deskd(struct ph_run *r)
{
    struct args a = {r->deskd_argv, 0};
    char endpoint[PH_ENDPOINT_TEXT_MAX];
    ph_endpoint_format(&r->http, endpoint, sizeof(endpoint));
    snprintf(r->http_text, sizeof(r->http_text), "%s",
            endpoint + strlen("tcp:"));
    snprintf(r->size, sizeof(r->size), "%ux%u", r->opts.size.width,
            r->opts.size.height);
    snprintf(r->fps, sizeof(r->fps), "%u", r->opts.fps);
    snprintf(r->bitrate, sizeof(r->bitrate), "%llu",
            (unsigned long long)r->opts.bitrate);
    a.argv[a.count++] = r->deskd_path;
    add(&a, "--http", r->http_text);
    add(&a, "--host", host_of(r));
    add(&a, "--capture", r->desktop.kind->capture);
    add(&a, "--display", r->desktop.display);
    add(&a, "--output", r->opts.outputs > 1 ? "all" : NULL);
    add(&a, "--size", r->size);
    add(&a, "--fps", r->fps);
    add(&a, "--bitrate", r->opts.bitrate ? r->bitrate : NULL);
    if (!ph_run_wants_hostd(r)) { /* else hostd has it: see there */
        add(&a, "--encoder", r->opts.encoder);
    }
    add(&a, "--layout", r->opts.layout);
    add(&a, "--cursor", r->opts.cursor);
    add(&a, "--keepalive", r->opts.keepalive);
    add(&a, "--downloads", r->opts.downloads);
    add(&a, "--token-file", r->token_file);
    add(&a, "--view-token-file", r->view_token_file);
    add(&a, "--name", r->name);
    a.argv[a.count] = NULL;
    r->deskd = (struct ph_service){
            .name = "porthole-deskd",
            .child = {r->deskd_argv, r->desktop.deskd_env, NULL, NULL},
            .ready = "listening http",
    };
}
