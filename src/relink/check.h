/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Verifies what is in a folder or bundle: that every dependency resolves
 * inside it as dyld would, that no path of the build machine is left, and that
 * every signature matches page by page. Reads only.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "relink/graph.h"

struct ph_finding {
    char *path; /* of the file */
    char *text;
    bool note; /* worth knowing, but it works so */
};

struct ph_check {
    char *dir; /* real path */
    char *bundle; /* around dir or dir itself; NULL: none */
    struct ph_graph graph;
    struct ph_finding *findings;
    size_t count;
    unsigned problems;
    uint64_t pages; /* of signatures that were compared */
    unsigned signatures;
};

/* False: the folder cannot be read (logged). */
bool ph_check_run(struct ph_check *c, const char *dir);
void ph_check_text(FILE *out, const struct ph_check *c);
bool ph_check_json(FILE *out, const struct ph_check *c);
void ph_check_finish(struct ph_check *c);

/* For check_*.c: adds a finding; takes over text. */
void ph_check_add(
        struct ph_check *c, const struct ph_lib *lib, bool note, char *text);
void ph_check_signatures(struct ph_check *c, const struct ph_lib *lib);
void ph_check_seal(struct ph_check *c);
