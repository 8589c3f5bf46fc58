/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/report.h"

#include <inttypes.h>
#include <string.h>

#include "common/macros.h"
#include "relink/hint.h"

struct totals {
    unsigned actions[PH_REPORT_SAME + 1];
    uint64_t copied_bytes;
    unsigned names;
    unsigned ids;
    unsigned dropped;
    unsigned added;
    unsigned system;
};

enum ph_report_action ph_report_action(const struct ph_lib *lib)
{
    if (lib->same_as) {
        return PH_REPORT_SAME;
    }
    if (!lib->written) {
        return PH_REPORT_UNCHANGED;
    }
    return lib->in_place ? PH_REPORT_EDITED : PH_REPORT_COPIED;
}

const char *ph_report_dep_state(const struct ph_dep *dep)
{
    switch (dep->state) {
    case PH_DEP_SYSTEM:
        return "system";
    case PH_DEP_OUTSIDE:
        return "left";
    case PH_DEP_MISSING:
        return "missing";
    case PH_DEP_LIBRARY:
        break;
    }
    return "library";
}

static const char *action_text(const struct ph_lib *lib)
{
    static const char *const texts[] = {
            "copied", "edited in place", "unchanged", "the same as another"};
    return lib->replaced ? "copied over the one there"
                         : texts[ph_report_action(lib)];
}

enum {
    DEPTH_MAX = 200, /* of the drawing */
};

static void print_lib(FILE *out, struct ph_lib *lib, int depth)
{
    const char *name = lib->target ? lib->target : lib->path;
    fprintf(out, "%*s%s", depth * 2, "", name);
    if (lib->printed) {
        fputs("  (see above)\n", out);
        return;
    }
    lib->printed = true;
    fprintf(out, "  %s", action_text(lib));
    if (lib->target) {
        fprintf(out, ", from %s", lib->path);
    }
    fputs(lib->squeezed                  ? ", source version dropped for room\n"
                    : lib->unsigned_left ? ", still unsigned: no room\n"
                                         : "\n",
            out);
    for (size_t i = 0; i < lib->dep_count && depth < DEPTH_MAX; i++) {
        const struct ph_dep *dep = &lib->deps[i];
        if (dep->state == PH_DEP_LIBRARY && dep->lib) {
            print_lib(out, dep->lib, depth + 1);
        } else if (dep->state == PH_DEP_OUTSIDE) {
            fprintf(out, "%*s%s  LEFT: not under --from\n", depth * 2 + 2, "",
                    dep->name);
        } else if (dep->state == PH_DEP_MISSING) {
            fprintf(out, "%*s%s  MISSING%s\n", depth * 2 + 2, "", dep->name,
                    dep->weak ? " (weak: it runs without)" : "");
        }
    }
}

static struct totals add_up(const struct ph_graph *g)
{
    struct totals t = {0};
    for (size_t i = 0; i < g->count; i++) {
        const struct ph_lib *lib = g->libs[i];
        enum ph_report_action action = ph_report_action(lib);
        t.actions[action]++;
        t.copied_bytes += action == PH_REPORT_COPIED ? lib->mapping.size : 0;
        if (lib->edited) {
            t.ids += lib->new_id && strcmp(lib->new_id, lib->id) != 0;
            t.dropped += (unsigned)lib->drop_rpaths.count;
            t.added += (unsigned)lib->add_rpaths.count;
        }
        for (size_t k = 0; k < lib->dep_count; k++) {
            t.names += lib->edited && lib->deps[k].new_name;
            t.system += lib->deps[k].state == PH_DEP_SYSTEM;
        }
    }
    return t;
}

void ph_report_text(FILE *out, struct ph_graph *g, const struct ph_report *r)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->libs[i]->binary) {
            print_lib(out, g->libs[i], 0);
        }
    }
    struct totals t = add_up(g);
    fprintf(out,
            "\n%s%s: %u copied (%.1f MB), %u edited in place, %u "
            "unchanged\n"
            "%u dependencies and %u ids renamed, %u rpaths dropped, %u added; "
            "%u references to macOS libraries left\n",
            r->dry_run ? "would be done in " : "", r->into,
            t.actions[PH_REPORT_COPIED], (double)t.copied_bytes / 1e6,
            t.actions[PH_REPORT_EDITED], t.actions[PH_REPORT_UNCHANGED],
            t.names, t.ids, t.dropped, t.added, t.system);
    if (r->seal_stale) {
        fprintf(out, "\nThe seal of %s no longer fits what is in it.\n",
                r->bundle);
        ph_hint_print(out, g, r->into, r->bundle);
    }
}
