/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/rewrite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/macros.h"
#include "relink/be.h"
#include "relink/rewrite_slice.h"

enum {
    FAT_HEADER_SIZE = 8,
    FAT_ARCH_SIZE = 20,
    FAT_ARCH_64_SIZE = 32,
};

const char *ph_rewrite_result_text(enum ph_rewrite_result r)
{
    switch (r) {
    case PH_REWRITE_OK:
        return "fine";
    case PH_REWRITE_NO_ROOM:
        return "its header has no room for the longer paths; link it again "
               "with -Wl,-headerpad_max_install_names, or choose shorter "
               "ones (--layout dylib, --rpath @rpath)";
    case PH_REWRITE_ENCRYPTED:
        return "it is encrypted (from an app store), so it cannot be changed";
    case PH_REWRITE_NO_LINKEDIT:
        return "it has no __LINKEDIT segment to put a signature into; link it "
               "again, or leave it unsigned with --sign none";
    case PH_REWRITE_LINKEDIT_NOT_LAST:
        return "its __LINKEDIT segment or signature is not at its end; make "
               "it anew with the linker, or strip the signature first "
               "(codesign --remove-signature)";
    case PH_REWRITE_TRAILING:
        return "other data were appended behind the image; a signature "
               "cannot cover them";
    case PH_REWRITE_BAD_SIGNATURE:
        return "its old signature is damaged, so that identifier and "
               "entitlements cannot be kept; use --sign none and sign later";
    case PH_REWRITE_TOO_LARGE:
        return "it would be larger than the file format allows";
    case PH_REWRITE_NO_MEMORY:
        return "out of memory";
    }
    return "?";
}

static void add_chunk(struct ph_output *out, const uint8_t *data, uint64_t len)
{
    if (len == 0) {
        return;
    }
    assert(out->count < PH_LEN(out->chunks));
    out->chunks[out->count++] = (struct ph_bytes){data, (size_t)len};
    out->size += len;
}

static void own(struct ph_output *out, void *memory)
{
    if (memory) {
        assert(out->owned_count < PH_LEN(out->owned));
        out->owned[out->owned_count++] = memory;
    }
}

static bool all_zero(const uint8_t *p, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (p[i]) {
            return false;
        }
    }
    return true;
}

/* The slices in the order of their place in the file. */
static void sort_slices(const struct ph_macho_file *f, unsigned *order)
{
    for (unsigned i = 0; i < f->count; i++) {
        unsigned at = i;
        while (at > 0 &&
                f->slices[order[at - 1]].offset > f->slices[i].offset) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = i;
    }
}

static uint64_t fat_header_size(const struct ph_macho_file *f)
{
    return FAT_HEADER_SIZE +
            f->count * (f->fat64 ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE);
}

/* Whatever lies between and behind the slices gets lost: only zeros may. */
static bool gaps_are_empty(const struct ph_macho_file *f, const unsigned *order)
{
    uint64_t at = fat_header_size(f);
    for (unsigned i = 0; i < f->count; i++) {
        const struct ph_macho_slice *s = &f->slices[order[i]];
        if (!all_zero(f->data + at, s->offset - at)) {
            return false;
        }
        at = s->offset + s->image.size;
    }
    return all_zero(f->data + at, f->size - at);
}

static enum ph_rewrite_result plan_slices(const struct ph_macho_file *f,
        const struct ph_edits *e, enum ph_sign sign, const char *identifier,
        struct ph_slice_plan *plans, struct ph_rewrite_failure *failure)
{
    for (unsigned i = 0; i < f->count; i++) {
        enum ph_rewrite_result r = ph_slice_plan(&plans[i], &f->slices[i].image,
                e, sign, identifier, &failure->missing);
        if (r != PH_REWRITE_OK) {
            failure->slice = &f->slices[i].image;
            return r;
        }
    }
    return PH_REWRITE_OK;
}

/* Writes the place of a slice into the new fat header. */
static bool place_slice(const struct ph_macho_file *f, unsigned index,
        uint8_t *header, uint64_t offset, uint64_t size)
{
    if (f->fat64) {
        uint8_t *arch = header + FAT_HEADER_SIZE + index * FAT_ARCH_64_SIZE;
        ph_be_store_u64(arch + 8, offset);
        ph_be_store_u64(arch + 16, size);
        return true;
    }
    if (offset > UINT32_MAX || size > UINT32_MAX - offset) {
        return false;
    }
    uint8_t *arch = header + FAT_HEADER_SIZE + index * FAT_ARCH_SIZE;
    ph_be_store_u32(arch + 8, (uint32_t)offset);
    ph_be_store_u32(arch + 12, (uint32_t)size);
    return true;
}

