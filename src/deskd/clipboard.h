/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A desktop's clipboard. Main thread only; nothing waits: what takes time
 * ends in a call back from the main loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_clipboard;

struct ph_clipboard_events {
    /* Something else can be pasted now; what we offered ourselves is not
     * told. types: MIME types, valid during the event; none: it is empty. */
    void (*changed)(void *data, const char *const *types, size_t count);
};

/* data is NULL when it could not be read or is larger than was allowed, with
 * a reason for people; valid during the call. */
typedef void ph_clipboard_read_done(void *user, const char *type,
        const uint8_t *data, size_t size, const char *reason);

struct ph_clipboard_ops {
    const char *name;
    /* Ends in one done, always; also when the clipboard is destroyed. */
    void (*read)(struct ph_clipboard *clipboard, const char *type, size_t most,
            ph_clipboard_read_done *done, void *user);
    /* What a viewer copied: takes over the desktop's clipboard. A copy is
     * kept. text/plain;charset=utf-8 is offered by its older names too. */
    void (*offer)(struct ph_clipboard *clipboard, const char *type,
            const uint8_t *data, size_t size);
    void (*destroy)(struct ph_clipboard *clipboard);
};

/* First member of every implementation. */
struct ph_clipboard {
    const struct ph_clipboard_ops *ops;
    const struct ph_clipboard_events *events;
    void *data;
};

/* NULL: error[size] says why. */
struct ph_clipboard *ph_clipboard_wlr_create(const char *display,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size);
