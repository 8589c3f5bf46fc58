/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and verifies signatures. Nothing in one is trusted: it is a blob at
 * the end of a file that somebody else wrote. */
#include "relink/codesign.h"

#include <string.h>

#include "common/macros.h"
#include "relink/be.h"
#include "relink/codesign_blob.h"

/* A code directory whose fields were checked against its blob. */
struct directory {
    struct ph_bytes blob;
    uint32_t version;
    uint32_t flags;
    const char *identifier;
    const char *team;
    uint32_t special_count;
    uint32_t page_count;
    uint32_t code_limit;
    size_t hash_size;
    int hash_type;
    unsigned page_shift;
    const uint8_t *hashes; /* of page 0; special slots lie before it */
    uint64_t exec_flags;
    uint32_t runtime;
};

struct superblob {
    struct ph_bytes blob;
    uint32_t count;
};

static bool open_superblob(const struct ph_macho *m, struct superblob *out)
{
    const uint8_t *p = m->data + m->signature.offset;
    if (m->signature.size < CS_SUPERBLOB_HEADER ||
            ph_be_load_u32(p) != (uint32_t)CS_MAGIC_SUPERBLOB) {
        return false;
    }
    uint32_t len = ph_be_load_u32(p + 4);
    out->count = ph_be_load_u32(p + 8);
    out->blob = (struct ph_bytes){p, len};
    return len >= CS_SUPERBLOB_HEADER && len <= m->signature.size &&
            out->count <= CS_BLOBS_MAX &&
            out->count * CS_INDEX_ENTRY <= len - CS_SUPERBLOB_HEADER;
}

/* The i-th blob, and its slot; false when it reaches out of the superblob. */
static bool get_blob(const struct superblob *s, uint32_t i, uint32_t *slot,
        struct ph_bytes *out)
{
    const uint8_t *entry =
            s->blob.data + CS_SUPERBLOB_HEADER + i * CS_INDEX_ENTRY;
    uint32_t offset = ph_be_load_u32(entry + 4);
    *slot = ph_be_load_u32(entry);
    if (offset > s->blob.len || s->blob.len - offset < CS_BLOB_HEADER) {
        return false;
    }
    const uint8_t *p = s->blob.data + offset;
    uint32_t len = ph_be_load_u32(p + 4);
    *out = (struct ph_bytes){p, len};
    return len >= CS_BLOB_HEADER && len <= s->blob.len - offset;
}

static bool is_directory(uint32_t slot)
{
    return slot == CS_SLOT_DIRECTORY ||
            (slot >= CS_SLOT_ALTERNATE && slot < CS_SLOT_ALTERNATE_END);
}

/* The string at an offset in a blob, or NULL when it does not end there. */
static const char *string_at(struct ph_bytes blob, uint32_t offset)
{
    if (offset < CS_DIRECTORY_MIN || offset >= blob.len ||
            !memchr(blob.data + offset, 0, blob.len - offset)) {
        return NULL;
    }
    return (const char *)blob.data + offset;
}

static size_t hash_size_of(int type)
{
    return type == CS_HASH_SHA256                                      ? 32
            : type == CS_HASH_SHA1 || type == CS_HASH_SHA256_TRUNCATED ? 20
                                                                       : 0;
}

/* Fields that newer versions have; false when the blob is too short. */
static bool read_newer_fields(struct directory *d)
{
    const uint8_t *p = d->blob.data;
    size_t need = d->version >= CS_VERSION_RUNTIME ? CS_DIRECTORY_RUNTIME
            : d->version >= CS_VERSION_EXEC        ? CS_DIRECTORY_EXEC
            : d->version >= CS_VERSION_LIMIT64     ? 64
            : d->version >= CS_VERSION_TEAM        ? 52
                                                   : CS_DIRECTORY_MIN;
    if (d->blob.len < need) {
        return false;
    }
    if (d->version >= CS_VERSION_TEAM && ph_be_load_u32(p + 48) != 0) {
        d->team = string_at(d->blob, ph_be_load_u32(p + 48));
        if (!d->team) {
            return false;
        }
    }
    if (d->version >= CS_VERSION_EXEC) {
        d->exec_flags = ph_be_load_u64(p + 80);
    }
    if (d->version >= CS_VERSION_RUNTIME) {
        d->runtime = ph_be_load_u32(p + 88);
    }
    return true;
}

