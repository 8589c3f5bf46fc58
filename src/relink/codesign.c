/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes ad-hoc signatures. */
#include "relink/codesign.h"

#include <string.h>

#include "common/macros.h"
#include "relink/be.h"
#include "relink/codesign_blob.h"
#include "relink/codesign_pages.h"

enum {
    REQUIREMENTS_SIZE = 12, /* the empty set */
    WRAPPER_SIZE = 8, /* an ad-hoc signature has no certificate in it */
};

/* Flags that mean the same under another signer. */
static const uint32_t kept_flags = PH_CS_HARD | PH_CS_KILL | PH_CS_RESTRICT |
        PH_CS_ENFORCEMENT | PH_CS_LIBRARY_VALIDATION | PH_CS_RUNTIME |
        PH_CS_LINKER_SIGNED;

void ph_codesign_prepare(const struct ph_macho *m,
        const struct ph_codesign *old, const char *identifier,
        uint64_t code_limit, struct ph_codesign_request *out)
{
    *out = (struct ph_codesign_request){
            .identifier = identifier,
            .flags = PH_CS_ADHOC,
            .exec_base = m->text.file.offset,
            .exec_limit = m->text.file.size,
            .page_shift = PH_CS_PAGE_SHIFT,
            .code_limit = code_limit,
    };
    if (m->type == PH_MACHO_EXECUTE) {
        out->exec_flags = PH_CS_EXEC_MAIN_BINARY;
    }
    if (m->info_plist.size > 0) {
        out->info_plist = (struct ph_bytes){
                m->data + m->info_plist.offset, (size_t)m->info_plist.size};
    }
    if (old->state == PH_CODESIGN_OK) {
        out->identifier = old->identifier;
        out->flags |= old->flags & kept_flags;
        out->runtime = old->runtime;
        out->exec_flags |= old->exec_flags;
        out->page_shift = old->page_shift;
        out->entitlements = old->entitlements;
        out->entitlements_der = old->entitlements_der;
    } else {
        out->flags |= PH_CS_LINKER_SIGNED; /* codesign replaces it unasked */
    }
    if (out->entitlements.len || out->entitlements_der.len) {
        out->flags &= ~(uint32_t)PH_CS_LINKER_SIGNED;
    }
}

/* As a linker signs: the code directory alone. */
static bool is_bare(const struct ph_codesign_request *r)
{
    return r->flags & PH_CS_LINKER_SIGNED;
}

static uint32_t special_slots(const struct ph_codesign_request *r)
{
    if (is_bare(r)) {
        return 0;
    }
    return r->entitlements_der.len ? CS_SLOT_ENTITLEMENTS_DER
            : r->entitlements.len  ? CS_SLOT_ENTITLEMENTS
                                   : CS_SLOT_REQUIREMENTS;
}

static uint32_t directory_header(const struct ph_codesign_request *r)
{
    return r->flags & PH_CS_RUNTIME ? CS_DIRECTORY_RUNTIME : CS_DIRECTORY_EXEC;
}

static uint64_t page_count(const struct ph_codesign_request *r)
{
    uint64_t page = UINT64_C(1) << r->page_shift;
    return (r->code_limit + page - 1) >> r->page_shift;
}

static uint64_t directory_size(const struct ph_codesign_request *r)
{
    return directory_header(r) + strlen(r->identifier) + 1 +
            (special_slots(r) + page_count(r)) * PH_SHA256_SIZE;
}

static uint32_t blob_count(const struct ph_codesign_request *r)
{
    if (is_bare(r)) {
        return 1;
    }
    return 3u + (r->entitlements.len > 0) + (r->entitlements_der.len > 0);
}

/* Bytes of the signature without the padding behind it. */
static uint64_t superblob_size(const struct ph_codesign_request *r)
{
    uint64_t size = CS_SUPERBLOB_HEADER + blob_count(r) * CS_INDEX_ENTRY +
            directory_size(r);
    if (!is_bare(r)) {
        size += REQUIREMENTS_SIZE + WRAPPER_SIZE + r->entitlements.len +
                r->entitlements_der.len;
    }
    return size;
}

size_t ph_codesign_size(const struct ph_codesign_request *r)
{
    uint64_t size = (superblob_size(r) + 15) & ~UINT64_C(15);
    if (r->code_limit > UINT32_MAX || size > UINT32_MAX - r->code_limit) {
        return 0;
    }
    return (size_t)size;
}

/* The superblob while it is filled. */
struct superblob {
    uint8_t *data;
    uint32_t count;
    uint32_t end;
};

