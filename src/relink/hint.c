/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/hint.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/plan.h"

/* In single quotes, as a shell takes it. */
static void print_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            fputc(*text, out);
        }
    }
    fputc('\'', out);
}

char *ph_hint_item(const char *path)
{
    const char *tail = ph_path_framework_tail(path);
    if (!tail) {
        return ph_xstrdup(path);
    }
    const char *end = strstr(tail, ".framework/") + strlen(".framework");
    return ph_xasprintf("%.*s", (int)(end - path), path);
}

static void print_command(FILE *out)
{
    fputs("  codesign --force --sign - "
          "--preserve-metadata=identifier,entitlements,flags,runtime",
            out);
}

void ph_hint_print(FILE *out, const struct ph_graph *g, const char *dir,
        const char *bundle)
{
    struct ph_strings items = {0};
    for (size_t i = 0; i < g->count; i++) {
        const struct ph_lib *lib = g->libs[i];
        AUTOFREE char *path = ph_plan_final_path(dir, lib);
        if (lib->same_as ||
                (bundle && ph_lib_type(lib) == PH_MACHO_EXECUTE &&
                        !lib->target)) {
            continue; /* signed with the bundle */
        }
        AUTOFREE char *item = ph_hint_item(path);
        if (!ph_strings_have(&items, item)) {
            ph_strings_add(&items, item);
        }
    }
    fputs("Sign it on the Mac (- is ad hoc; put your identity there to "
          "distribute it):\n",
            out);
    if (items.count > 0) {
        print_command(out);
        for (size_t i = 0; i < items.count; i++) {
            fputs(" \\\n    ", out);
            print_quoted(out, items.items[i]);
        }
        fputc('\n', out);
    }
    if (bundle) {
        print_command(out);
        fputs(" \\\n    ", out);
        print_quoted(out, bundle);
        fputc('\n', out);
    }
    ph_strings_finish(&items);
}
