/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tries something again until it succeeds: soon, or every second when an
 * attempt takes so long that it keeps the main loop from its work.
 * Main thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct ph_again {
    guint timer;
    bool (*attempt)(void *data);
    void *data;
};

/* attempt: true when it succeeded, and is not wanted again. */
void ph_again_start(
        struct ph_again *again, bool (*attempt)(void *data), void *data);
/* No more; it may have been stopped, or never have been started. */
void ph_again_stop(struct ph_again *again);
