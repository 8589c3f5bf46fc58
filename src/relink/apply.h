/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Carries a planned graph out: rewrites, stages, and puts in place. */
#pragma once

#include "relink/graph.h"

struct ph_apply {
    const char *into;
    const char *bundle;
    enum ph_sign sign;
    bool dry_run; /* find out what would be done, and whether it can be */
    bool progress; /* count the files on stderr */
};

/* Says for each lib what was (or would be) written, edited and so on. False:
 * it was logged why, and nothing was changed. */
bool ph_apply_run(struct ph_graph *g, const struct ph_apply *a);
/* A signal arrived: end before the next file, with nothing changed. */
void ph_apply_interrupt(void);
