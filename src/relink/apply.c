/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/apply.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/framework.h"
#include "relink/output.h"
#include "relink/plan.h"
#include "relink/stage.h"
#define LOG_MODULE "apply"
#include "common/log.h"

static volatile sig_atomic_t interrupted;

void ph_apply_interrupt(void)
{
    interrupted = 1;
}

static void log_failure(const struct ph_lib *lib, enum ph_rewrite_result r,
        const struct ph_rewrite_failure *f)
{
    const char *arch = f->slice ? ph_macho_arch_name(f->slice) : "all slices";
    if (r == PH_REWRITE_NO_ROOM) {
        LOG_ERR("%s (%s): %u bytes are missing: %s", lib->path, arch,
                f->missing, ph_rewrite_result_text(r));
    } else {
        LOG_ERR("%s (%s): %s", lib->path, arch, ph_rewrite_result_text(r));
    }
}

/* Finds what cannot be done in all files, before anything is written. */
static bool check_all(struct ph_graph *g, const struct ph_apply *a)
{
    bool ok = true;
    for (size_t i = 0; i < g->count; i++) {
        struct ph_lib *lib = g->libs[i];
        if (lib->same_as) {
            continue;
        }
        AUTOFREE struct ph_rename *renames =
                ph_xcalloc(lib->dep_count, sizeof(*renames));
        struct ph_edits edits = ph_lib_edits(lib, renames);
        struct ph_rewrite_failure failure;
        enum ph_rewrite_result r =
                ph_rewrite_check(&lib->file, &edits, a->sign, &failure);
        if (r != PH_REWRITE_OK) {
            log_failure(lib, r, &failure);
            ok = false;
        }
    }
    return ok;
}

/* Copies are writable, for who signs them later; edits keep their mode. */
static mode_t mode_of(const struct ph_lib *lib)
{
    return lib->in_place ? lib->mode : lib->mode | 0200;
}

static bool stage_output(struct ph_lib *lib, const struct ph_apply *a,
        struct ph_stage *s, const struct ph_output *out)
{
    AUTOFREE char *final = ph_plan_final_path(a->into, lib);
    lib->edited = out->changed;
    lib->squeezed = out->squeezed;
    lib->unsigned_left = out->unsigned_left;
    lib->written = lib->in_place
            ? out->changed
            : !ph_output_equals(final, out->chunks, out->count);
    struct stat st;
    lib->replaced = lib->written && !lib->in_place && lstat(final, &st) == 0;
    if (a->dry_run) {
        return true;
    }
    if (lib->written) {
        const char *staged = ph_stage_add(s, final);
        if (!staged ||
                !ph_output_write(
                        staged, out->chunks, out->count, mode_of(lib))) {
            return false;
        }
    }
    return !lib->framework || ph_framework_stage(s, a->into, lib);
}

static bool stage_lib(
        struct ph_lib *lib, const struct ph_apply *a, struct ph_stage *s)
{
    AUTOFREE struct ph_rename *renames =
            ph_xcalloc(lib->dep_count, sizeof(*renames));
    struct ph_edits edits = ph_lib_edits(lib, renames);
    struct ph_rewrite_failure failure;
    struct ph_output out;
    AUTOFREE char *identifier = ph_plan_framework_name(
            ph_path_base(lib->target ? lib->target : lib->path));
    enum ph_rewrite_result r = ph_rewrite_file(
            &lib->file, &edits, a->sign, identifier, &out, &failure);
    if (r != PH_REWRITE_OK) {
        log_failure(lib, r, &failure);
    }
    bool ok = r == PH_REWRITE_OK && stage_output(lib, a, s, &out);
    ph_output_finish(&out);
    return ok;
}

static void show_progress(
        const struct ph_apply *a, size_t done, const struct ph_graph *g)
{
    if (a->progress) {
        fprintf(stderr, "\r\033[K[%zu/%zu] %s", done + 1, g->count,
                ph_path_base(g->libs[done]->path));
        fflush(stderr);
    }
}

static bool stage_all(
        struct ph_graph *g, const struct ph_apply *a, struct ph_stage *s)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->count; i++) {
        if (interrupted) {
            LOG_ERR("interrupted; nothing was changed");
            ok = false;
        } else if (!g->libs[i]->same_as) {
            show_progress(a, i, g);
            ok = stage_lib(g->libs[i], a, s);
        }
    }
    if (a->progress) {
        fputs("\r\033[K", stderr);
    }
    return ok;
}

bool ph_apply_run(struct ph_graph *g, const struct ph_apply *a)
{
    if (!check_all(g, a)) {
        return false;
    }
    AUTOFREE char *parent = ph_path_dir(a->into);
    struct ph_stage stage;
    ph_stage_init(&stage, parent);
    bool ok =
            stage_all(g, a, &stage) && (a->dry_run || ph_stage_commit(&stage));
    ph_stage_discard(&stage);
    return ok;
}
