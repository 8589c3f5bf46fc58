/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/move.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "relink/apply.h"
#include "relink/plan.h"
#include "relink/report.h"
#include "relink/scan.h"
#include "relink/seal.h"
#define LOG_MODULE "move"
#include "common/log.h"

static void log_clash(const struct ph_plan_clash *clash)
{
    if (!clash->b) {
        LOG_ERR("%s: neither its id nor its file name can name a file",
                clash->a->path);
        return;
    }
    LOG_ERR("%s and %s differ, but would have the same name in the folder: "
            "link against one of them, or move them apart with two runs",
            clash->a->path, clash->b->path);
}

static void take_prefixes(
        struct ph_strings *out, const struct ph_opt_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        ph_strings_take(
                out, item[0] == '/' ? ph_path_clean(item) : ph_path_real(item));
        if (!out->items[out->count - 1]) {
            out->count--; /* relative, and not there: matches nothing */
            LOG_WARN("there is no %s", item);
        }
    }
}

/* The folder must be one, or be possible to make. */
static char *find_folder(const char *into)
{
    char *real = ph_path_real_new(into);
    struct stat st;
    if (!real) {
        LOG_ERRNO("cannot make the folder %s", into);
    } else if (stat(real, &st) == 0 && !S_ISDIR(st.st_mode)) {
        LOG_ERR("%s is in the way: it is not a folder", real);
        free(real);
        real = NULL;
    }
    return real;
}

static bool plan_and_apply(struct ph_graph *g, const struct ph_plan *plan,
        const struct ph_apply *apply)
{
    struct ph_plan_clash clash = {0};
    if (!ph_plan_run(plan, g, &clash)) {
        log_clash(&clash);
        return false;
    }
    return ph_apply_run(g, apply);
}

static bool print_report(const struct ph_relink_options *o, struct ph_graph *g,
        const struct ph_report *r)
{
    if (o->json) {
        return ph_report_json(stdout, g, r);
    }
    if (!r->ok) {
        return true; /* the log said why */
    }
    ph_report_text(stdout, g, r);
    return fflush(stdout) == 0;
}

static bool seal_is_stale(
        const struct ph_graph *g, const char *app, const char *into)
{
    AUTOFREE char *what = NULL;
    struct ph_strings files = ph_seal_files(g, into);
    bool stale = ph_seal_check(app, &files, &what) == PH_SEAL_STALE;
    ph_strings_finish(&files);
    return stale;
}

int ph_move_run(
        const struct ph_relink_options *o, char *const *binaries, size_t count)
{
    AUTOFREE char *into = find_folder(o->into);
    if (!into) {
        return 1;
    }
    AUTOFREE char *app = ph_seal_bundle_of(into);
    const char *bundle = app ? app : into;
    struct ph_scan scan = {
            .into = into, .bundle = bundle, .allow_missing = o->allow_missing};
    take_prefixes(&scan.from, &o->from);
    take_prefixes(&scan.search, &o->search);
    struct ph_plan plan = {into, o->layout, o->prefix};
    struct ph_apply apply = {into, bundle, o->sign, o->dry_run,
            isatty(STDERR_FILENO) && !o->json};
    struct ph_graph g = {0};
    struct ph_report report = {
            .into = into, .dry_run = o->dry_run, .bundle = app};
    report.ok = ph_scan_run(&g, &scan, binaries, count) &&
            plan_and_apply(&g, &plan, &apply);
    report.seal_stale = report.ok && app && seal_is_stale(&g, app, into);
    bool printed = print_report(o, &g, &report);
    if (!printed) {
        LOG_ERRNO("cannot write to standard output");
    }
    ph_graph_finish(&g);
    ph_strings_finish(&scan.from);
    ph_strings_finish(&scan.search);
    return report.ok && printed ? 0 : 1;
}