static uint8_t *add_blob(
        struct superblob *s, uint32_t slot, uint32_t magic, size_t len)
{
    uint8_t *entry = s->data + CS_SUPERBLOB_HEADER + s->count * CS_INDEX_ENTRY;
    uint8_t *blob = s->data + s->end;
    ph_be_store_u32(entry, slot);
    ph_be_store_u32(entry + 4, s->end);
    ph_be_store_u32(blob, magic);
    ph_be_store_u32(blob + 4, (uint32_t)len);
    s->count++;
    s->end += (uint32_t)len;
    return blob;
}

/* Digest of a special slot; slots are counted backwards from `hashes`. */
static void set_special(uint8_t *hashes, int slot, struct ph_bytes content)
{
    ph_digest_sha256(&content, 1, hashes - slot * PH_SHA256_SIZE);
}

static void fill_directory(const struct ph_codesign_request *r, uint8_t *d)
{
    uint32_t header = directory_header(r);
    size_t name = strlen(r->identifier) + 1;
    uint32_t special = special_slots(r);
    uint32_t hashes = header + (uint32_t)name + special * PH_SHA256_SIZE;
    bool runtime = header == CS_DIRECTORY_RUNTIME;
    ph_be_store_u32(d + 8, runtime ? CS_VERSION_RUNTIME : CS_VERSION_EXEC);
    ph_be_store_u32(d + 12, r->flags);
    ph_be_store_u32(d + 16, hashes);
    ph_be_store_u32(d + 20, header); /* the identifier's place */
    ph_be_store_u32(d + 24, special);
    ph_be_store_u32(d + 28, (uint32_t)page_count(r));
    ph_be_store_u32(d + 32, (uint32_t)r->code_limit);
    d[36] = PH_SHA256_SIZE;
    d[37] = CS_HASH_SHA256;
    d[39] = (uint8_t)r->page_shift;
    ph_be_store_u64(d + 64, r->exec_base);
    ph_be_store_u64(d + 72, r->exec_limit);
    ph_be_store_u64(d + 80, r->exec_flags);
    if (runtime) {
        ph_be_store_u32(d + 88, r->runtime);
    }
    memcpy(d + header, r->identifier, name);
}

void ph_codesign_build(const struct ph_codesign_request *r,
        const struct ph_bytes *parts, size_t count, uint8_t *out)
{
    memset(out, 0, ph_codesign_size(r));
    struct superblob s = {
            out, 0, CS_SUPERBLOB_HEADER + blob_count(r) * CS_INDEX_ENTRY};
    uint8_t *directory = add_blob(&s, CS_SLOT_DIRECTORY,
            (uint32_t)CS_MAGIC_DIRECTORY, (size_t)directory_size(r));
    fill_directory(r, directory);
    uint8_t *hashes = directory + ph_be_load_u32(directory + 16);
    if (!is_bare(r)) {
        uint8_t *reqs = add_blob(&s, CS_SLOT_REQUIREMENTS,
                (uint32_t)CS_MAGIC_REQUIREMENTS, REQUIREMENTS_SIZE);
        set_special(hashes, CS_SLOT_REQUIREMENTS,
                (struct ph_bytes){reqs, REQUIREMENTS_SIZE});
        if (r->info_plist.len) {
            set_special(hashes, CS_SLOT_INFO, r->info_plist);
        }
        if (r->entitlements.len) {
            memcpy(add_blob(&s, CS_SLOT_ENTITLEMENTS, 0, r->entitlements.len),
                    r->entitlements.data, r->entitlements.len);
            set_special(hashes, CS_SLOT_ENTITLEMENTS, r->entitlements);
        }
        if (r->entitlements_der.len) {
            memcpy(add_blob(&s, CS_SLOT_ENTITLEMENTS_DER, 0,
                           r->entitlements_der.len),
                    r->entitlements_der.data, r->entitlements_der.len);
            set_special(hashes, CS_SLOT_ENTITLEMENTS_DER, r->entitlements_der);
        }
        add_blob(&s, CS_SLOT_WRAPPER, (uint32_t)CS_MAGIC_WRAPPER, WRAPPER_SIZE);
    }
    ph_be_store_u32(out, (uint32_t)CS_MAGIC_SUPERBLOB);
    ph_be_store_u32(out + 4, s.end);
    ph_be_store_u32(out + 8, s.count);
    ph_codesign_hash_pages(parts, count, r->page_shift, hashes);
}