static bool read_directory(struct ph_bytes blob, struct directory *d)
{
    const uint8_t *p = blob.data;
    if (blob.len < CS_DIRECTORY_MIN ||
            ph_be_load_u32(p) != (uint32_t)CS_MAGIC_DIRECTORY) {
        return false;
    }
    uint32_t hashes = ph_be_load_u32(p + 16);
    *d = (struct directory){
            .blob = blob,
            .version = ph_be_load_u32(p + 8),
            .flags = ph_be_load_u32(p + 12),
            .identifier = string_at(blob, ph_be_load_u32(p + 20)),
            .special_count = ph_be_load_u32(p + 24),
            .page_count = ph_be_load_u32(p + 28),
            .code_limit = ph_be_load_u32(p + 32),
            .hash_size = p[36],
            .hash_type = p[37],
            .page_shift = p[39],
    };
    if (!d->identifier || !read_newer_fields(d) || hashes > blob.len ||
            d->page_shift < PH_CS_PAGE_SHIFT ||
            d->page_shift > PH_CS_PAGE_SHIFT_MAX || d->hash_size == 0 ||
            (uint64_t)d->special_count * d->hash_size > hashes ||
            (uint64_t)d->page_count * d->hash_size > blob.len - hashes) {
        return false;
    }
    d->hashes = p + hashes;
    return hash_size_of(d->hash_type) == 0 ||
            hash_size_of(d->hash_type) == d->hash_size;
}

static void digest(int type, struct ph_bytes content, uint8_t out[32])
{
    if (type == CS_HASH_SHA1) {
        ph_digest_sha1(&content, 1, out);
    } else {
        ph_digest_sha256(&content, 1, out);
    }
}

/* The digest of a special slot, or NULL when there is none. */
static const uint8_t *special(const struct directory *d, uint32_t slot)
{
    static const uint8_t none[PH_SHA256_SIZE];
    if (slot > d->special_count) {
        return NULL;
    }
    const uint8_t *h = d->hashes - slot * d->hash_size;
    bool empty =
            d->hash_size <= sizeof(none) && memcmp(h, none, d->hash_size) == 0;
    return empty ? NULL : h;
}

static void keep_blob(
        struct ph_codesign *out, uint32_t slot, struct ph_bytes blob)
{
    uint32_t magic = ph_be_load_u32(blob.data);
    if (slot == CS_SLOT_ENTITLEMENTS &&
            magic == (uint32_t)CS_MAGIC_ENTITLEMENTS) {
        out->entitlements = blob;
    } else if (slot == CS_SLOT_ENTITLEMENTS_DER &&
            magic == (uint32_t)CS_MAGIC_ENTITLEMENTS_DER) {
        out->entitlements_der = blob;
    }
}

static void keep_directory(struct ph_codesign *out, const struct directory *d)
{
    uint8_t hash[PH_SHA256_SIZE];
    digest(d->hash_type, d->blob, hash);
    memcpy(out->cdhash, hash, sizeof(out->cdhash));
    out->identifier = d->identifier;
    out->team = d->team;
    out->flags = d->flags;
    out->runtime = d->runtime;
    out->exec_flags = d->exec_flags;
    out->page_shift = d->page_shift;
    if (d->hash_type == CS_HASH_SHA256) {
        out->info_plist = special(d, CS_SLOT_INFO);
        out->resources = special(d, CS_SLOT_RESOURCES);
    }
}

