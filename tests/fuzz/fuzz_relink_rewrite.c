/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Edits, chosen by the first byte, on the Mach-O file behind it: what comes
 * out must parse, carry valid signatures, and not change a second time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relink/codesign.h"
#include "relink/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    RENAMES_MAX = 64,
    NAME_SIZE = 80,
};

struct edits {
    struct ph_edits edits;
    struct ph_rename renames[RENAMES_MAX];
    char name[NAME_SIZE];
    const char *drop[1];
    const char *add[1];
    enum ph_sign sign;
};

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void collect(struct edits *e, const struct ph_macho *m)
{
    struct ph_macho_command c = {0};
    while (ph_macho_next(m, &c)) {
        if (ph_macho_is_load(c.cmd) && e->edits.rename_count < RENAMES_MAX) {
            e->renames[e->edits.rename_count++] =
                    (struct ph_rename){ph_macho_name(&c), e->name};
        } else if (c.cmd == PH_LC_RPATH && !e->edits.drop_count) {
            e->drop[e->edits.drop_count++] = ph_macho_name(&c);
        }
    }
}

/* Bits: 0-1 signing, 2 rename, 3 rpaths, 4 id, 5-7 length of names. */
static void choose(
        struct edits *e, const struct ph_macho_file *f, uint8_t choice)
{
    int len = 1 + (choice >> 5) * 8;
    *e = (struct edits){.sign = (enum ph_sign)((choice & 3) % 3)};
    snprintf(e->name, sizeof(e->name), "@rpath/%.*s", len,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    e->add[0] = "@executable_path/../F";
    e->edits.renames = e->renames;
    e->edits.drop_rpaths = e->drop;
    e->edits.add_rpaths = e->add;
    for (unsigned i = 0; i < f->count; i++) {
        collect(e, &f->slices[i].image);
    }
    if (choice & 4) {
        e->edits.rename_count = 0;
    }
    if (choice & 8) {
        e->edits.drop_count = 0;
    } else {
        e->edits.add_count = 1;
    }
    if (e->edits.drop_count && strcmp(e->drop[0], e->add[0]) == 0) {
        e->edits.drop_count = 0; /* it would come and go for ever */
    }
    if (!(choice & 16) && ph_macho_id(&f->slices[0].image)) {
        e->edits.id = e->name;
    }
}

static uint8_t *flatten(const struct ph_output *out)
{
    uint8_t *flat = malloc(out->size ? out->size : 1);
    size_t at = 0;
    must(flat != NULL);
    for (size_t i = 0; i < out->count; i++) {
        const struct ph_bytes *c = &out->chunks[i];
        if (c->data) {
            memcpy(flat + at, c->data, c->len);
        } else {
            memset(flat + at, 0, c->len);
        }
        at += c->len;
    }
    must(at == out->size);
    return flat;
}

static void check_result(
        const struct edits *e, const uint8_t *flat, uint64_t size)
{
    struct ph_macho_file f;
    struct ph_output again;
    struct ph_rewrite_failure failure;
    must(ph_macho_parse_file(flat, (size_t)size, &f) == PH_MACHO_OK);
    for (unsigned i = 0; i < f.count && e->sign == PH_SIGN_ADHOC; i++) {
        struct ph_codesign sign;
        struct ph_codesign_verdict v;
        ph_codesign_read(&f.slices[i].image, &sign);
        if (sign.state == PH_CODESIGN_OK && (sign.flags & PH_CS_ADHOC)) {
            ph_codesign_verify(&f.slices[i].image, &v);
            must(!v.problem || f.fat); /* a slice may be as it was, stale */
        }
    }
    must(ph_rewrite_file(&f, &e->edits, e->sign, "id", &again, &failure) ==
            PH_REWRITE_OK);
    must(!again.changed);
    ph_output_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_macho_file f;
    struct edits e;
    struct ph_output out;
    struct ph_rewrite_failure failure;
    if (size < 1 ||
            ph_macho_parse_file(data + 1, size - 1, &f) != PH_MACHO_OK) {
        return 0;
    }
    choose(&e, &f, data[0]);
    enum ph_rewrite_result r =
            ph_rewrite_file(&f, &e.edits, e.sign, "id", &out, &failure);
    if (r == PH_REWRITE_OK && out.changed) {
        uint8_t *flat = flatten(&out);
        check_result(&e, flat, out.size);
        free(flat);
    }
    ph_output_finish(&out);
    struct ph_rewrite_failure same;
    if (r != PH_REWRITE_NO_MEMORY && r != PH_REWRITE_TOO_LARGE) {
        must(ph_rewrite_check(&f, &e.edits, e.sign, &same) == r);
    }
    return 0;
}
