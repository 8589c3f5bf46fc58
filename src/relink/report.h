/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was (or would be) done, for people and as JSON. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "relink/graph.h"

struct ph_report {
    const char *into;
    bool dry_run;
    bool ok; /* it was done, or could be */
    bool seal_stale; /* the bundle's outer seal no longer fits */
    const char *bundle;
};

enum ph_report_action {
    PH_REPORT_COPIED,
    PH_REPORT_EDITED, /* in place */
    PH_REPORT_UNCHANGED,
    PH_REPORT_SAME, /* another file stands in for it */
};

enum ph_report_action ph_report_action(const struct ph_lib *lib);
const char *ph_report_dep_state(const struct ph_dep *dep);

void ph_report_text(FILE *out, struct ph_graph *g, const struct ph_report *r);
/* False: stdout could not be written. */
bool ph_report_json(
        FILE *out, const struct ph_graph *g, const struct ph_report *r);
