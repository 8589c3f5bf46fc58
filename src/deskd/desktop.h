/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A desktop, or one output of it, as porthole-deskd reaches it: the row of
 * --capture's kind makes what there is of capture, input and clipboard, and
 * holds what these share (one D-Bus session on Mutter). Rows are in desktop.c.
 */
#pragma once

#include "deskd/capture.h"
#include "deskd/clipboard.h"
#include "deskd/input.h"

/* Who draws the pointer. */
enum ph_desktop_cursor {
    PH_DESKTOP_CURSOR_AUTO, /* the browser where the desktop allows it */
    PH_DESKTOP_CURSOR_EMBEDDED, /* the desktop, into the picture */
    PH_DESKTOP_CURSOR_CLIENT, /* the browser; else open fails */
};

/* What keeps pictures coming while nothing changes. A viewer gets a steady
 * rate without (REPEAT): this is for what does not, and to compare. */
enum ph_desktop_keepalive {
    PH_DESKTOP_KEEPALIVE_NONE,
    /* The pointer steps aside by a pixel and back, twice a second; it is
     * drawn into the picture, so that this changes it. */
    PH_DESKTOP_KEEPALIVE_POINTER,
};

#define PH_DESKTOP_MAX_OUTPUTS 16
#define PH_DESKTOP_OUTPUT_TEXT 64 /* the longest name of one, and a zero */

struct ph_desktop_options {
    /* "wlr", "x11", or with what the kind wants behind a colon. */
    const char *capture;
    const char *display; /* NULL: the environment's */
    const char *output; /* as the desktop names it; NULL: the first */
    const char *layout; /* XKB: "de", "us(intl)", "de,us"; NULL: "us" */
    uint32_t width; /* of a picture that is made for us */
    uint32_t height;
    uint32_t fps; /* at most; 0: as the desktop gives */
    enum ph_desktop_cursor cursor;
    enum ph_desktop_keepalive keepalive; /* POINTER: steps_pointer only */
};

struct ph_desktop;

/* NULL from any of these: error[size] says why and what to do. */
struct ph_desktop_ops {
    const char *name; /* --capture up to its colon */
    const char *what; /* for people */
    bool steps_pointer; /* PH_DESKTOP_KEEPALIVE_POINTER */
    /* The names of the outputs that there are now, at most
     * PH_DESKTOP_MAX_OUTPUTS; 0 on failure. NULL: it cannot show several at
     * the same time, each opened as a desktop. Main thread. */
    size_t (*outputs)(const struct ph_desktop_options *options,
            char (*names)[PH_DESKTOP_OUTPUT_TEXT], char *error, size_t size);
    /* Main thread. The options outlive the desktop. */
    struct ph_desktop *(*open)(
            const struct ph_desktop_options *options, char *error, size_t size);
    /* First on the main thread, then, when it was lost, again and again on
     * the source's thread: for as long as the desktop is away it fails. The
     * one before is destroyed by then. */
    struct ph_capture *(*capture)(struct ph_desktop *desktop,
            const struct ph_capture_events *events, void *data, char *error,
            size_t size);
    /* Main thread, once. */
    struct ph_input *(*input)(
            struct ph_desktop *desktop, char *error, size_t size);
    /* Main thread, once; a member that is NULL: it has none. No event comes
     * before it returned. */
    struct ph_clipboard *(*clipboard)(struct ph_desktop *desktop,
            const struct ph_clipboard_events *events, void *data, char *error,
            size_t size);
    /* After what it made. */
    void (*close)(struct ph_desktop *desktop);
};

/* First member of every implementation. */
struct ph_desktop {
    const struct ph_desktop_ops *ops;
};

/* The row for a --capture, NULL when there is none. */
const struct ph_desktop_ops *ph_desktop_find(const char *capture);
/* The names of all: "wlr, x11, test". */
void ph_desktop_names(char *out, size_t size);
struct ph_desktop *ph_desktop_open(
        const struct ph_desktop_options *options, char *error, size_t size);
void ph_desktop_close(struct ph_desktop *desktop);

extern const struct ph_desktop_ops ph_desktop_gst;
extern const struct ph_desktop_ops ph_desktop_mutter;
extern const struct ph_desktop_ops ph_desktop_test;
extern const struct ph_desktop_ops ph_desktop_wlr;
extern const struct ph_desktop_ops ph_desktop_x11;
