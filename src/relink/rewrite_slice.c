/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/rewrite_slice.h"

#include <stdlib.h>

#include "common/bytes.h"
#include "common/macros.h"

enum {
    SIGNATURE_ALIGN = 16,
};

static const uint8_t zeros[SIGNATURE_ALIGN];

static uint64_t aligned(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static bool all_zero(const struct ph_macho *m, uint64_t from)
{
    for (uint64_t i = from; i < m->size; i++) {
        if (m->data[i]) {
            return false;
        }
    }
    return true;
}

/* Finds where the content ends behind which a signature goes, and makes sure
 * that there is nothing else. */
static enum ph_rewrite_result find_end(struct ph_slice_plan *p)
{
    const struct ph_macho *m = p->m;
    if (!m->linkedit.command) {
        return PH_REWRITE_NO_LINKEDIT;
    }
    uint64_t start = m->linkedit.file.offset;
    uint64_t end = start + m->linkedit.file.size;
    uint64_t tail = end;
    if (m->signature_command) {
        end = m->signature.offset;
        tail = end + m->signature.size;
    }
    if (end < start || end < m->content_end) {
        return PH_REWRITE_LINKEDIT_NOT_LAST;
    }
    p->body_end = end;
    return all_zero(m, tail) ? PH_REWRITE_OK : PH_REWRITE_TRAILING;
}

/* Sizes __LINKEDIT for content and signature. */
static enum ph_rewrite_result size_linkedit(
        struct ph_slice_plan *p, uint64_t file_end)
{
    const struct ph_macho_segment *s = &p->m->linkedit;
    uint64_t page = p->m->cpu == PH_MACHO_ARM64 ? 0x4000 : 0x1000;
    if (file_end > UINT32_MAX) {
        return PH_REWRITE_TOO_LARGE;
    }
    p->linkedit_size = file_end - s->file.offset;
    p->linkedit_vmsize = aligned(p->linkedit_size, page);
    if (s->vmaddr > p->m->vm_limit ||
            p->linkedit_vmsize > p->m->vm_limit - s->vmaddr) {
        return PH_REWRITE_LINKEDIT_NOT_LAST;
    }
    return PH_REWRITE_OK;
}

static enum ph_rewrite_result plan_signing(
        struct ph_slice_plan *p, const char *identifier)
{
    struct ph_codesign old;
    ph_codesign_read(p->m, &old);
    if (old.state == PH_CODESIGN_BAD) {
        return PH_REWRITE_BAD_SIGNATURE;
    }
    enum ph_rewrite_result r = find_end(p);
    if (r != PH_REWRITE_OK) {
        return r;
    }
    uint64_t limit = aligned(p->body_end, SIGNATURE_ALIGN);
    ph_codesign_prepare(p->m, &old, identifier, limit, &p->request);
    p->signature_size = ph_codesign_size(&p->request);
    if (p->signature_size == 0) {
        return PH_REWRITE_TOO_LARGE;
    }
    p->moves_end = true;
    return size_linkedit(p, limit + p->signature_size);
}

static enum ph_rewrite_result plan_stripping(struct ph_slice_plan *p)
{
    if (!p->m->signature_command) {
        return PH_REWRITE_OK;
    }
    enum ph_rewrite_result r = find_end(p);
    if (r != PH_REWRITE_OK) {
        return r;
    }
    p->signature = PH_COMMANDS_SIGNATURE_DROP;
    p->moves_end = true;
    return size_linkedit(p, p->body_end);
}

/* Whether the commands fit; p->signature is known. */
static bool commands_fit(struct ph_slice_plan *p, uint32_t *missing)
{
    uint64_t most = PH_MACHO_HEADER_SIZE + PH_MACHO_COMMANDS_SIZE_MAX;
    uint64_t room = PH_MIN(PH_MIN(p->m->room_end, p->body_end), most);
    uint64_t need = ph_commands_measure(p->m, p->e, p->signature, &p->squeezed);
    if (p->m->command_count + p->e->add_count >= PH_MACHO_COMMANDS_MAX) {
        need = PH_MAX(need, room + 1); /* nobody could read it any more */
    }
    *missing = need > room ? (uint32_t)(need - room) : 0;
    return need <= room;
}

/* Whether a signature can be added to an image that has none. Without one
 * Apple silicon runs nothing, while Intel Macs do. */
static void plan_first_signature(struct ph_slice_plan *p, uint32_t *missing)
{
    p->signature = PH_COMMANDS_SIGNATURE_ADD;
    if (!commands_fit(p, missing) &&
            (!p->changed || p->m->cpu == PH_MACHO_X86_64)) {
        p->signature = PH_COMMANDS_SIGNATURE_AS_IS;
        p->unsigned_left = true;
    } else if (p->m->cpu == PH_MACHO_ARM64) {
        p->changed = true;
    }
}

enum ph_rewrite_result ph_slice_plan(struct ph_slice_plan *p,
        const struct ph_macho *m, const struct ph_edits *e, enum ph_sign sign,
        const char *identifier, uint32_t *missing)
{
    *p = (struct ph_slice_plan){.m = m, .e = e, .body_end = m->size};
    p->changed = ph_commands_changed(m, e);
    if (sign == PH_SIGN_ADHOC && !m->signature_command && !m->encrypted) {
        plan_first_signature(p, missing);
    }
    if (!p->changed) {
        return PH_REWRITE_OK;
    }
    if (m->encrypted) {
        return PH_REWRITE_ENCRYPTED;
    }
    enum ph_rewrite_result r = PH_REWRITE_OK;
    if (sign == PH_SIGN_ADHOC && !p->unsigned_left) {
        r = plan_signing(p, identifier);
    } else if (sign == PH_SIGN_NONE) {
        r = plan_stripping(p);
    }
    if (r == PH_REWRITE_OK && !commands_fit(p, missing)) {
        r = PH_REWRITE_NO_ROOM;
    }
    return r;
}

/* Tells the load commands where the signature is now. */
static void patch_commands(
        const struct ph_slice_plan *p, const struct ph_commands *c)
{
    if (c->linkedit_at) {
        ph_store_u64(c->head + c->linkedit_at + 32, p->linkedit_vmsize);
        ph_store_u64(c->head + c->linkedit_at + 48, p->linkedit_size);
    }
    if (c->signature_at) {
        uint8_t *sig = c->head + c->signature_at;
        ph_store_u32(sig + 8, (uint32_t)p->request.code_limit);
        ph_store_u32(sig + 12, (uint32_t)p->signature_size);
    }
}

static void add_part(
        struct ph_slice_output *out, const uint8_t *data, uint64_t len)
{
    out->parts[out->count++] = (struct ph_bytes){data, (size_t)len};
}

enum ph_rewrite_result ph_slice_build(
        const struct ph_slice_plan *p, struct ph_slice_output *out)
{
    *out = (struct ph_slice_output){0};
    if (!p->changed) {
        add_part(out, p->m->data, p->m->size);
        return PH_REWRITE_OK;
    }
    struct ph_commands c;
    if (!ph_commands_build(p->m, p->e, p->signature, p->squeezed, &c)) {
        return PH_REWRITE_NO_MEMORY;
    }
    out->head = c.head;
    if (p->moves_end) {
        patch_commands(p, &c);
    }
    add_part(out, c.head, c.head_len);
    add_part(out, p->m->data + c.head_len, p->body_end - c.head_len);
    if (p->signature_size == 0) {
        return PH_REWRITE_OK;
    }
    add_part(out, zeros, p->request.code_limit - p->body_end);
    out->tail = malloc(p->signature_size);
    if (!out->tail) {
        return PH_REWRITE_NO_MEMORY;
    }
    ph_codesign_build(&p->request, out->parts, out->count, out->tail);
    add_part(out, out->tail, p->signature_size);
    return PH_REWRITE_OK;
}
