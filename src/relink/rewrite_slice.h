/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One image, rewritten: first planned (sizes and places, all that can fail for
 * what the file is like), then built. For rewrite.c only.
 */
#pragma once

#include "relink/codesign.h"
#include "relink/commands.h"
#include "relink/rewrite.h"

struct ph_slice_plan {
    const struct ph_macho *m;
    const struct ph_edits *e;
    bool changed;
    bool squeezed;
    bool unsigned_left;
    enum ph_commands_signature signature;
    bool moves_end; /* __LINKEDIT and the signature are made anew */
    uint64_t body_end; /* of the old bytes that stay */
    struct ph_codesign_request request; /* page_shift 0: not signed */
    size_t signature_size;
    uint64_t linkedit_size;
    uint64_t linkedit_vmsize;
};

/* *missing is for PH_REWRITE_NO_ROOM. */
enum ph_rewrite_result ph_slice_plan(struct ph_slice_plan *p,
        const struct ph_macho *m, const struct ph_edits *e, enum ph_sign sign,
        const char *identifier, uint32_t *missing);

struct ph_slice_output {
    struct ph_bytes parts[4]; /* head, body, padding, signature */
    size_t count;
    uint8_t *head; /* the caller's to free */
    uint8_t *tail;
};

enum ph_rewrite_result ph_slice_build(
        const struct ph_slice_plan *p, struct ph_slice_output *out);
