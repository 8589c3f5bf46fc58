/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the file that a load command means, as dyld does: an absolute name is
 * a path; @executable_path is the folder of the program, @loader_path that of
 * the file with the command, and @rpath each rpath of that file, then of who
 * loaded it, up to the program. Then what the caller adds: folders that stand
 * in for rpaths, and folders to search by file name.
 */
#pragma once

#include "relink/graph.h"

struct ph_resolver {
    /* Rpaths of its binaries come last; a library that no program loads is
     * taken to be loaded by the first program in it. */
    const struct ph_graph *graph;
    const struct ph_strings *rpath_dirs; /* tried for @rpath */
    const struct ph_strings *search_dirs; /* tried for any name */
};

enum ph_resolved_by {
    PH_RESOLVED_BY_DYLD,
    PH_RESOLVED_BY_RPATH_DIR,
    PH_RESOLVED_BY_SEARCH,
};

enum ph_resolved {
    PH_RESOLVED_FILE,
    PH_RESOLVED_SYSTEM, /* macOS has it, in its shared cache or on disk */
    PH_RESOLVED_NONE,
};

/* On PH_RESOLVED_FILE *path is the path that was found (not yet real), the
 * caller's to free, and *searched says whether search_dirs gave it. */
enum ph_resolved ph_resolve(const struct ph_resolver *r,
        const struct ph_lib *loader, const char *name, char **path,
        enum ph_resolved_by *by);

/* An rpath or a name that starts with @loader_path or @executable_path, as a
 * clean path; an absolute one as it is; NULL for anything else. `dir` is the
 * folder of the file, `program_dir` that of the program. */
char *ph_resolve_expand(
        const char *text, const char *dir, const char *program_dir);
