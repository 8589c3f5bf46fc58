/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --check prints. */
#include <inttypes.h>

#include "common/json.h"
#include "relink/check.h"
#include "relink/hint.h"

void ph_check_text(FILE *out, const struct ph_check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct ph_finding *f = &c->findings[i];
        fprintf(out, "%s  %s: %s\n", f->note ? "note   " : "PROBLEM", f->path,
                f->text);
    }
    fprintf(out,
            "%s%s: %zu Mach-O files, %u signatures with %" PRIu64
            " pages compared, %u problems\n",
            c->count ? "\n" : "", c->dir, c->graph.count, c->signatures,
            c->pages, c->problems);
    if (c->graph.count > 0) {
        fputc('\n', out);
        ph_hint_print(out, &c->graph, c->dir, c->bundle);
    }
}

bool ph_check_json(FILE *out, const struct ph_check *c)
{
    struct ph_json j;
    ph_json_init(&j, out, 2);
    ph_json_open_object(&j, NULL);
    ph_json_bool(&j, "ok", c->problems == 0);
    ph_json_string(&j, "dir", c->dir);
    ph_json_string(&j, "bundle", c->bundle);
    ph_json_u64(&j, "files", c->graph.count);
    ph_json_u64(&j, "signatures", c->signatures);
    ph_json_u64(&j, "pages", c->pages);
    ph_json_open_array(&j, "findings");
    for (size_t i = 0; i < c->count; i++) {
        ph_json_open_object(&j, NULL);
        ph_json_string(&j, "path", c->findings[i].path);
        ph_json_string(&j, "kind", c->findings[i].note ? "note" : "problem");
        ph_json_string(&j, "text", c->findings[i].text);
        ph_json_close(&j);
    }
    ph_json_close(&j);
    ph_json_close(&j);
    return ph_json_finish(&j);
}