void ph_codesign_read(const struct ph_macho *m, struct ph_codesign *out)
{
    *out = (struct ph_codesign){.state = PH_CODESIGN_NONE};
    if (!m->signature_command) {
        return;
    }
    struct ph_codesign sign = {.state = PH_CODESIGN_BAD};
    struct superblob s;
    struct directory best = {0};
    bool ok = open_superblob(m, &s);
    for (uint32_t i = 0; ok && i < s.count; i++) {
        uint32_t slot = 0;
        struct ph_bytes blob;
        struct directory d;
        ok = get_blob(&s, i, &slot, &blob);
        if (ok && is_directory(slot)) {
            ok = read_directory(blob, &d);
            if (ok && hash_size_of(d.hash_type) &&
                    (!best.identifier || d.hash_type == CS_HASH_SHA256)) {
                best = d;
            }
        } else if (ok) {
            keep_blob(&sign, slot, blob);
        }
    }
    if (ok && best.identifier) {
        sign.state = PH_CODESIGN_OK;
        keep_directory(&sign, &best);
        *out = sign;
    } else {
        out->state = PH_CODESIGN_BAD;
    }
}

static bool verify_pages(const struct ph_macho *m, const struct directory *d,
        struct ph_codesign_verdict *v)
{
    size_t page = (size_t)1 << d->page_shift;
    uint64_t pages = ((uint64_t)d->code_limit + page - 1) >> d->page_shift;
    if (d->code_limit != m->signature.offset || pages != d->page_count) {
        v->problem = "does not cover the file up to itself";
        return false;
    }
    v->pages = d->page_count;
    for (uint32_t i = 0; i < d->page_count; i++) {
        size_t offset = (size_t)i << d->page_shift;
        uint8_t hash[PH_SHA256_SIZE];
        digest(d->hash_type,
                (struct ph_bytes){
                        m->data + offset, PH_MIN(page, d->code_limit - offset)},
                hash);
        if (memcmp(hash, d->hashes + i * d->hash_size, d->hash_size) != 0) {
            v->first_bad = v->bad_pages ? v->first_bad : i;
            v->bad_pages++;
        }
    }
    if (v->bad_pages) {
        v->problem = "is stale: pages differ";
    }
    return !v->problem;
}

/* Blobs of the superblob and the embedded Info.plist against the directory. */
static bool verify_special(const struct ph_macho *m, const struct superblob *s,
        const struct directory *d, struct ph_codesign_verdict *v)
{
    uint8_t hash[PH_SHA256_SIZE];
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t slot = 0;
        struct ph_bytes blob;
        if (!get_blob(s, i, &slot, &blob) || slot == CS_SLOT_DIRECTORY ||
                slot > CS_SLOT_SPECIAL_MAX) {
            continue;
        }
        const uint8_t *want = special(d, slot);
        digest(d->hash_type, blob, hash);
        if (!want || memcmp(hash, want, d->hash_size) != 0) {
            v->problem = "does not match its own entitlements or requirements";
            return false;
        }
    }
    const uint8_t *info = special(d, CS_SLOT_INFO);
    if (info && m->info_plist.size) {
        struct ph_bytes plist = {
                m->data + m->info_plist.offset, (size_t)m->info_plist.size};
        digest(d->hash_type, plist, hash);
        if (memcmp(hash, info, d->hash_size) != 0) {
            v->problem = "does not match the embedded Info.plist";
            return false;
        }
    }
    return true;
}

void ph_codesign_verify(
        const struct ph_macho *m, struct ph_codesign_verdict *out)
{
    *out = (struct ph_codesign_verdict){0};
    struct superblob s;
    if (!m->signature_command) {
        out->problem = "is missing";
        return;
    }
    if (!open_superblob(m, &s)) {
        out->problem = "is damaged";
        return;
    }
    bool any = false;
    for (uint32_t i = 0; i < s.count && !out->problem; i++) {
        uint32_t slot = 0;
        struct ph_bytes blob;
        struct directory d;
        if (!get_blob(&s, i, &slot, &blob) ||
                (is_directory(slot) && !read_directory(blob, &d))) {
            out->problem = "is damaged";
        } else if (is_directory(slot) && hash_size_of(d.hash_type)) {
            any = true;
            if (verify_pages(m, &d, out)) {
                verify_special(m, &s, &d, out);
            }
        }
    }
    if (!any && !out->problem) {
        out->problem = "has no code directory of a known kind";
    }
}
