/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "screen"
#include "deskd/screen.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "link/host_spawn.h"

/* Where the source has its pictures encoded. */
static bool choose_host(struct ph_screen *screen,
        const struct ph_deskd_options *o, struct ph_link_options *link,
        char *error, size_t size)
{
    if (!o->local_host) {
        link->endpoint = o->host_endpoint;
        return true;
    }
    const char *args[] = {"--encoder", o->encoder, NULL};
    screen->host =
            ph_host_spawn_create(NULL, o->encoder ? args : NULL, error, size);
    link->connect = ph_host_spawn_connect;
    link->connect_data = screen->host;
    return screen->host != NULL;
}

static bool open_source(struct ph_screen *screen,
        const struct ph_deskd_options *o, char *error, size_t size)
{
    struct ph_source_options source = {
            .desktop = screen->desktop,
            .max_fps = o->fps,
            .link = {.name = screen->link_name,
                    .bitrate = (uint32_t)o->bitrate},
    };
    if (!choose_host(screen, o, &source.link, error, size)) {
        return false;
    }
    screen->source = ph_source_create(
            &source, &ph_hub_source_events, screen->hub, error, size);
    return screen->source != NULL;
}

static struct ph_desktop_options desktop_options(
        const struct ph_deskd_options *o, const char *output)
{
    return (struct ph_desktop_options){
            .capture = o->capture,
            .display = o->display,
            .output = output,
            .layout = o->layout,
            .width = o->size.width,
            .height = o->size.height,
            .fps = o->fps,
            .cursor = o->cursor_kind,
            .keepalive = o->keepalive_kind,
    };
}

static bool open_screen(struct ph_screen *screen,
        const struct ph_deskd_options *o, const struct ph_hub_options *hub,
        char *error, size_t size)
{
    const char *output = screen->name[0] ? screen->name : NULL;
    screen->hub = ph_hub_create(hub);
    screen->desktop_options = desktop_options(o, output);
    screen->desktop = ph_desktop_open(&screen->desktop_options, error, size);
    if (!screen->desktop || !open_source(screen, o, error, size)) {
        return false;
    }
    screen->input = screen->desktop->ops->input(screen->desktop, error, size);
    return screen->input != NULL;
}

/* A desktop without a clipboard is one all the same. */
static void open_clipboard(struct ph_screens *screens)
{
    char error[256] = "";
    struct ph_desktop *desktop = screens->list[0].desktop;
    struct ph_clipboard *clipboard = NULL;
    if (desktop->ops->clipboard) {
        clipboard = desktop->ops->clipboard(desktop, &ph_clipboard_hub_events,
                screens->clipboard, error, sizeof(error));
        if (!clipboard) {
            LOG_WARN("nothing can be copied or pasted: %s", error);
        }
    }
    ph_clipboard_hub_attach(screens->clipboard, clipboard);
}

/* Names those that are to be opened; one without a name when the user did
 * not say. False: error[size]. */
static bool choose_outputs(struct ph_screens *screens,
        const struct ph_deskd_options *o, char *error, size_t size)
{
    char names[PH_DESKTOP_MAX_OUTPUTS][PH_DESKTOP_OUTPUT_TEXT] = {""};
    struct ph_desktop_options desktop = desktop_options(o, NULL);
    char why[256] = "";
    screens->count = 1;
    if (o->all_outputs) {
        screens->count = ph_desktop_find(o->capture)
                                 ->outputs(&desktop, names, why, sizeof(why));
        snprintf(error, size, "--output all: %s: name them instead", why);
    } else if (o->output.count > 0) {
        screens->count = o->output.count;
        for (size_t i = 0; i < o->output.count; i++) {
            g_strlcpy(names[i], o->output.items[i], sizeof(names[i]));
        }
    }
    for (size_t i = 0; i < screens->count; i++) {
        g_strlcpy(screens->list[i].name, names[i], sizeof(names[i]));
    }
    return screens->count > 0;
}

bool ph_screens_open(struct ph_screens *screens,
        const struct ph_deskd_options *o, struct ph_hub_options hub,
        char *error, size_t size)
{
    if (!o->local_host && o->encoder) {
        LOG_WARN("--encoder has no effect on the host at %s", o->host);
    }
    screens->clipboard = ph_clipboard_hub_create();
    if (!choose_outputs(screens, o, error, size)) {
        return false;
    }
    hub.clipboard = screens->clipboard;
    hub.crowd = &screens->crowd;
    for (size_t i = 0; i < screens->count; i++) {
        struct ph_screen *screen = &screens->list[i];
        bool several = screens->count > 1;
        hub.output = several ? screen->name : NULL;
        snprintf(screen->link_name, sizeof(screen->link_name), "%s%s%s",
                several ? screen->name : "", several ? " of " : "", hub.name);
        if (!open_screen(screen, o, &hub, error, size)) {
            return false;
        }
    }
    open_clipboard(screens);
    for (size_t i = 0; i < screens->count; i++) {
        struct ph_screen *screen = &screens->list[i];
        ph_hub_attach(screen->hub, screen->source, screen->input);
    }
    return true;
}

void ph_screens_stop(struct ph_screens *screens, const char *text)
{
    for (size_t i = 0; i < screens->count; i++) {
        ph_hub_stop(screens->list[i].hub, text);
    }
}

void ph_screens_close_hubs(struct ph_screens *screens)
{
    for (size_t i = 0; i < screens->count; i++) {
        ph_hub_destroy(screens->list[i].hub);
        screens->list[i].hub = NULL;
    }
    ph_clipboard_hub_destroy(screens->clipboard);
    screens->clipboard = NULL;
}

void ph_screens_close(struct ph_screens *screens)
{
    for (size_t i = 0; i < screens->count; i++) {
        struct ph_screen *screen = &screens->list[i];
        ph_source_destroy(screen->source);
        ph_host_spawn_destroy(screen->host);
        if (screen->input) {
            screen->input->ops->destroy(screen->input);
        }
        ph_desktop_close(screen->desktop);
    }
    screens->count = 0;
}

struct ph_screen *ph_screens_find(struct ph_screens *screens, const char *name)
{
    for (size_t i = 0; i < screens->count; i++) {
        if (!name || strcmp(screens->list[i].name, name) == 0) {
            return &screens->list[i];
        }
    }
    return NULL;
}
