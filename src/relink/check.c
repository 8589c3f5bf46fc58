/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/macros.h"
#include "relink/resolve.h"
#include "relink/scan.h"
#include "relink/seal.h"
#define LOG_MODULE "check"
#include "common/log.h"

enum {
    FOLDER_DEPTH_MAX = 32,
};

void ph_check_add(
        struct ph_check *c, const struct ph_lib *lib, bool note, char *text)
{
    c->findings =
            ph_xrealloc(c->findings, (c->count + 1) * sizeof(*c->findings));
    c->findings[c->count++] = (struct ph_finding){
            ph_xstrdup(lib ? lib->path : c->bundle), text, note};
    c->problems += !note;
}

static void load_file(struct ph_check *c, const char *path, off_t size)
{
    struct ph_lib probe = {.path = (char *)path};
    if (size < PH_MACHO_HEADER_SIZE) {
        return;
    }
    if (c->graph.count == PH_SCAN_FILES_MAX) {
        ph_check_add(c, &probe, false,
                ph_xasprintf("is not checked: more than %d Mach-O files",
                        PH_SCAN_FILES_MAX));
        return;
    }
    enum ph_macho_result why = PH_MACHO_OK;
    struct ph_lib *lib = ph_scan_load(&c->graph, path, path, &why);
    if (!lib && why != PH_MACHO_NOT_MACHO && why != PH_MACHO_UNSUPPORTED_TYPE) {
        ph_check_add(c, &probe, why == PH_MACHO_UNSUPPORTED_CPU,
                ph_xasprintf("is %s",
                        why == PH_MACHO_OK ? "unreadable"
                                           : ph_macho_result_text(why)));
    }
    if (lib) {
        lib->in_place = true;
        lib->binary = ph_lib_type(lib) == PH_MACHO_EXECUTE;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, in an order that does not depend on the disk. */
static bool list_folder(const char *path, struct ph_strings *names)
{
    DIR *dir = opendir(path);
    if (!dir) {
        LOG_ERRNO("cannot read %s", path);
        return false;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 &&
                strcmp(entry->d_name, "..") != 0) {
            ph_strings_add(names, entry->d_name);
        }
    }
    closedir(dir);
    if (names->count > 0) {
        qsort(names->items, names->count, sizeof(*names->items), by_name);
    }
    return true;
}

/* Loads every Mach-O file below; symlinks are not followed. */
static bool walk(struct ph_check *c, const char *path, int depth)
{
    struct ph_strings names = {0};
    if (depth == FOLDER_DEPTH_MAX) {
        LOG_ERR("%s: folders are nested more than %d deep", path,
                FOLDER_DEPTH_MAX);
        return false;
    }
    bool ok = list_folder(path, &names);
    for (size_t i = 0; ok && i < names.count; i++) {
        AUTOFREE char *child = ph_path_join(path, names.items[i]);
        struct stat st;
        if (lstat(child, &st) < 0) {
            LOG_ERRNO("cannot read %s", child);
            ok = false;
        } else if (S_ISDIR(st.st_mode)) {
            ok = walk(c, child, depth + 1);
        } else if (S_ISREG(st.st_mode)) {
            load_file(c, child, st.st_size);
        }
    }
    ph_strings_finish(&names);
    return ok;
}

static void check_paths(struct ph_check *c, const struct ph_lib *lib)
{
    if (lib->id && ph_path_is_build(lib->id)) {
        ph_check_add(c, lib, false,
                ph_xasprintf(
                        "its id is a path of the build machine: %s", lib->id));
    }
    for (size_t i = 0; i < lib->rpaths.count; i++) {
        if (ph_path_is_build(lib->rpaths.items[i])) {
            ph_check_add(c, lib, false,
                    ph_xasprintf("an rpath leads to the build machine: %s",
                            lib->rpaths.items[i]));
        }
    }
}

static const struct ph_lib *find_lib(const struct ph_check *c, const char *real)
{
    for (size_t i = 0; i < c->graph.count; i++) {
        if (strcmp(c->graph.libs[i]->path, real) == 0) {
            return c->graph.libs[i];
        }
    }
    return NULL;
}

static void check_found(struct ph_check *c, const struct ph_lib *lib,
        const char *name, const char *path)
{
    AUTOFREE char *real = ph_path_real(path);
    const struct ph_lib *to = real ? find_lib(c, real) : NULL;
    if (!to) {
        const char *root = c->bundle ? c->bundle : c->dir;
        bool inside = real && ph_path_under(real, root);
        if (!inside) {
            ph_check_add(c, lib, false,
                    ph_xasprintf("%s leads out of the bundle, to %s", name,
                            real ? real : path));
        }
        return;
    }
    for (unsigned i = 0; i < lib->file.count; i++) {
        const struct ph_macho *m = &lib->file.slices[i].image;
        if (!ph_lib_has_cpu(to, m->cpu)) {
            ph_check_add(c, lib, false,
                    ph_xasprintf(
                            "%s has no %s code", name, ph_macho_arch_name(m)));
        }
    }
}

static void check_deps(struct ph_check *c, const struct ph_lib *lib,
        const struct ph_resolver *r)
{
    for (size_t i = 0; i < lib->dep_count; i++) {
        const struct ph_dep *dep = &lib->deps[i];
        AUTOFREE char *path = NULL;
        enum ph_resolved_by by = PH_RESOLVED_BY_DYLD;
        if (ph_path_is_build(dep->name)) {
            ph_check_add(c, lib, false,
                    ph_xasprintf("a dependency is a path of the build "
                                 "machine: %s",
                            dep->name));
            continue;
        }
        switch (ph_resolve(r, lib, dep->name, &path, &by)) {
        case PH_RESOLVED_SYSTEM:
            break;
        case PH_RESOLVED_FILE:
            check_found(c, lib, dep->name, path);
            break;
        case PH_RESOLVED_NONE:
            ph_check_add(c, lib, dep->weak,
                    ph_xasprintf("%s is not there%s", dep->name,
                            dep->weak ? " (weak: it runs without)" : ""));
            break;
        }
    }
}

/* Libraries resolve as loaded by the bundle's program. A folder without one is
 * taken for the Frameworks folder of an app that has an rpath to it. */
static void check_graph(struct ph_check *c)
{
    struct ph_strings rpath_dirs = {0};
    struct ph_lib host = {.path = ph_xasprintf("%s/../MacOS/app", c->dir)};
    struct ph_lib *program = &host;
    for (size_t i = 0; i < c->graph.count; i++) {
        if (c->graph.libs[i]->binary && program == &host) {
            program = c->graph.libs[i];
        }
    }
    if (program == &host) {
        ph_strings_add(&rpath_dirs, c->dir);
    }
    struct ph_resolver r = {&c->graph, &rpath_dirs, NULL};
    for (size_t i = 0; i < c->graph.count; i++) {
        struct ph_lib *lib = c->graph.libs[i];
        lib->loader = lib->binary ? NULL : program;
        check_paths(c, lib);
        check_deps(c, lib, &r);
        ph_check_signatures(c, lib);
        lib->loader = NULL;
    }
    ph_strings_finish(&rpath_dirs);
    free(host.path);
}

bool ph_check_run(struct ph_check *c, const char *dir)
{
    *c = (struct ph_check){.dir = ph_path_real(dir)};
    if (!c->dir) {
        LOG_ERRNO("cannot open %s", dir);
        return false;
    }
    c->bundle = ph_seal_bundle_of(c->dir);
    if (!walk(c, c->dir, 0)) {
        return false;
    }
    check_graph(c);
    ph_check_seal(c);
    return true;
}

void ph_check_finish(struct ph_check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->findings[i].path);
        free(c->findings[i].text);
    }
    free(c->findings);
    free(c->dir);
    free(c->bundle);
    ph_graph_finish(&c->graph);
    *c = (struct ph_check){0};
}
