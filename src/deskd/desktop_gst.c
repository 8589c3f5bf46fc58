/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/desktop_gst.h"

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

struct gst {
    struct ph_desktop base;
    const char *source;
};

static struct ph_desktop *open_gst(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    g_autoptr(GError) why = NULL;
    const char *colon = strchr(options->capture, ':');
    if (!colon || !colon[strspn(colon, ": ")]) {
        snprintf(error, size,
                "--capture gst: a GStreamer source is missing behind it, as in "
                "'gst:pipewiresrc path=42'");
        return NULL;
    }
    if (!gst_init_check(NULL, NULL, &why)) {
        snprintf(error, size, "GStreamer does not start: %s", why->message);
        return NULL;
    }
    struct gst *d = g_new0(struct gst, 1);
    d->base.ops = &ph_desktop_gst;
    d->source = colon + 1;
    return &d->base;
}

static struct ph_capture *capture(struct ph_desktop *desktop,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    const struct gst *d = (const struct gst *)desktop;
    return ph_capture_gst_create(d->source, events, data, error, size);
}

static struct ph_input *input(
        struct ph_desktop *desktop, char *error, size_t size)
{
    return ph_input_none_create();
}

static void close_gst(struct ph_desktop *desktop)
{
    g_free(desktop);
}

const struct ph_desktop_ops ph_desktop_gst = {
        .name = "gst",
        .what = "a GStreamer source, to look at",
        .open = open_gst,
        .capture = capture,
        .input = input,
        .close = close_gst,
};
