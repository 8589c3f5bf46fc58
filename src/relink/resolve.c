/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"

/* One search: what was found, or why it may not be on this disk. */
struct search {
    char *found;
    bool system; /* a place of macOS was among the candidates */
};

static const char *after(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);
    bool is =
            strncmp(text, prefix, len) == 0 && (text[len] == '/' || !text[len]);
    return is ? text + len : NULL;
}

char *ph_resolve_expand(
        const char *text, const char *dir, const char *program_dir)
{
    const char *rest = NULL;
    const char *base = "";
    if ((rest = after(text, "@loader_path"))) {
        base = dir;
    } else if ((rest = after(text, "@executable_path"))) {
        base = program_dir;
    } else if (text[0] == '/') {
        rest = text;
    } else {
        return NULL;
    }
    AUTOFREE char *joined = ph_xasprintf("%s/%s", base, rest);
    return ph_path_clean(joined);
}

/* True when the search is over: path is a file. Takes path over. */
static bool try_path(struct search *s, char *path)
{
    struct stat st;
    if (!path) {
        return false;
    }
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        s->found = path;
        return true;
    }
    s->system = s->system || ph_path_is_system(path);
    free(path);
    return false;
}

/* The folder of the program that the file is loaded by. */
static char *program_dir(const struct ph_resolver *r, const struct ph_lib *lib)
{
    while (lib->loader) {
        lib = lib->loader;
    }
    for (size_t i = 0; lib->file.count > 0 &&
            ph_lib_type(lib) != PH_MACHO_EXECUTE && i < r->graph->count;
            i++) {
        const struct ph_lib *other = r->graph->libs[i];
        if (other->binary && ph_lib_type(other) == PH_MACHO_EXECUTE) {
            lib = other;
        }
    }
    return ph_path_dir(lib->path);
}

static bool try_rpaths(const struct ph_resolver *r, struct search *s,
        const struct ph_lib *owner, const char *rest)
{
    AUTOFREE char *dir = ph_path_dir(owner->path);
    AUTOFREE char *program = program_dir(r, owner);
    for (size_t i = 0; i < owner->rpaths.count; i++) {
        AUTOFREE char *base =
                ph_resolve_expand(owner->rpaths.items[i], dir, program);
        if (base && try_path(s, ph_path_join(base, rest))) {
            return true;
        }
    }
    return false;
}

static bool try_dirs(
        struct search *s, const struct ph_strings *dirs, const char *rest)
{
    for (size_t i = 0; dirs && i < dirs->count; i++) {
        if (try_path(s, ph_path_join(dirs->items[i], rest))) {
            return true;
        }
    }
    return false;
}

static bool try_rpath_name(const struct ph_resolver *r, struct search *s,
        const struct ph_lib *loader, const char *rest)
{
    for (const struct ph_lib *l = loader; l; l = l->loader) {
        if (try_rpaths(r, s, l, rest)) {
            return true;
        }
    }
    for (size_t i = 0; i < r->graph->count; i++) {
        const struct ph_lib *l = r->graph->libs[i];
        if (l->binary && try_rpaths(r, s, l, rest)) {
            return true;
        }
    }
    return false;
}

static bool try_search_dirs(
        const struct ph_resolver *r, struct search *s, const char *name)
{
    const char *tail = ph_path_framework_tail(name);
    const char *base = ph_path_base(name);
    return (tail && try_dirs(s, r->search_dirs, tail)) ||
            (*base && try_dirs(s, r->search_dirs, base));
}

enum ph_resolved ph_resolve(const struct ph_resolver *r,
        const struct ph_lib *loader, const char *name, char **path,
        enum ph_resolved_by *by)
{
    struct search s = {0};
    AUTOFREE char *dir = ph_path_dir(loader->path);
    AUTOFREE char *program = program_dir(r, loader);
    const char *rest = after(name, "@rpath");
    *by = PH_RESOLVED_BY_DYLD;
    if (ph_path_is_system(name)) {
        return PH_RESOLVED_SYSTEM;
    }
    if (rest) {
        rest += strspn(rest, "/");
        try_rpath_name(r, &s, loader, rest);
    } else {
        try_path(&s, ph_resolve_expand(name, dir, program));
    }
    if (!s.found && rest && try_dirs(&s, r->rpath_dirs, rest)) {
        *by = PH_RESOLVED_BY_RPATH_DIR;
    } else if (!s.found && !s.system && try_search_dirs(r, &s, name)) {
        *by = PH_RESOLVED_BY_SEARCH;
    }
    *path = s.found;
    return s.found     ? PH_RESOLVED_FILE
            : s.system ? PH_RESOLVED_SYSTEM
                       : PH_RESOLVED_NONE;
}
