/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sway without a screen: it draws with pixman into memory, has outputs of the
 * size that is wished for, and no input device but those that porthole-deskd
 * makes.
 */
#include "cli/desktop_sway.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

enum {
    MAX_OUTPUTS = 8,
    CONFIG_MAX = 2048,
    XKB_NAME_MAX = 64,
};

static bool is_xkb_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("_-,", text[i])) {
            return false;
        }
    }
    return true;
}

bool ph_sway_split_layout(
        const char *text, char *layout, char *variant, size_t size)
{
    size_t first = strcspn(text, "(");
    const char *rest = text + first;
    size_t second = *rest ? strcspn(rest + 1, ")") : 0;
    bool closed = !*rest || !strcmp(rest + 1 + second, ")");
    if (first == 0 || first >= size || second >= size || !closed ||
            !is_xkb_name(text, first) ||
            (*rest && !is_xkb_name(rest + 1, second))) {
        return false;
    }
    snprintf(layout, size, "%.*s", (int)first, text);
    snprintf(variant, size, "%.*s", (int)second, *rest ? rest + 1 : "");
    return true;
}

/* Side by side. Returns how many characters, as snprintf does. */
static int write_outputs(
        const struct ph_desktop_wish *wish, char *out, size_t size)
{
    int used = snprintf(
            out, size, "# Written by porthole run; gone when it ends.\n");
    for (uint32_t i = 0; i < wish->outputs && (size_t)used < size; i++) {
        used += snprintf(out + used, size - (size_t)used,
                "output HEADLESS-%u mode --custom %ux%u@%dHz position %u 0\n",
                i + 1, wish->size.width, wish->size.height, PH_SWAY_REFRESH_HZ,
                i * wish->size.width);
    }
    return used;
}

bool ph_sway_config(const struct ph_desktop_wish *wish, const char *layout,
        const char *variant, char *out, size_t size)
{
    int head = write_outputs(wish, out, size);
    if ((size_t)head >= size) {
        return false;
    }
    out += head;
    size -= (size_t)head;
    /* The last line is run by a shell of sway's once all is set up. */
    int n = snprintf(out, size,
            "xwayland disable\n"
            "default_border none\n"
            "default_floating_border normal\n"
            "floating_modifier Mod1 normal\n"
            "input * xkb_layout \"%s\"\n"
            "input * xkb_variant \"%s\"\n"
            "exec echo \"" PH_SWAY_READY "$WAYLAND_DISPLAY\"\n",
            layout, variant);
    return n > 0 && (size_t)n < size;
}

static bool write_config(const char *path, const char *text)
{
    AUTOCLOSE int fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
            fchmod(fd, 0644) == 0; /* whatever the umask is: see unroot */
}

static void describe_process(
        struct ph_desktop *d, const struct ph_desktop_wish *wish)
{
    static const char *const wlroots[] = {
            "WLR_BACKENDS=headless",
            "WLR_LIBINPUT_NO_DEVICES=1",
            "WLR_RENDERER=pixman",
            "XDG_SESSION_TYPE=wayland",
    };
    size_t n = 0;
    for (; n < sizeof(wlroots) / sizeof(wlroots[0]); n++) {
        d->compositor_env[n] = wlroots[n];
    }
    d->compositor_env[n++] = d->runtime_env;
    d->compositor_env[n++] = d->socket_env;
    snprintf(d->outputs_env, sizeof(d->outputs_env), "WLR_HEADLESS_OUTPUTS=%u",
            wish->outputs);
    d->compositor_env[n++] = d->outputs_env;
    n = 0;
    d->argv[n++] = "sway";
    d->argv[n++] = "--config";
    d->argv[n++] = d->config;
    d->compositor = (struct ph_service){
            .name = "sway",
            .child = {d->argv, d->compositor_env, ph_desktop_leaks, wish->dir},
            .ready = PH_SWAY_READY,
            .stale = d->socket,
    };
}

static bool check(const struct ph_desktop_wish *wish, char *error, size_t size)
{
    char layout[XKB_NAME_MAX];
    char variant[XKB_NAME_MAX];
    if (!ph_sway_split_layout(wish->layout, layout, variant, XKB_NAME_MAX)) {
        snprintf(error, size, "--layout: '%s' is not LAYOUT or LAYOUT(VARIANT)",
                wish->layout);
        return false;
    }
    return true;
}

static bool prepare(struct ph_desktop *d, const struct ph_desktop_wish *wish,
        char *error, size_t size)
{
    char layout[XKB_NAME_MAX];
    char variant[XKB_NAME_MAX];
    char text[CONFIG_MAX];
    snprintf(d->config, sizeof(d->config), "%s/sway.conf", wish->dir);
    snprintf(d->socket, sizeof(d->socket), "%s/sway.sock", wish->dir);
    snprintf(d->socket_env, sizeof(d->socket_env), "SWAYSOCK=%s/sway.sock",
            wish->dir);
    snprintf(d->runtime_env, sizeof(d->runtime_env), "XDG_RUNTIME_DIR=%s",
            wish->dir);
    if (!ph_sway_split_layout(wish->layout, layout, variant, XKB_NAME_MAX) ||
            !ph_sway_config(wish, layout, variant, text, sizeof(text)) ||
            !write_config(d->config, text)) {
        snprintf(
                error, size, "cannot write %s: %s", d->config, strerror(errno));
        return false;
    }
    describe_process(d, wish);
    return true;
}

/* The folder is its own, so the name is the same at every start. */
static bool ready(struct ph_desktop *d, char *error, size_t size)
{
    const char *name = d->compositor.ready_line + strlen(PH_SWAY_READY);
    const char *dir = strchr(d->runtime_env, '=') + 1;
    int n = snprintf(d->display, sizeof(d->display), "%s/%s", dir, name);
    if (!*name || n < 0 || (size_t)n >= sizeof(d->display)) {
        snprintf(error, size, "sway has no display ('%s')", name);
        return false;
    }
    snprintf(
            d->display_env, sizeof(d->display_env), "WAYLAND_DISPLAY=%s", name);
    size_t i = ph_desktop_wayland_env(d->env);
    d->env[i++] = "XDG_CURRENT_DESKTOP=sway";
    d->env[i++] = d->runtime_env;
    d->env[i++] = d->display_env;
    d->env[i++] = d->socket_env;
    return true;
}

const struct ph_desktop_kind ph_desktop_sway = {
        .name = "sway",
        .capture = "wlr",
        .max_outputs = MAX_OUTPUTS,
        .program = "sway",
        .package = "sway",
        .check = check,
        .prepare = prepare,
        .ready = ready,
};
