/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Mach-O file, thin or fat: parsed, walked, its signatures verified. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relink/codesign.h"
#include "relink/macho.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void walk(const struct ph_macho *m)
{
    struct ph_macho_command c = {0};
    uint32_t count = 0;
    while (ph_macho_next(m, &c)) {
        count++;
        if (ph_macho_has_name(c.cmd)) {
            must(strlen(ph_macho_name(&c)) < c.size);
        }
    }
    must(count == m->command_count);
    must(m->commands_end <= m->room_end && m->room_end <= m->size);
    must(m->signature.offset + m->signature.size <= m->size);
}

static void verify(const struct ph_macho *m)
{
    struct ph_codesign sign;
    struct ph_codesign_verdict verdict;
    ph_codesign_read(m, &sign);
    ph_codesign_verify(m, &verdict);
    must(sign.state != PH_CODESIGN_OK || strlen(sign.identifier) < m->size);
    must(sign.state != PH_CODESIGN_NONE || verdict.problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_macho_file f;
    if (ph_macho_parse_file(data, size, &f) != PH_MACHO_OK) {
        return 0;
    }
    must(f.count > 0 && f.count <= PH_MACHO_SLICES_MAX);
    for (unsigned i = 0; i < f.count; i++) {
        walk(&f.slices[i].image);
        verify(&f.slices[i].image);
    }
    return 0;
}
