/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GNOME Shell, and bare Mutter, without a screen: they need a session bus of
 * their own and PipeWire, but neither systemd nor logind, a graphics card or
 * another user. GNOME Shell wants a system bus too: the session's will do.
 *
 * None of these says when it is ready: a shell looks for it before it becomes
 * the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/desktop.h"
#include "cli/desktop_sway.h"
#include "common/cleanup.h"
#include "common/macros.h"

#define SCHEMAS "/usr/share/glib-2.0/schemas"

enum {
    XKB_NAME_MAX = 64,
    OVERRIDE_MAX = 1024,
};

static const char pipewire_script[] =
        "(until [ -S \"$XDG_RUNTIME_DIR/pipewire-0\" ]; do\n"
        "    kill -0 $$ || exit; sleep .02\n"
        "done; echo '" PH_DESKTOP_READY "') & exec pipewire\n";

/* Its arguments: what to do besides, the file that says that programs may
 * start, what to start. There is no monitor until deskd makes one, of the size
 * that is wanted; then GNOME Shell begins with its overview, which would lie
 * over the program. */
static const char compositor_script[] =
        "kind=$1 begun=$2; shift 2\n"
        "send() { dbus-send --session --print-reply=literal \"$@\" 2>&1; }\n"
        "ping() { send --dest=org.gnome.Mutter.$1 /org/gnome/Mutter/$1"
        " org.freedesktop.DBus.Peer.Ping >/dev/null; }\n"
        "overview() { p=$1; shift; send --dest=org.gnome.Shell"
        " /org/gnome/Shell org.freedesktop.DBus.Properties.$p"
        " string:org.gnome.Shell string:OverviewActive \"$@\"; }\n"
        "leave() {\n"
        "    seen= end=$(($(date +%s) + 8))\n"
        "    while [ $(date +%s) -lt $end ]; do\n"
        "        case $(overview Get) in\n"
        "        *true*) seen=1; overview Set variant:boolean:false"
        " >/dev/null;;\n"
        "        *) [ -z \"$seen\" ] || break;;\n"
        "        esac\n"
        "        sleep .05\n"
        "    done\n"
        "}\n"
        "wait_until() { until \"$@\"; do kill -0 $$ || exit; sleep .05; done; "
        "}\n"
        "answers() { [ -S \"$XDG_RUNTIME_DIR/wayland-0\" ] &&"
        " ping RemoteDesktop && ping ScreenCast; }\n"
        "has_monitor() {\n"
        "    case $(send --dest=org.gnome.Mutter.DisplayConfig"
        " /org/gnome/Mutter/DisplayConfig"
        " org.gnome.Mutter.DisplayConfig.GetCurrentState) in\n"
        "    *Meta-*) ;;\n"
        "    *) false;;\n"
        "    esac\n"
        "}\n"
        "rm -f \"$begun\"\n"
        "(wait_until answers\n"
        "echo '" PH_DESKTOP_READY "'\n"
        "wait_until has_monitor\n"
        "[ $kind != gnome ] || leave\n"
        ": >\"$begun\") &\n"
        "[ $kind != gnome ] || glib-compile-schemas \"$GSETTINGS_SCHEMA_DIR\"\n"
        "exec \"$@\"\n";

