/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/graph.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/alloc.h"

bool ph_mapping_open(struct ph_mapping *m, int fd, size_t size)
{
    *m = (struct ph_mapping){0};
    if (size == 0) {
        return true;
    }
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        return false;
    }
    *m = (struct ph_mapping){p, size};
    return true;
}

void ph_mapping_finish(struct ph_mapping *m)
{
    if (m->data) {
        munmap(m->data, m->size);
    }
    *m = (struct ph_mapping){0};
}

static void add_dep(struct ph_lib *lib, const char *name, bool weak)
{
    for (size_t i = 0; i < lib->dep_count; i++) {
        if (strcmp(lib->deps[i].name, name) == 0) {
            lib->deps[i].weak = lib->deps[i].weak && weak;
            return;
        }
    }
    lib->deps =
            ph_xrealloc(lib->deps, (lib->dep_count + 1) * sizeof(*lib->deps));
    lib->deps[lib->dep_count++] =
            (struct ph_dep){.name = ph_xstrdup(name), .weak = weak};
}

void ph_lib_read_commands(struct ph_lib *lib)
{
    lib->id = ph_macho_id(&lib->file.slices[0].image);
    for (unsigned i = 0; i < lib->file.count; i++) {
        struct ph_macho_command c = {0};
        while (ph_macho_next(&lib->file.slices[i].image, &c)) {
            if (ph_macho_is_load(c.cmd)) {
                add_dep(lib, ph_macho_name(&c), c.cmd == PH_LC_LOAD_WEAK_DYLIB);
            } else if (c.cmd == PH_LC_RPATH &&
                    !ph_strings_have(&lib->rpaths, ph_macho_name(&c))) {
                ph_strings_add(&lib->rpaths, ph_macho_name(&c));
            }
        }
    }
}

struct ph_edits ph_lib_edits(
        const struct ph_lib *lib, struct ph_rename *renames)
{
    struct ph_edits e = {
            .id = lib->new_id,
            .renames = renames,
            .drop_rpaths = (const char *const *)lib->drop_rpaths.items,
            .drop_count = lib->drop_rpaths.count,
            .add_rpaths = (const char *const *)lib->add_rpaths.items,
            .add_count = lib->add_rpaths.count,
    };
    for (size_t i = 0; i < lib->dep_count; i++) {
        if (lib->deps[i].new_name) {
            renames[e.rename_count++] = (struct ph_rename){
                    lib->deps[i].name, lib->deps[i].new_name};
        }
    }
    return e;
}

bool ph_lib_has_cpu(const struct ph_lib *lib, enum ph_macho_cpu cpu)
{
    for (unsigned i = 0; i < lib->file.count; i++) {
        if (lib->file.slices[i].image.cpu == cpu) {
            return true;
        }
    }
    return false;
}

enum ph_macho_type ph_lib_type(const struct ph_lib *lib)
{
    return lib->file.slices[0].image.type;
}

struct ph_lib *ph_graph_add(struct ph_graph *g)
{
    g->libs = ph_xrealloc(g->libs, (g->count + 1) * sizeof(struct ph_lib *));
    g->libs[g->count] = ph_xcalloc(1, sizeof(**g->libs));
    return g->libs[g->count++];
}

static void destroy_lib(struct ph_lib *lib)
{
    for (size_t i = 0; i < lib->dep_count; i++) {
        free(lib->deps[i].name);
        free(lib->deps[i].new_name);
    }
    free(lib->deps);
    ph_strings_finish(&lib->rpaths);
    ph_strings_finish(&lib->drop_rpaths);
    ph_strings_finish(&lib->add_rpaths);
    ph_mapping_finish(&lib->mapping);
    free(lib->path);
    free(lib->given);
    free(lib->target);
    free(lib->new_id);
    free(lib);
}

void ph_graph_finish(struct ph_graph *g)
{
    for (size_t i = 0; i < g->count; i++) {
        destroy_lib(g->libs[i]);
    }
    free(g->libs);
    *g = (struct ph_graph){0};
}
