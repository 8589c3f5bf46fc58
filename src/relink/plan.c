/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/resolve.h"

bool ph_plan_prefix_valid(const char *prefix)
{
    return strcmp(prefix, "@rpath") == 0 ||
            strcmp(prefix, "@loader_path") == 0 ||
            strcmp(prefix, "@executable_path") == 0 ||
            strncmp(prefix, "@executable_path/", 17) == 0;
}

char *ph_plan_framework_name(const char *leaf)
{
    size_t len = strlen(leaf);
    const char *dot = strrchr(leaf, '.');
    if (dot && dot != leaf &&
            (strcmp(dot, ".dylib") == 0 || strcmp(dot, ".so") == 0)) {
        len = (size_t)(dot - leaf);
    }
    if (len > 3 && strncmp(leaf, "lib", 3) == 0) {
        leaf += 3;
        len -= 3;
    }
    return ph_xasprintf("%.*s", (int)len, leaf);
}

char *ph_plan_final_path(const char *into, const struct ph_lib *lib)
{
    return lib->target ? ph_path_join(into, lib->target)
                       : ph_xstrdup(lib->path);
}

/* A dylib is called what its users call it; anything else by its file. */
static const char *leaf_of(const struct ph_lib *lib)
{
    const char *leaf = lib->id ? ph_path_base(lib->id) : "";
    if (!ph_path_is_leaf(leaf)) {
        leaf = ph_path_base(lib->binary ? lib->given : lib->path);
    }
    if (!ph_path_is_leaf(leaf)) {
        leaf = ph_path_base(lib->path);
    }
    return ph_path_is_leaf(leaf) ? leaf : NULL;
}

static bool place(const struct ph_plan *plan, struct ph_lib *lib)
{
    const char *leaf = leaf_of(lib);
    if (lib->in_place) {
        return true;
    }
    if (!leaf) {
        return false;
    }
    lib->framework = lib->id &&
            (plan->layout == PH_LAYOUT_FRAMEWORK ||
                    ph_path_framework_tail(lib->path));
    if (!lib->framework) {
        lib->target = ph_xstrdup(leaf);
        return true;
    }
    AUTOFREE char *name = ph_plan_framework_name(leaf);
    lib->target = ph_xasprintf("%s.framework/Versions/A/%s", name, name);
    return true;
}

static bool same_content(const struct ph_lib *a, const struct ph_lib *b)
{
    return a->mapping.size == b->mapping.size &&
            memcmp(a->mapping.data, b->mapping.data, a->mapping.size) == 0;
}

/* Whether `late`, for the same place as `first`, is dealt with: an equal file
 * is the same library, and a new copy replaces the one in the folder. */
static bool settle(struct ph_lib *first, struct ph_lib *late)
{
    if (first->in_place != late->in_place) {
        struct ph_lib *old = first->in_place ? first : late;
        old->same_as = old == first ? late : first;
        return !old->binary;
    }
    if (!first->in_place && same_content(first, late)) {
        late->same_as = first;
        return true;
    }
    return false;
}

/* The default file system of macOS takes "libA" and "liba" for the same. */
static bool find_clash(const struct ph_plan *plan, struct ph_graph *g,
        struct ph_plan_clash *clash)
{
    char **paths = ph_xcalloc(g->count, sizeof(*paths));
    bool ok = true;
    for (size_t i = 0; ok && i < g->count; i++) {
        paths[i] = ph_plan_final_path(plan->into, g->libs[i]);
        for (size_t k = 0; ok && k < i; k++) {
            if (g->libs[k]->same_as || g->libs[i]->same_as ||
                    strcasecmp(paths[k], paths[i]) != 0) {
                continue;
            }
            *clash = (struct ph_plan_clash){g->libs[k], g->libs[i]};
            ok = settle(g->libs[k], g->libs[i]);
        }
    }
    for (size_t i = 0; i < g->count; i++) {
        free(paths[i]);
    }
    free(paths);
    return ok;
}

/* What `user` shall call the library. */
static char *reference(const struct ph_plan *plan, const struct ph_lib *user,
        const struct ph_lib *lib)
{
    AUTOFREE char *to = ph_plan_final_path(plan->into, lib);
    AUTOFREE char *in_folder = ph_path_relative(plan->into, to);
    if (strcmp(plan->prefix, "@loader_path") != 0 || !user) {
        bool loader = strcmp(plan->prefix, "@loader_path") == 0;
        return ph_xasprintf(
                "%s/%s", loader ? "@rpath" : plan->prefix, in_folder);
    }
    AUTOFREE char *from = ph_plan_final_path(plan->into, user);
    AUTOFREE char *from_dir = ph_path_dir(from);
    AUTOFREE char *relative = ph_path_relative(from_dir, to);
    return ph_xasprintf("@loader_path/%s", relative);
}

