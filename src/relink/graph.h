/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a library tree, and who loads whom. scan.c fills it from the
 * disk, plan.c decides what becomes of each file. The graph owns everything
 * in it; the files stay mapped until it is finished.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "relink/macho.h"
#include "relink/paths.h"
#include "relink/rewrite.h"

enum ph_dep_state {
    PH_DEP_SYSTEM, /* macOS has it */
    PH_DEP_OUTSIDE, /* there, but not under --from: left alone */
    PH_DEP_MISSING,
    PH_DEP_LIBRARY, /* dep->lib: it is in the bundle, or goes there */
};

/* A file, mapped read-only. */
struct ph_mapping {
    uint8_t *data;
    size_t size;
};

struct ph_dep {
    char *name; /* as the load command has it */
    char *new_name; /* NULL: stays */
    bool weak; /* dyld goes on without it */
    bool needs_rpath; /* no rpath leads to it yet */
    bool searched; /* its name leads nowhere: --search found it */
    enum ph_dep_state state;
    struct ph_lib *lib;
};

struct ph_lib {
    char *path; /* real path */
    char *given; /* as it was named: operand or load command */
    bool binary; /* named on the command line */
    bool in_place; /* lies in the bundle: edited there, not copied */
    bool printed; /* for the report's tree */
    mode_t mode;
    dev_t dev;
    ino_t ino;
    struct ph_mapping mapping;
    struct ph_macho_file file;
    const char *id; /* NULL: not a dylib */
    struct ph_dep *deps; /* of all slices, each name once */
    size_t dep_count;
    struct ph_strings rpaths; /* likewise */
    struct ph_lib *loader; /* who was the first to load it; NULL: a binary */

    /* By plan.c */
    char *target; /* path in the folder; NULL: stays where it is */
    bool framework;
    struct ph_lib *same_as; /* the file that stands in for this one */
    char *new_id;
    struct ph_strings drop_rpaths;
    struct ph_strings add_rpaths;

    /* By apply.c */
    bool written; /* copied or changed (in a dry run: would be) */
    bool replaced; /* another one was there */
    bool edited; /* load commands differ from the source's */
    bool squeezed;
    bool unsigned_left;
};

struct ph_graph {
    struct ph_lib **libs;
    size_t count;
};

bool ph_mapping_open(struct ph_mapping *m, int fd, size_t size);
void ph_mapping_finish(struct ph_mapping *m);

/* Reads what the load commands say into id, deps and rpaths. */
void ph_lib_read_commands(struct ph_lib *lib);
/* The edits as rewrite.h wants them; `renames` has room for dep_count. */
struct ph_edits ph_lib_edits(
        const struct ph_lib *lib, struct ph_rename *renames);
/* Whether one of the slices is for this kind of machine. */
bool ph_lib_has_cpu(const struct ph_lib *lib, enum ph_macho_cpu cpu);
enum ph_macho_type ph_lib_type(const struct ph_lib *lib);

struct ph_lib *ph_graph_add(struct ph_graph *g);
void ph_graph_finish(struct ph_graph *g);