static enum ph_rewrite_result add_slice(
        struct ph_output *out, const struct ph_slice_plan *p)
{
    struct ph_slice_output s = {0};
    enum ph_rewrite_result r = ph_slice_build(p, &s);
    own(out, s.head);
    own(out, s.tail);
    if (r == PH_REWRITE_OK) {
        for (size_t i = 0; i < s.count; i++) {
            add_chunk(out, s.parts[i].data, s.parts[i].len);
        }
        out->squeezed = out->squeezed || p->squeezed;
        out->unsigned_left = out->unsigned_left || p->unsigned_left;
    }
    return r;
}

/* Each slice stays where it was if those before it left it there. */
static enum ph_rewrite_result build_fat(const struct ph_macho_file *f,
        const struct ph_slice_plan *plans, struct ph_output *out)
{
    unsigned order[PH_MACHO_SLICES_MAX] = {0};
    sort_slices(f, order);
    if (!gaps_are_empty(f, order)) {
        return PH_REWRITE_TRAILING;
    }
    uint64_t header_size = fat_header_size(f);
    uint8_t *header = malloc((size_t)header_size);
    if (!header) {
        return PH_REWRITE_NO_MEMORY;
    }
    own(out, header);
    memcpy(header, f->data, (size_t)header_size);
    add_chunk(out, header, header_size);
    for (unsigned i = 0; i < f->count; i++) {
        const struct ph_macho_slice *s = &f->slices[order[i]];
        uint64_t mask = (UINT64_C(1) << s->align) - 1;
        uint64_t offset = (PH_MAX(out->size, s->offset) + mask) & ~mask;
        add_chunk(out, NULL, offset - out->size);
        enum ph_rewrite_result r = add_slice(out, &plans[order[i]]);
        if (r != PH_REWRITE_OK) {
            return r;
        }
        if (!place_slice(f, order[i], header, offset, out->size - offset)) {
            return PH_REWRITE_TOO_LARGE;
        }
    }
    return PH_REWRITE_OK;
}

enum ph_rewrite_result ph_rewrite_check(const struct ph_macho_file *f,
        const struct ph_edits *e, enum ph_sign sign,
        struct ph_rewrite_failure *failure)
{
    struct ph_slice_plan plans[PH_MACHO_SLICES_MAX] = {0};
    *failure = (struct ph_rewrite_failure){0};
    enum ph_rewrite_result r = plan_slices(f, e, sign, "", plans, failure);
    bool changed = false;
    for (unsigned i = 0; r == PH_REWRITE_OK && i < f->count; i++) {
        changed = changed || plans[i].changed;
    }
    if (r == PH_REWRITE_OK && f->fat && changed) {
        unsigned order[PH_MACHO_SLICES_MAX] = {0};
        sort_slices(f, order);
        r = gaps_are_empty(f, order) ? r : PH_REWRITE_TRAILING;
    }
    return r;
}

enum ph_rewrite_result ph_rewrite_file(const struct ph_macho_file *f,
        const struct ph_edits *e, enum ph_sign sign, const char *identifier,
        struct ph_output *out, struct ph_rewrite_failure *failure)
{
    struct ph_slice_plan plans[PH_MACHO_SLICES_MAX] = {0};
    *out = (struct ph_output){0};
    *failure = (struct ph_rewrite_failure){0};
    enum ph_rewrite_result r =
            plan_slices(f, e, sign, identifier, plans, failure);
    if (r != PH_REWRITE_OK) {
        return r;
    }
    for (unsigned i = 0; i < f->count; i++) {
        out->changed = out->changed || plans[i].changed;
    }
    if (!out->changed) {
        add_chunk(out, f->data, f->size);
        return PH_REWRITE_OK;
    }
    return f->fat ? build_fat(f, plans, out) : add_slice(out, &plans[0]);
}

void ph_output_finish(struct ph_output *out)
{
    for (size_t i = 0; i < out->owned_count; i++) {
        free(out->owned[i]);
    }
    *out = (struct ph_output){0};
}
