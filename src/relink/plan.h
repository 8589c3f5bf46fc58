/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decides what becomes of each file of a graph: its place in the folder, its
 * id, the names of its dependencies, its rpaths. Pure: a graph in, the same
 * graph with targets and edits out; no I/O (the files are in memory).
 */
#pragma once

#include "relink/graph.h"

enum ph_layout {
    PH_LAYOUT_DYLIB, /* libFOO.dylib */
    PH_LAYOUT_FRAMEWORK, /* FOO.framework/Versions/A/FOO */
};

struct ph_plan {
    const char *into; /* real path of the folder */
    enum ph_layout layout;
    /* How files name each other: "@rpath", "@loader_path", or something under
     * "@executable_path" that is the folder. */
    const char *prefix;
};

/* Two files for one place. */
struct ph_plan_clash {
    const struct ph_lib *a;
    const struct ph_lib *b;
};

/* False when different libraries would have the same name in the folder, or a
 * file has no usable name (clash->b is NULL then). */
bool ph_plan_run(const struct ph_plan *plan, struct ph_graph *g,
        struct ph_plan_clash *clash);

/* Whether `prefix` is one of the forms above. */
bool ph_plan_prefix_valid(const char *prefix);
/* Where the file will be: the caller's to free. */
char *ph_plan_final_path(const char *into, const struct ph_lib *lib);
/* "glib-2.0.0" of "libglib-2.0.0.dylib". */
char *ph_plan_framework_name(const char *leaf);
