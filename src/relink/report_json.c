/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "relink/plan.h"
#include "relink/report.h"

static void put_strings(
        struct ph_json *j, const char *key, const struct ph_strings *s)
{
    ph_json_open_array(j, key);
    for (size_t i = 0; i < s->count; i++) {
        ph_json_string(j, NULL, s->items[i]);
    }
    ph_json_close(j);
}

static void put_dep(struct ph_json *j, const struct ph_dep *dep)
{
    ph_json_open_object(j, NULL);
    ph_json_string(j, "name", dep->name);
    ph_json_string(j, "state", ph_report_dep_state(dep));
    ph_json_bool(j, "weak", dep->weak);
    if (dep->lib) {
        ph_json_string(j, "path", dep->lib->path);
    }
    if (dep->new_name) {
        ph_json_string(j, "renamed", dep->new_name);
    }
    ph_json_close(j);
}

static void put_lib(
        struct ph_json *j, const struct ph_lib *lib, const char *into)
{
    static const char *const actions[] = {
            "copied", "edited", "unchanged", "same"};
    AUTOFREE char *final = ph_plan_final_path(into, lib);
    ph_json_open_object(j, NULL);
    ph_json_string(j, "path", lib->path);
    ph_json_string(j, "target", final);
    ph_json_string(j, "action", actions[ph_report_action(lib)]);
    if (lib->same_as) {
        ph_json_string(j, "same_as", lib->same_as->path);
    }
    ph_json_bool(j, "edited", lib->edited);
    ph_json_bool(j, "replaced", lib->replaced);
    ph_json_u64(j, "size", lib->mapping.size);
    ph_json_open_array(j, "architectures");
    for (unsigned i = 0; i < lib->file.count; i++) {
        ph_json_string(j, NULL, ph_macho_arch_name(&lib->file.slices[i].image));
    }
    ph_json_close(j);
    if (lib->id) {
        ph_json_string(j, "id", lib->new_id ? lib->new_id : lib->id);
    }
    ph_json_open_array(j, "dependencies");
    for (size_t i = 0; i < lib->dep_count; i++) {
        put_dep(j, &lib->deps[i]);
    }
    ph_json_close(j);
    put_strings(j, "rpaths_dropped", &lib->drop_rpaths);
    put_strings(j, "rpaths_added", &lib->add_rpaths);
    ph_json_close(j);
}

bool ph_report_json(
        FILE *out, const struct ph_graph *g, const struct ph_report *r)
{
    struct ph_json j;
    ph_json_init(&j, out, 2);
    ph_json_open_object(&j, NULL);
    ph_json_bool(&j, "ok", r->ok);
    ph_json_bool(&j, "dry_run", r->dry_run);
    ph_json_string(&j, "into", r->into);
    ph_json_string(&j, "bundle", r->bundle);
    ph_json_bool(&j, "seal_stale", r->seal_stale);
    ph_json_open_array(&j, "files");
    for (size_t i = 0; i < g->count; i++) {
        put_lib(&j, g->libs[i], r->into);
    }
    ph_json_close(&j);
    ph_json_close(&j);
    return ph_json_finish(&j);
}
