/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All or nothing for a set of files: new ones are written into a folder
 * beside the target, then each takes its place by a rename; when one cannot,
 * those before it are put back. Nothing is visible in the target before
 * ph_stage_commit, and nothing is left beside it afterwards.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "relink/paths.h"

struct ph_stage_entry {
    char *staged;
    char *final;
    char *saved; /* what was there before; NULL: nothing */
    bool in_place; /* renamed: to be put back on failure */
};

struct ph_stage {
    const char *parent;
    char *dir; /* NULL: nothing was added yet */
    struct ph_stage_entry *entries;
    size_t count;
    struct ph_strings made_dirs; /* by commit, outermost first */
};

/* The staging folder will be made in `parent`, with the first entry. */
void ph_stage_init(struct ph_stage *s, const char *parent);
/* The path to write the file (or symlink) to that shall become `final`, which
 * is absolute; valid until discard. NULL: there is no folder to write into.
 * Failures are logged, here and below. */
const char *ph_stage_add(struct ph_stage *s, const char *final);
/* Puts everything in place, or leaves everything as it was. */
bool ph_stage_commit(struct ph_stage *s);
/* Removes the staging folder and frees the struct; also after commit. */
void ph_stage_discard(struct ph_stage *s);
