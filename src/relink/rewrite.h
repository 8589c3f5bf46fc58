/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Applies edits to a Mach-O file in memory. The input is never changed: the
 * result is a list of chunks, most of which point into the input, so that a
 * large file costs its header and its signature. Pure but for hashing threads
 * (codesign.h).
 *
 * Nothing behind the load commands moves: they grow only into the zeros
 * between them and the first content. Where these do not suffice, commands
 * that only inform (LC_SOURCE_VERSION, the tools of LC_BUILD_VERSION) are
 * dropped, and if that is not enough the file is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relink/digest.h"
#include "relink/macho.h"

struct ph_rename {
    const char *from;
    const char *to;
};

/* What to change. NULL and 0: nothing of that kind. */
struct ph_edits {
    const char *id; /* new LC_ID_DYLIB; must be NULL where there is none */
    const struct ph_rename *renames; /* dependencies */
    size_t rename_count;
    const char *const *drop_rpaths;
    size_t drop_count;
    const char *const *add_rpaths; /* skipped where already there */
    size_t add_count;
};

enum ph_sign {
    PH_SIGN_ADHOC, /* sign anew what changed, and unsigned arm64 code */
    PH_SIGN_NONE, /* take the signature out of what changed */
    PH_SIGN_KEEP, /* leave it as it is, stale */
};

enum ph_rewrite_result {
    PH_REWRITE_OK,
    PH_REWRITE_NO_ROOM, /* failure.missing bytes */
    PH_REWRITE_ENCRYPTED,
    PH_REWRITE_NO_LINKEDIT, /* nowhere to put a signature */
    PH_REWRITE_LINKEDIT_NOT_LAST,
    PH_REWRITE_TRAILING, /* bytes behind the image */
    PH_REWRITE_BAD_SIGNATURE,
    PH_REWRITE_TOO_LARGE,
    PH_REWRITE_NO_MEMORY,
};

struct ph_rewrite_failure {
    const struct ph_macho *slice; /* the one it was, or NULL */
    uint32_t missing;
};

#define PH_OUTPUT_CHUNKS_MAX (PH_MACHO_SLICES_MAX * 5 + 2)

struct ph_output {
    struct ph_bytes chunks[PH_OUTPUT_CHUNKS_MAX]; /* data NULL: zeros */
    size_t count;
    void *owned[PH_MACHO_SLICES_MAX * 2 + 1];
    size_t owned_count;
    uint64_t size;
    bool changed; /* false: the chunks are the input as it is */
    bool squeezed; /* commands that only inform were dropped for room */
    bool unsigned_left; /* an unsigned slice had no room for more */
};

const char *ph_rewrite_result_text(enum ph_rewrite_result r);

/* Whether the edits fit; the same answer as ph_rewrite_file, without the work
 * of signing. */
enum ph_rewrite_result ph_rewrite_check(const struct ph_macho_file *f,
        const struct ph_edits *e, enum ph_sign sign,
        struct ph_rewrite_failure *failure);

/* The file with the edits. `identifier` is for signatures of slices that had
 * none. out is to be finished in any case, before the input goes away. */
enum ph_rewrite_result ph_rewrite_file(const struct ph_macho_file *f,
        const struct ph_edits *e, enum ph_sign sign, const char *identifier,
        struct ph_output *out, struct ph_rewrite_failure *failure);
void ph_output_finish(struct ph_output *out);
