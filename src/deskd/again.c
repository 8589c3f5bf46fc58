/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/again.h"

#include "common/clock.h"

enum {
    WAIT_MS = 50, /* shorter than a person takes to type the next key */
    LONG_WAIT_MS = 1000,
    LONG_ATTEMPT_MS = 20,
};

static void plan(struct ph_again *again, guint wait_ms);

static gboolean on_time(gpointer data)
{
    struct ph_again *again = data;
    int64_t enough = ph_deadline_ms(LONG_ATTEMPT_MS);
    again->timer = 0;
    if (!again->attempt(again->data)) {
        plan(again, ph_clock_ns() < enough ? WAIT_MS : LONG_WAIT_MS);
    }
    return G_SOURCE_REMOVE;
}

static void plan(struct ph_again *again, guint wait_ms)
{
    again->timer = g_timeout_add(wait_ms, on_time, again);
}

void ph_again_start(
        struct ph_again *again, bool (*attempt)(void *data), void *data)
{
    ph_again_stop(again);
    *again = (struct ph_again){0, attempt, data};
    plan(again, WAIT_MS);
}

void ph_again_stop(struct ph_again *again)
{
    if (again->timer) {
        g_source_remove(again->timer);
        again->timer = 0;
    }
}
