/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/desktop_x11.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

struct x11 {
    struct ph_desktop base;
    const struct ph_desktop_options *options;
    const char *display;
};

static struct x11 *from_base(struct ph_desktop *desktop)
{
    return (struct x11 *)desktop;
}

/* "x11:DISPLAY", --display, $DISPLAY. What --display has from the environment
 * may be a Wayland socket's name: that has no colon. */
static const char *display_of(const struct ph_desktop_options *o)
{
    const char *colon = strchr(o->capture, ':');
    if (colon && colon[1]) {
        return colon + 1;
    }
    return o->display && strchr(o->display, ':') ? o->display : NULL;
}

static struct ph_desktop *open_x11(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    if (options->output) {
        snprintf(error, size,
                "--output: an X screen is shown as a whole: leave it out");
        return NULL;
    }
    struct x11 *d = g_new0(struct x11, 1);
    d->base.ops = &ph_desktop_x11;
    d->options = options;
    d->display = display_of(options);
    return &d->base;
}

static struct ph_capture *capture(struct ph_desktop *desktop,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    const struct x11 *d = from_base(desktop);
    return ph_capture_x11_create(d->display, d->options->fps,
            d->options->cursor == PH_DESKTOP_CURSOR_EMBEDDED, events, data,
            error, size);
}

static struct ph_input *input(
        struct ph_desktop *desktop, char *error, size_t size)
{
    const struct x11 *d = from_base(desktop);
    return ph_input_x11_create(d->display, d->options->layout, error, size);
}

static struct ph_clipboard *clipboard(struct ph_desktop *desktop,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    const struct x11 *d = from_base(desktop);
    return ph_clipboard_x11_create(d->display, events, data, error, size);
}

static void close_x11(struct ph_desktop *desktop)
{
    g_free(desktop);
}

const struct ph_desktop_ops ph_desktop_x11 = {
        .name = "x11",
        .what = "an X server, such as Xvfb",
        .open = open_x11,
        .capture = capture,
        .input = input,
        .clipboard = clipboard,
        .close = close_x11,
};
