/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/macros.h"

enum {
    RPATH_FIXED = 12,
    SIGNATURE_SIZE = 16,
    BUILD_VERSION_FIXED = 24,
};

struct rewriter {
    const struct ph_macho *m;
    const struct ph_edits *e;
    enum ph_commands_signature sig;
    bool squeeze;
};

static bool contains(const char *const *list, size_t count, const char *s)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], s) == 0) {
            return true;
        }
    }
    return false;
}

/* dyld refuses an image with the same rpath twice. */
static bool is_repeated_rpath(
        const struct ph_macho *m, const struct ph_macho_command *rpath)
{
    struct ph_macho_command c = {0};
    while (ph_macho_next(m, &c) && c.offset < rpath->offset) {
        if (c.cmd == PH_LC_RPATH &&
                strcmp(ph_macho_name(&c), ph_macho_name(rpath)) == 0) {
            return true;
        }
    }
    return false;
}

/* The path that the command shall have; NULL: it goes. */
static const char *new_name(
        const struct rewriter *w, const struct ph_macho_command *c)
{
    const char *name = ph_macho_name(c);
    if (c->cmd == PH_LC_RPATH) {
        bool drop = contains(w->e->drop_rpaths, w->e->drop_count, name) ||
                is_repeated_rpath(w->m, c);
        return drop ? NULL : name;
    }
    if (c->cmd == PH_LC_ID_DYLIB) {
        return w->e->id ? w->e->id : name;
    }
    for (size_t i = 0; i < w->e->rename_count; i++) {
        if (strcmp(w->e->renames[i].from, name) == 0) {
            return w->e->renames[i].to;
        }
    }
    return name;
}

static size_t named_size(size_t fixed, const char *name)
{
    return (fixed + strlen(name) + 1 + 7) & ~(size_t)7;
}

/* Size of the command after the edits; 0: it goes. */
static size_t new_size(
        const struct rewriter *w, const struct ph_macho_command *c)
{
    if (ph_macho_has_name(c->cmd)) {
        const char *name = new_name(w, c);
        if (!name) {
            return 0;
        }
        return strcmp(name, ph_macho_name(c)) == 0
                ? c->size
                : named_size(ph_macho_name_offset(c), name);
    }
    if (c->cmd == PH_LC_CODE_SIGNATURE &&
            w->sig == PH_COMMANDS_SIGNATURE_DROP) {
        return 0;
    }
    if (w->squeeze && c->cmd == PH_LC_SOURCE_VERSION) {
        return 0;
    }
    if (w->squeeze && c->cmd == PH_LC_BUILD_VERSION &&
            c->size > BUILD_VERSION_FIXED) {
        return BUILD_VERSION_FIXED;
    }
    return c->size;
}

/* Whether an rpath to add is already among those that stay. */
static bool has_rpath(const struct rewriter *w, const char *path)
{
    struct ph_macho_command c = {0};
    while (ph_macho_next(w->m, &c)) {
        if (c.cmd == PH_LC_RPATH && new_name(w, &c) &&
                strcmp(ph_macho_name(&c), path) == 0) {
            return true;
        }
    }
    return false;
}

bool ph_commands_changed(const struct ph_macho *m, const struct ph_edits *e)
{
    struct rewriter w = {m, e, PH_COMMANDS_SIGNATURE_AS_IS, false};
    struct ph_macho_command c = {0};
    while (ph_macho_next(m, &c)) {
        if (!ph_macho_has_name(c.cmd)) {
            continue;
        }
        const char *name = new_name(&w, &c);
        if (!name || strcmp(name, ph_macho_name(&c)) != 0) {
            return true;
        }
    }
    for (size_t i = 0; i < e->add_count; i++) {
        if (!has_rpath(&w, e->add_rpaths[i])) {
            return true;
        }
    }
    return false;
}

