/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The outputs of the desktop that are shown, each a stream of its own: a
 * capture, a source with its connection to a host, an input that points at this
 * output, a hub of viewers. Tokens, the clipboard and the number of viewers are
 * the whole desktop's. Main thread only.
 */
#pragma once

#include "deskd/hub.h"
#include "deskd/options.h"

struct ph_screen {
    char name[PH_DESKTOP_OUTPUT_TEXT]; /* of the output; "": the only one */
    char link_name[320]; /* what the host calls it */
    struct ph_desktop_options desktop_options;
    struct ph_desktop *desktop;
    struct ph_host_spawn *host; /* NULL: it is somebody else's */
    struct ph_source *source;
    struct ph_input *input;
    struct ph_hub *hub;
};

struct ph_screens {
    struct ph_screen list[PH_DESKTOP_MAX_OUTPUTS];
    size_t count; /* at least 1, once opened */
    struct ph_clipboard_hub *clipboard;
    uint32_t crowd; /* viewers of all */
};

/* Opens every output that the options name. hub: what their hubs have in
 * common. Options and what they point to outlive the screens, which stay where
 * they are. False: error[size] says why and what to do; close. */
bool ph_screens_open(struct ph_screens *screens,
        const struct ph_deskd_options *options, struct ph_hub_options hub,
        char *error, size_t size);
/* GOODBYE to everybody. */
void ph_screens_stop(struct ph_screens *screens, const char *text);
/* Viewers first: they release keys into the inputs and stop the sources. In
 * two steps, for sockets are closed in between. Zeroed ones have nothing. */
void ph_screens_close_hubs(struct ph_screens *screens);
void ph_screens_close(struct ph_screens *screens);

/* The one of that name, the first for NULL; NULL: there is none. */
struct ph_screen *ph_screens_find(struct ph_screens *screens, const char *name);
