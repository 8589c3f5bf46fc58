/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/desktop.h"

#include <assert.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/wayland.h"

static const struct ph_desktop_ops *const table[] = {
        &ph_desktop_wlr,
#ifdef PH_HAVE_MUTTER
        &ph_desktop_mutter,
#endif
#ifdef PH_DESKD_X11
        &ph_desktop_x11,
#endif
#ifdef PH_DESKD_GST
        &ph_desktop_gst,
#endif
        &ph_desktop_test,
};

const struct ph_desktop_ops *ph_desktop_find(const char *capture)
{
    size_t len = strcspn(capture, ":");
    for (size_t i = 0; i < PH_LEN(table); i++) {
        if (strlen(table[i]->name) == len &&
                strncmp(capture, table[i]->name, len) == 0) {
            return table[i];
        }
    }
    return NULL;
}

void ph_desktop_names(char *out, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < PH_LEN(table) && (size_t)used < size; i++) {
        used += snprintf(out + used, size - (size_t)used, "%s%s", i ? ", " : "",
                table[i]->name);
    }
}

struct ph_desktop *ph_desktop_open(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    const struct ph_desktop_ops *ops = ph_desktop_find(options->capture);
    if (!ops) {
        snprintf(error, size, "there is no capture %s", options->capture);
        return NULL;
    }
    return ops->open(options, error, size);
}

void ph_desktop_close(struct ph_desktop *desktop)
{
    if (desktop) {
        desktop->ops->close(desktop);
    }
}

/* --- the two that share nothing between capture and input --- */

struct plain {
    struct ph_desktop base;
    const struct ph_desktop_options *options;
};

static struct ph_desktop *open_plain(const struct ph_desktop_ops *ops,
        const struct ph_desktop_options *options)
{
    struct plain *p = g_new0(struct plain, 1);
    p->base.ops = ops;
    p->options = options;
    return &p->base;
}

static void close_plain(struct ph_desktop *desktop)
{
    g_free(desktop);
}

/* From left to right, then down; those that are gone or have no name last. */
static int compare_places(const void *left, const void *right)
{
    const struct ph_wayland_output *a = left;
    const struct ph_wayland_output *b = right;
    if (!a->name[0] != !b->name[0]) {
        return a->name[0] ? -1 : 1;
    }
    return a->x != b->x ? (a->x > b->x) - (a->x < b->x)
                        : (a->y > b->y) - (a->y < b->y);
}

static size_t outputs_wlr(const struct ph_desktop_options *options,
        char (*names)[PH_DESKTOP_OUTPUT_TEXT], char *error, size_t size)
{
    struct ph_wayland w;
    struct ph_wayland_output list[PH_WAYLAND_MAX_OUTPUTS];
    int64_t deadline = ph_deadline_ms(PH_WAYLAND_PATIENCE_MS);
    size_t count = 0;
    if (!ph_wayland_connect(&w, options->display, deadline, error, size)) {
        return 0;
    }
    ph_wayland_roundtrip(&w, deadline); /* brings where they are */
    memcpy(list, w.outputs, sizeof(list));
    qsort(list, PH_LEN(list), sizeof(list[0]), compare_places);
    static_assert(PH_LEN(list) <= PH_DESKTOP_MAX_OUTPUTS, "has room");
    for (; count < PH_LEN(list) && list[count].name[0]; count++) {
        g_strlcpy(names[count], list[count].name, sizeof(names[0]));
    }
    ph_wayland_finish(&w);
    if (count == 0) {
        snprintf(error, size,
                "the Wayland compositor has no outputs, or is too old to name "
                "them");
    }
    return count;
}

static struct ph_desktop *open_wlr(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    if (options->cursor == PH_DESKTOP_CURSOR_CLIENT) {
        snprintf(error, size,
                "wlroots compositors draw the pointer into the picture: use "
                "--cursor embedded, or auto");
        return NULL;
    }
    return open_plain(&ph_desktop_wlr, options);
}

static struct ph_capture *capture_wlr(struct ph_desktop *desktop,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    const struct ph_desktop_options *o = ((struct plain *)desktop)->options;
    const char *colon = strchr(o->capture, ':');
    return ph_capture_wlr_create(o->display, o->output,
            colon ? colon + 1 : NULL, events, data, error, size);
}

static struct ph_input *input_wlr(
        struct ph_desktop *desktop, char *error, size_t size)
{
    const struct ph_desktop_options *o = ((struct plain *)desktop)->options;
    return ph_input_wlr_create(o->display, o->output, o->layout, error, size);
}

static struct ph_clipboard *clipboard_wlr(struct ph_desktop *desktop,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    const struct ph_desktop_options *o = ((struct plain *)desktop)->options;
    return ph_clipboard_wlr_create(o->display, events, data, error, size);
}

const struct ph_desktop_ops ph_desktop_wlr = {
        .name = "wlr",
        .what = "a wlroots compositor, such as sway",
        .outputs = outputs_wlr,
        .open = open_wlr,
        .capture = capture_wlr,
        .input = input_wlr,
        .clipboard = clipboard_wlr,
        .close = close_plain,
};

/* As many as are named. */
static size_t outputs_test(const struct ph_desktop_options *options,
        char (*names)[PH_DESKTOP_OUTPUT_TEXT], char *error, size_t size)
{
    snprintf(error, size, "test pictures have no names of their own");
    return 0;
}

static struct ph_desktop *open_test(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    return open_plain(&ph_desktop_test, options);
}

static struct ph_capture *capture_test(struct ph_desktop *desktop,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    enum {
        TEST_FPS = 60
    };
    const struct ph_desktop_options *o = ((struct plain *)desktop)->options;
    return ph_capture_test_create(
            o->width, o->height, o->fps ? o->fps : TEST_FPS, events, data);
}

static struct ph_input *input_test(
        struct ph_desktop *desktop, char *error, size_t size)
{
    return ph_input_none_create();
}

const struct ph_desktop_ops ph_desktop_test = {
        .name = "test",
        .what = "a moving test picture",
        .outputs = outputs_test,
        .open = open_test,
        .capture = capture_test,
        .input = input_test,
        .close = close_plain,
};
