/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The outer seal of a bundle: _CodeSignature/CodeResources lists the digests of
 * all files in it. It can be made only with the signer's key on a Mac; here it
 * is compared, so that somebody hears that it has to be made again.
 */
#pragma once

#include <stdbool.h>

#include "relink/graph.h"

/* The .app, .framework, .xpc or .appex that path lies in, outermost; NULL:
 * none. The caller's to free. Text only. */
char *ph_seal_bundle_of(const char *path);

enum ph_seal_state {
    PH_SEAL_NONE,
    PH_SEAL_FITS,
    PH_SEAL_STALE,
};

/* Compares the seal of a bundle with the files on disk; `files` are paths of
 * libraries, of which those in the bundle must be sealed. On STALE *what says
 * which file, the caller's to free. */
enum ph_seal_state ph_seal_check(
        const char *bundle, const struct ph_strings *files, char **what);
/* The paths that the libraries of a graph have, or will have in `into`. */
struct ph_strings ph_seal_files(const struct ph_graph *g, const char *into);