static const struct ph_lib *stand_in(const struct ph_lib *lib)
{
    while (lib->same_as) {
        lib = lib->same_as;
    }
    return lib;
}

static void plan_names(const struct ph_plan *plan, struct ph_lib *lib)
{
    if (lib->id && (!lib->in_place || ph_path_is_build(lib->id))) {
        lib->new_id = reference(plan, NULL, lib);
    }
    for (size_t i = 0; i < lib->dep_count; i++) {
        struct ph_dep *dep = &lib->deps[i];
        if (dep->state != PH_DEP_LIBRARY) {
            continue;
        }
        const struct ph_lib *to = stand_in(dep->lib);
        /* A name that works in the bundle already is not ours to change. */
        if (lib->in_place && to->in_place && dep->name[0] == '@' &&
                !dep->searched) {
            continue;
        }
        AUTOFREE char *name = reference(plan, lib, to);
        if (strcmp(name, dep->name) != 0) {
            dep->new_name = ph_steal_ptr(&name);
        }
    }
}

/* A program finds @rpath libraries only by an rpath of its own. */
static void plan_program_rpath(const struct ph_plan *plan, struct ph_lib *lib)
{
    AUTOFREE char *final = ph_plan_final_path(plan->into, lib);
    AUTOFREE char *dir = ph_path_dir(final);
    for (size_t i = 0; i < lib->rpaths.count; i++) {
        const char *rpath = lib->rpaths.items[i];
        AUTOFREE char *leads_to = ph_resolve_expand(rpath, dir, dir);
        if (leads_to && rpath[0] == '@' && strcmp(leads_to, plan->into) == 0) {
            return;
        }
    }
    AUTOFREE char *relative = ph_path_relative(dir, plan->into);
    bool here = strcmp(relative, ".") == 0;
    ph_strings_take(&lib->add_rpaths,
            ph_xasprintf("@executable_path%s%s", here ? "" : "/",
                    here ? "" : relative));
}

/* Whether a file of the graph finds another one by @rpath in a new way: an app
 * that is in order already is not to be touched. */
static bool needs_rpath(const struct ph_graph *g, const struct ph_lib *program)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct ph_lib *lib = g->libs[i];
        for (size_t k = 0; !lib->same_as && k < lib->dep_count; k++) {
            const struct ph_dep *dep = &lib->deps[k];
            const char *name = dep->new_name ? dep->new_name : dep->name;
            bool is_new = dep->needs_rpath || dep->new_name ||
                    program->drop_rpaths.count > 0 ||
                    lib->drop_rpaths.count > 0 || !lib->in_place;
            if (dep->state == PH_DEP_LIBRARY && is_new &&
                    strncmp(name, "@rpath/", 7) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void drop_build_rpaths(struct ph_lib *lib)
{
    for (size_t i = 0; i < lib->rpaths.count; i++) {
        if (ph_path_is_build(lib->rpaths.items[i])) {
            ph_strings_add(&lib->drop_rpaths, lib->rpaths.items[i]);
        }
    }
}

bool ph_plan_run(const struct ph_plan *plan, struct ph_graph *g,
        struct ph_plan_clash *clash)
{
    for (size_t i = 0; i < g->count; i++) {
        if (!place(plan, g->libs[i])) {
            *clash = (struct ph_plan_clash){g->libs[i], NULL};
            return false;
        }
    }
    if (!find_clash(plan, g, clash)) {
        return false;
    }
    for (size_t i = 0; i < g->count; i++) {
        if (!g->libs[i]->same_as) {
            plan_names(plan, g->libs[i]);
            drop_build_rpaths(g->libs[i]);
        }
    }
    for (size_t i = 0; i < g->count; i++) {
        struct ph_lib *lib = g->libs[i];
        if (!lib->same_as && ph_lib_type(lib) == PH_MACHO_EXECUTE &&
                needs_rpath(g, lib)) {
            plan_program_rpath(plan, lib);
        }
    }
    return true;
}