static uint64_t measure(const struct rewriter *w)
{
    uint64_t size = PH_MACHO_HEADER_SIZE;
    struct ph_macho_command c = {0};
    while (ph_macho_next(w->m, &c)) {
        size += new_size(w, &c);
    }
    for (size_t i = 0; i < w->e->add_count; i++) {
        if (!has_rpath(w, w->e->add_rpaths[i])) {
            size += named_size(RPATH_FIXED, w->e->add_rpaths[i]);
        }
    }
    return size + (w->sig == PH_COMMANDS_SIGNATURE_ADD ? SIGNATURE_SIZE : 0);
}

uint64_t ph_commands_measure(const struct ph_macho *m, const struct ph_edits *e,
        enum ph_commands_signature sig, bool *squeezed)
{
    struct rewriter w = {m, e, sig, false};
    uint64_t size = measure(&w);
    *squeezed = false;
    if (size > m->room_end) {
        w.squeeze = true;
        size = measure(&w);
        *squeezed = true;
    }
    return size;
}

/* Writes one command at `to`, which is zeroed; returns its size. */
static size_t put_command(
        const struct rewriter *w, const struct ph_macho_command *c, uint8_t *to)
{
    size_t size = new_size(w, c);
    if (size == 0) {
        return 0;
    }
    if (!ph_macho_has_name(c->cmd) ||
            strcmp(new_name(w, c), ph_macho_name(c)) == 0) {
        memcpy(to, c->data, PH_MIN(size, c->size));
    } else {
        uint32_t fixed = ph_macho_name_offset(c);
        const char *name = new_name(w, c);
        memcpy(to, c->data, fixed);
        memcpy(to + fixed, name, strlen(name) + 1);
    }
    ph_store_u32(to + 4, (uint32_t)size);
    if (c->cmd == PH_LC_BUILD_VERSION && size < c->size) {
        ph_store_u32(to + 20, 0); /* the count of tools */
    }
    return size;
}

static size_t put_rpath(const char *path, uint8_t *to)
{
    size_t size = named_size(RPATH_FIXED, path);
    ph_store_u32(to, (uint32_t)PH_LC_RPATH);
    ph_store_u32(to + 4, (uint32_t)size);
    ph_store_u32(to + 8, RPATH_FIXED);
    memcpy(to + RPATH_FIXED, path, strlen(path) + 1);
    return size;
}

static void put_commands(const struct rewriter *w, struct ph_commands *out)
{
    uint32_t at = PH_MACHO_HEADER_SIZE;
    uint32_t count = 0;
    struct ph_macho_command c = {0};
    while (ph_macho_next(w->m, &c)) {
        size_t size = put_command(w, &c, out->head + at);
        if (c.offset == w->m->linkedit.command) {
            out->linkedit_at = at;
        }
        if (size && c.cmd == PH_LC_CODE_SIGNATURE) {
            out->signature_at = at;
        }
        at += (uint32_t)size;
        count += size > 0;
    }
    for (size_t i = 0; i < w->e->add_count; i++) {
        if (!has_rpath(w, w->e->add_rpaths[i])) {
            at += (uint32_t)put_rpath(w->e->add_rpaths[i], out->head + at);
            count++;
        }
    }
    if (w->sig == PH_COMMANDS_SIGNATURE_ADD) {
        out->signature_at = at;
        ph_store_u32(out->head + at, PH_LC_CODE_SIGNATURE);
        ph_store_u32(out->head + at + 4, SIGNATURE_SIZE);
        at += SIGNATURE_SIZE;
        count++;
    }
    ph_store_u32(out->head + 16, count);
    ph_store_u32(out->head + 20, at - PH_MACHO_HEADER_SIZE);
}

bool ph_commands_build(const struct ph_macho *m, const struct ph_edits *e,
        enum ph_commands_signature sig, bool squeezed, struct ph_commands *out)
{
    struct rewriter w = {m, e, sig, squeezed};
    *out = (struct ph_commands){0};
    out->head_len = PH_MAX((uint32_t)measure(&w), m->commands_end);
    out->head = calloc(1, out->head_len);
    if (!out->head) {
        return false;
    }
    memcpy(out->head, m->data, PH_MACHO_HEADER_SIZE);
    put_commands(&w, out);
    return true;
}
