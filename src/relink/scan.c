/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/resolve.h"
#define LOG_MODULE "scan"
#include "common/log.h"

static bool map_file(struct ph_lib *lib, const char *path)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        LOG_ERRNO("cannot open %s", path);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        LOG_ERR("%s is not a file: name the binary itself", path);
        return false;
    }
    lib->mode = st.st_mode & 0777;
    lib->dev = st.st_dev;
    lib->ino = st.st_ino;
    if (!ph_mapping_open(&lib->mapping, fd, (size_t)st.st_size)) {
        LOG_ERRNO("cannot map %s", path);
        return false;
    }
    return true;
}

struct ph_lib *ph_scan_load(struct ph_graph *g, const char *path,
        const char *given, enum ph_macho_result *why)
{
    struct ph_graph one = {0};
    struct ph_lib *lib = ph_graph_add(&one);
    lib->path = ph_xstrdup(path);
    lib->given = ph_xstrdup(given);
    *why = PH_MACHO_OK;
    bool ok = map_file(lib, path);
    if (ok) {
        *why = ph_macho_parse_file(
                lib->mapping.data, lib->mapping.size, &lib->file);
        ok = *why == PH_MACHO_OK;
    }
    if (!ok) {
        ph_graph_finish(&one);
        return NULL;
    }
    ph_lib_read_commands(lib);
    struct ph_lib *added = ph_graph_add(g);
    *added = *lib;
    free(lib);
    free(one.libs);
    return added;
}

/* The lib with this real path, loaded now if it is not there yet. */
static struct ph_lib *get_lib(struct ph_graph *g, const struct ph_scan *scan,
        const char *path, const char *given, struct ph_lib *loader)
{
    AUTOFREE char *real = ph_path_real(path);
    struct stat st;
    if (!real || stat(real, &st) < 0) {
        LOG_ERRNO("cannot open %s", path);
        return NULL;
    }
    for (size_t i = 0; i < g->count; i++) {
        if (g->libs[i]->dev == st.st_dev && g->libs[i]->ino == st.st_ino) {
            return g->libs[i];
        }
    }
    if (g->count == PH_SCAN_FILES_MAX) {
        LOG_ERR("more than %d files: is %s really part of the tree?",
                PH_SCAN_FILES_MAX, path);
        return NULL;
    }
    enum ph_macho_result why = PH_MACHO_OK;
    struct ph_lib *lib = ph_scan_load(g, real, given, &why);
    if (lib) {
        lib->loader = loader;
        lib->in_place = ph_path_under(real, scan->bundle);
    } else if (why != PH_MACHO_OK) {
        LOG_ERR("%s is %s", real, ph_macho_result_text(why));
    }
    return lib;
}

static bool is_from(const struct ph_scan *scan, const char *path)
{
    for (size_t i = 0; i < scan->from.count; i++) {
        AUTOFREE char *real = ph_path_real(scan->from.items[i]);
        if (ph_path_under(path, scan->from.items[i]) ||
                (real && ph_path_under(path, real))) {
            return true;
        }
    }
    return false;
}

/* Whether the file goes into the bundle, or is there already. */
static bool is_wanted(const struct ph_scan *scan, const struct ph_dep *dep,
        const char *path, const char *real)
{
    return scan->from.count == 0 || is_from(scan, dep->name) ||
            is_from(scan, path) || is_from(scan, real) ||
            ph_path_under(real, scan->bundle);
}

/* What it means that a dependency is nowhere; false: that is an error. */
static bool accept_missing(const struct ph_scan *scan, struct ph_dep *dep)
{
    dep->state = PH_DEP_MISSING;
    if (dep->name[0] == '/' && scan->from.count > 0 &&
            !is_from(scan, dep->name)) {
        dep->state = PH_DEP_OUTSIDE; /* not asked for: no need to look */
        return true;
    }
    return dep->weak || scan->allow_missing;
}

/* One line a library, whoever needs it. */
static void log_missing(const struct ph_graph *g)
{
    struct ph_strings seen = {0};
    for (size_t i = 0; i < g->count; i++) {
        for (size_t k = 0; k < g->libs[i]->dep_count; k++) {
            const struct ph_dep *dep = &g->libs[i]->deps[k];
            if (dep->state == PH_DEP_MISSING && !dep->weak &&
                    !ph_strings_have(&seen, dep->name)) {
                ph_strings_add(&seen, dep->name);
                LOG_ERR("%s, which %s needs, is nowhere", dep->name,
                        g->libs[i]->path);
            }
        }
    }
    if (seen.count > 0) {
        LOG_ERR("name the folder of what is missing with --search, or leave "
                "it as it is with --allow-missing");
    }
    ph_strings_finish(&seen);
}

static bool resolve_dep(struct ph_graph *g, const struct ph_scan *scan,
        struct ph_lib *lib, struct ph_dep *dep)
{
    struct ph_strings into = {(char *[]){(char *)scan->into}, 1};
    struct ph_resolver r = {g, &into, &scan->search};
    AUTOFREE char *path = NULL;
    enum ph_resolved_by by = PH_RESOLVED_BY_DYLD;
    switch (ph_resolve(&r, lib, dep->name, &path, &by)) {
    case PH_RESOLVED_SYSTEM:
        dep->state = PH_DEP_SYSTEM;
        return true;
    case PH_RESOLVED_NONE:
        return accept_missing(scan, dep);
    case PH_RESOLVED_FILE:
        break;
    }
    AUTOFREE char *real = ph_path_real(path);
    if (real && by != PH_RESOLVED_BY_SEARCH &&
            !is_wanted(scan, dep, path, real)) {
        dep->state = PH_DEP_OUTSIDE;
        return true;
    }
    dep->state = PH_DEP_LIBRARY;
    dep->needs_rpath = by == PH_RESOLVED_BY_RPATH_DIR;
    dep->searched = by == PH_RESOLVED_BY_SEARCH;
    dep->lib = get_lib(g, scan, path, dep->name, lib);
    if (dep->lib && !dep->lib->id) {
        LOG_ERR("%s loads %s, which is not a dylib", lib->path, dep->lib->path);
        return false;
    }
    return dep->lib != NULL;
}

static bool add_binaries(struct ph_graph *g, const struct ph_scan *scan,
        char *const *binaries, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        struct ph_lib *lib = get_lib(g, scan, binaries[i], binaries[i], NULL);
        if (lib) {
            lib->binary = true;
        }
        ok = ok && lib;
    }
    return ok;
}

bool ph_scan_run(struct ph_graph *g, const struct ph_scan *scan,
        char *const *binaries, size_t count)
{
    bool ok = add_binaries(g, scan, binaries, count);
    for (size_t i = 0; i < g->count; i++) {
        for (size_t k = 0; k < g->libs[i]->dep_count; k++) {
            /* All of them, so that one run names all that is missing. */
            ok = resolve_dep(g, scan, g->libs[i], &g->libs[i]->deps[k]) && ok;
        }
    }
    if (!ok && !scan->allow_missing) {
        log_missing(g);
    }
    return ok;
}
