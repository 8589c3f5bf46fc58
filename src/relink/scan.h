/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks the libraries that given binaries load, into a graph. Logs what is
 * wrong; reads files, changes none. */
#pragma once

#include "relink/graph.h"

struct ph_scan {
    const char *into; /* real path of the folder; it need not exist yet */
    const char *bundle; /* files in here are edited in place */
    struct ph_strings from; /* prefixes; none: all but the system's */
    struct ph_strings search;
    bool allow_missing;
};

enum {
    PH_SCAN_FILES_MAX = 10000,
};

/* False when a binary cannot be used or a needed library is missing; the graph
 * then holds what was found. */
bool ph_scan_run(struct ph_graph *g, const struct ph_scan *scan,
        char *const *binaries, size_t count);

/* Maps and parses the file into a new lib of the graph. NULL: *why says what
 * it is (or, when it could not be read at all, PH_MACHO_OK: that is logged). */
struct ph_lib *ph_scan_load(struct ph_graph *g, const char *path,
        const char *given, enum ph_macho_result *why);
