/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Xvfb: an X server that draws into memory. It cannot grow beyond the size
 * that it starts with, so it starts large and is made as small as wished at
 * once. Clients need its cookie; its number is the first free one, and stays
 * the same when it has to be started again.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/desktop.h"
#include "common/cleanup.h"
#include "common/macros.h"
#include "common/parse.h"
#include "common/program.h"
#include "x11/resize.h"
#include "x11/x11.h"

/* Its memory is 4 bytes for each of these pixels, whatever the size. */
enum {
    MOST_WIDTH = 3840,
    MOST_HEIGHT = 2160,
    SCALE_ONE = 120,
    SERVER_ARGS = 13, /* behind them the display's name, once it has one */
};

/* Small ones that do not bring a desktop of their own; the first that is
 * installed. */
static const char *const managers[] = {
        "openbox", "matchbox-window-manager", "icewm", "fluxbox", "jwm"};

static const char *const terminal[] = {"xterm", "-maximized", "-fa",
        "monospace", "-fs", "14", "-bg", "#14181f", "-fg", "#d8dee9", "+sb",
        "-xrm", "*selectToClipboard: true", NULL};

/* One entry of an authority file, of every display. */
static bool write_cookie(const struct ph_desktop *d, const char *path)
{
    static const char name[] = PH_X11_COOKIE_NAME;
    enum {
        NAME_LEN = sizeof(name) - 1,
    };
    uint8_t entry[2 + 2 + 2 + 2 + NAME_LEN + 2 + PH_X11_COOKIE] = {
            0xFF, 0xFF, 0, 0, 0, 0, 0, NAME_LEN};
    memcpy(entry + 8, name, NAME_LEN);
    entry[8 + NAME_LEN + 1] = PH_X11_COOKIE;
    memcpy(entry + 8 + NAME_LEN + 2, d->cookie, PH_X11_COOKIE);
    AUTOCLOSE int fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, entry, sizeof(entry)) == sizeof(entry);
}

/* Makes it as small as wished, with the pointer in the middle. */
static void on_ready(struct ph_service *service, void *data)
{
    struct ph_desktop *d = data;
    struct ph_x11 x;
    char error[256];
    uint32_t number;
    if (!ph_parse_u32(service->ready_line, 0, UINT16_MAX, &number)) {
        return;
    }
    snprintf(d->display, sizeof(d->display), ":%u", number);
    snprintf(d->display_env, sizeof(d->display_env), "DISPLAY=:%u", number);
    d->argv[SERVER_ARGS] = d->display; /* at the next start as well */
    if (!ph_x11_connect_cookie(
                &x, d->display, d->cookie, error, sizeof(error))) {
        fprintf(stderr, "Xvfb: %s\n", error);
        return;
    }
    if (!ph_x11_resize(&x, d->size.width, d->size.height, SCALE_ONE, error,
                sizeof(error))) {
        fprintf(stderr, "Xvfb: %s\n", error);
    }
    ph_x11_warp(&x, d->size.width / 2, d->size.height / 2);
    ph_x11_finish(&x);
}

static bool check(const struct ph_desktop_wish *wish, char *error, size_t size)
{
    for (const char *p = wish->layout; *p || p == wish->layout; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("_-,()", *p)) {
            snprintf(error, size,
                    "--layout: '%s' is not LAYOUT or LAYOUT(VARIANT)",
                    wish->layout);
            return false;
        }
    }
    return true;
}

static void describe_server(
        struct ph_desktop *d, const struct ph_desktop_wish *wish)
{
    const char *const argv[SERVER_ARGS] = {"Xvfb", "-displayfd", "1", "-screen",
            "0", d->size_text, "-auth", d->config, "-nolisten", "tcp",
            "-noreset", "-s", "0"};
    memcpy(d->argv, argv, sizeof(argv));
    d->compositor_env[0] = d->runtime_env;
    d->compositor = (struct ph_service){
            .name = "Xvfb",
            .child = {d->argv, d->compositor_env, ph_desktop_leaks, NULL},
            .ready = PH_SERVICE_NUMBER,
            .on_ready = on_ready,
            .data = d,
    };
}

static void describe_manager(struct ph_desktop *d)
{
    char found[PATH_MAX];
    for (size_t i = 0; i < PH_LEN(managers); i++) {
        if (ph_program_in_path(managers[i], found, sizeof(found))) {
            d->manager_argv[0] = managers[i];
            d->manager = (struct ph_service){
                    .name = managers[i],
                    .child = {d->manager_argv, d->env, ph_desktop_leaks, NULL},
                    .needs = &d->compositor,
            };
            return;
        }
    }
}

static bool prepare(struct ph_desktop *d, const struct ph_desktop_wish *wish,
        char *error, size_t size)
{
    d->size = wish->size;
    snprintf(d->size_text, sizeof(d->size_text), "%ux%ux24",
            PH_MAX(wish->size.width, (uint32_t)MOST_WIDTH),
            PH_MAX(wish->size.height, (uint32_t)MOST_HEIGHT));
    snprintf(d->config, sizeof(d->config), "%s/Xauthority", wish->dir);
    snprintf(d->socket_env, sizeof(d->socket_env), "XAUTHORITY=%s/Xauthority",
            wish->dir);
    snprintf(d->runtime_env, sizeof(d->runtime_env), "XDG_RUNTIME_DIR=%s",
            wish->dir);
    if (getrandom(d->cookie, sizeof(d->cookie), 0) != sizeof(d->cookie) ||
            !write_cookie(d, d->config)) {
        snprintf(
                error, size, "cannot write %s: %s", d->config, strerror(errno));
        return false;
    }
    describe_server(d, wish);
    return true;
}

static bool ready(struct ph_desktop *d, char *error, size_t size)
{
    static const char *const toolkits[] = {
            "XDG_SESSION_TYPE=x11",
            "GDK_BACKEND=x11",
            "QT_QPA_PLATFORM=xcb",
            "SDL_VIDEODRIVER=x11",
    };
    if (!d->display[0]) {
        snprintf(error, size, "Xvfb has no display ('%s')",
                d->compositor.ready_line);
        return false;
    }
    size_t i = 0;
    for (; i < PH_LEN(toolkits); i++) {
        d->env[i] = toolkits[i];
    }
    d->env[i++] = d->runtime_env;
    d->env[i++] = d->display_env;
    d->env[i++] = d->socket_env;
    d->deskd_env[0] = d->socket_env;
    describe_manager(d);
    return true;
}

const struct ph_desktop_kind ph_desktop_xvfb = {
        .name = "xvfb",
        .capture = "x11",
        .program = "Xvfb",
        .package = "xvfb",
        .terminal = terminal,
        .check = check,
        .prepare = prepare,
        .ready = ready,
};
