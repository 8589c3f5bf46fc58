/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The load commands of one image, rewritten. For rewrite.c only. */
#pragma once

#include "relink/rewrite.h"

enum ph_commands_signature {
    PH_COMMANDS_SIGNATURE_AS_IS,
    PH_COMMANDS_SIGNATURE_DROP,
    PH_COMMANDS_SIGNATURE_ADD, /* where there was none */
};

struct ph_commands {
    uint8_t *head; /* header and commands, zeros up to the old end; owned */
    uint32_t head_len;
    uint32_t linkedit_at; /* offset of that segment command; 0: none */
    uint32_t signature_at; /* of LC_CODE_SIGNATURE; 0: none */
};

/* Whether the edits change anything in this image. */
bool ph_commands_changed(const struct ph_macho *m, const struct ph_edits *e);

/* Bytes that header and commands take with the edits, and whether commands
 * had to be dropped to make them fit into m->room_end. */
uint64_t ph_commands_measure(const struct ph_macho *m, const struct ph_edits *e,
        enum ph_commands_signature sig, bool *squeezed);

/* Writes them; false: no memory. ph_commands_measure said that they fit. */
bool ph_commands_build(const struct ph_macho *m, const struct ph_edits *e,
        enum ph_commands_signature sig, bool squeezed, struct ph_commands *out);