static bool write_file(const char *path, const char *text)
{
    AUTOCLOSE int fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* "de,us" with a variant of the first as GNOME's setting has it. */
static void format_sources(
        const char *layout, const char *variant, char *out, size_t size)
{
    int used = 0;
    bool first = true;
    while (*layout && used >= 0 && (size_t)used < size) {
        size_t len = strcspn(layout, ",");
        used += snprintf(out + used, size - (size_t)used,
                "%s('xkb', '%.*s%s%s')", first ? "" : ", ", (int)len, layout,
                first && *variant ? "+" : "", first ? variant : "");
        layout += len + (layout[len] == ',');
        first = false;
    }
}

/* Defaults of GNOME's for a desktop that is remote: a folder of schemas that
 * it looks into first. The user's own settings are neither read nor
 * written. */
static bool write_schemas(
        const char *dir, const char *layout, const char *variant)
{
    static const char *const names[] = {
            "org.gnome.desktop.enums.xml",
            "org.gnome.desktop.input-sources.gschema.xml",
            "org.gnome.desktop.lockdown.gschema.xml",
            "org.gnome.desktop.screensaver.gschema.xml",
            "org.gnome.desktop.session.gschema.xml",
            "org.gnome.shell.gschema.xml",
    };
    char path[PH_DESKTOP_TEXT + 64];
    char from[128];
    char sources[256] = "";
    char text[OVERRIDE_MAX];
    if (mkdir(dir, 0700) != 0) {
        return false;
    }
    for (size_t i = 0; i < PH_LEN(names); i++) {
        snprintf(from, sizeof(from), SCHEMAS "/%s", names[i]);
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        if (symlink(from, path) != 0) {
            return false;
        }
    }
    format_sources(layout, variant, sources, sizeof(sources));
    snprintf(text, sizeof(text),
            "[org.gnome.desktop.input-sources]\nsources=[%s]\n"
            "[org.gnome.desktop.lockdown]\ndisable-lock-screen=true\n"
            "[org.gnome.desktop.screensaver]\nlock-enabled=false\n"
            "[org.gnome.desktop.session]\nidle-delay=uint32 0\n"
            "[org.gnome.shell]\nwelcome-dialog-last-shown-version='999'\n",
            sources);
    snprintf(path, sizeof(path), "%s/90_porthole.gschema.override", dir);
    return write_file(path, text);
}

static bool check_gnome(
        const struct ph_desktop_wish *wish, char *error, size_t size)
{
    return ph_desktop_sway.check(wish, error, size);
}

static bool check_mutter(
        const struct ph_desktop_wish *wish, char *error, size_t size)
{
    if (strcmp(wish->layout, "us") != 0) {
        snprintf(error, size,
                "--layout: bare Mutter knows us only; --desktop gnome has all");
        return false;
    }
    return true;
}

static void describe_helpers(
        struct ph_desktop *d, const struct ph_desktop_wish *wish)
{
    static const char *const pipewire[] = {"sh", "-c", pipewire_script, NULL};
    static const char *const wireplumber[] = {"wireplumber", NULL};
    static const char *const leaks[] = {
            "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XAUTHORITY", NULL};
    const char *const bus[] = {"dbus-daemon", "--session", "--nofork",
            "--print-address=1", d->bus_argument, NULL};
    memcpy(d->manager_argv, bus, sizeof(bus));
    size_t n = 0;
    d->helper_env[n++] = d->runtime_env;
    d->helper_env[n++] = d->bus_env;
    d->helper_env[n++] = "XDG_SESSION_TYPE=wayland";
    d->helpers[0] = (struct ph_service){
            .name = "dbus-daemon",
            .child = {d->manager_argv, d->helper_env, leaks, NULL},
            .ready = "unix:path=",
            .stale = strchr(d->bus_env, '/'),
    };
    d->helpers[1] = (struct ph_service){
            .name = "pipewire",
            .child = {pipewire, d->helper_env, leaks, NULL},
            .ready = PH_DESKTOP_READY,
    };
    d->helpers[2] = (struct ph_service){
            .name = "wireplumber",
            .child = {wireplumber, d->helper_env, leaks, NULL},
            .needs = &d->helpers[1],
    };
}

static void describe_compositor(struct ph_desktop *d, const char *program)
{
    const char *const argv[] = {"sh", "-c", compositor_script, "porthole",
            d->kind->name, d->begun, program, "--headless", "--wayland",
            "--no-x11"};
    _Static_assert(PH_LEN(argv) < PH_DESKTOP_ARGS, "the arguments' room");
    memcpy(d->argv, argv, sizeof(argv));
    size_t n = 0;
    d->compositor_env[n++] = d->runtime_env;
    d->compositor_env[n++] = d->bus_env;
    d->compositor_env[n++] = d->system_bus_env;
    d->compositor_env[n++] = d->schema_env;
    d->compositor_env[n++] = "XDG_SESSION_TYPE=wayland";
    d->compositor_env[n++] = "XDG_CURRENT_DESKTOP=GNOME";
    d->compositor_env[n++] = "GSETTINGS_BACKEND=memory";
    d->compositor_env[n++] = "NO_AT_BRIDGE=1";
    d->compositor = (struct ph_service){
            .name = program,
            .child = {d->argv, d->compositor_env, ph_desktop_leaks, NULL},
            .ready = PH_DESKTOP_READY,
            .stale = d->socket,
            .needs = &d->helpers[0],
    };
}

static bool prepare(struct ph_desktop *d, const struct ph_desktop_wish *wish,
        char *error, size_t size)
{
    char layout[XKB_NAME_MAX];
    char variant[XKB_NAME_MAX];
    snprintf(d->begun, sizeof(d->begun), "%s/begun", wish->dir);
    snprintf(d->runtime_env, sizeof(d->runtime_env), "XDG_RUNTIME_DIR=%s",
            wish->dir);
    snprintf(d->bus_argument, sizeof(d->bus_argument),
            "--address=unix:path=%s/bus", wish->dir);
    snprintf(d->bus_env, sizeof(d->bus_env),
            "DBUS_SESSION_BUS_ADDRESS=unix:path=%s/bus", wish->dir);
    snprintf(d->system_bus_env, sizeof(d->system_bus_env),
            "DBUS_SYSTEM_BUS_ADDRESS=unix:path=%s/bus", wish->dir);
    snprintf(d->config, sizeof(d->config), "%s/schemas", wish->dir);
    snprintf(d->schema_env, sizeof(d->schema_env),
            "GSETTINGS_SCHEMA_DIR=%s/schemas", wish->dir);
    snprintf(d->socket, sizeof(d->socket), "%s/wayland-0", wish->dir);
    snprintf(d->socket_env, sizeof(d->socket_env), "PIPEWIRE_RUNTIME_DIR=%s",
            wish->dir);
    if (!ph_sway_split_layout(wish->layout, layout, variant, XKB_NAME_MAX) ||
            !write_schemas(d->config, layout, variant)) {
        snprintf(
                error, size, "cannot write %s: %s", d->config, strerror(errno));
        return false;
    }
    describe_helpers(d, wish);
    describe_compositor(d, d->kind->program);
    return true;
}

static bool ready(struct ph_desktop *d, char *error, size_t size)
{
    size_t n = ph_desktop_wayland_env(d->env);
    d->env[n++] = "XDG_CURRENT_DESKTOP=GNOME";
    d->env[n++] = "WAYLAND_DISPLAY=wayland-0";
    d->env[n++] = d->runtime_env;
    d->env[n++] = d->bus_env;
    d->deskd_env[0] = d->bus_env;
    d->deskd_env[1] = d->socket_env;
    snprintf(d->display, sizeof(d->display), "%s", d->socket);
    return true;
}

static const struct ph_desktop_need needs[] = {
        {"dbus-daemon", "dbus"},
        {"dbus-send", "dbus"},
        {"pipewire", "pipewire"},
        {"wireplumber", "wireplumber"},
        {NULL, NULL},
};

const struct ph_desktop_kind ph_desktop_gnome = {
        .name = "gnome",
        .capture = "mutter:virtual",
        .program = "gnome-shell",
        .package = "gnome-shell",
        .needs = needs,
        .check = check_gnome,
        .prepare = prepare,
        .ready = ready,
};

const struct ph_desktop_kind ph_desktop_mutter = {
        .name = "mutter",
        .capture = "mutter:virtual",
        .program = "mutter",
        .package = "mutter",
        .needs = needs,
        .check = check_mutter,
        .prepare = prepare,
        .ready = ready,
};
