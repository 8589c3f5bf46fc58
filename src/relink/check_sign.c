/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of --check that is about signatures. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/check.h"
#include "relink/codesign.h"
#include "relink/seal.h"

static const char disable_validation[] =
        "com.apple.security.cs.disable-library-validation";

/* Whether the XML entitlements set the key to true. */
static bool is_entitled(const struct ph_codesign *sign, const char *key)
{
    AUTOFREE char *text = ph_xmalloc(sign->entitlements.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < sign->entitlements.len; i++) {
        char ch = (char)sign->entitlements.data[i];
        if (ch && !strchr(" \t\r\n", ch)) {
            text[n++] = ch;
        }
    }
    text[n] = 0;
    AUTOFREE char *needle = ph_xasprintf("<key>%s</key><true/>", key);
    return strstr(text, needle) != NULL;
}

/* A program with library validation loads only what its team signed. */
static bool has_foreign_library(
        const struct ph_check *c, const struct ph_codesign *program)
{
    for (size_t i = 0; i < c->graph.count; i++) {
        const struct ph_lib *lib = c->graph.libs[i];
        struct ph_codesign sign;
        if (!lib->id) {
            continue;
        }
        ph_codesign_read(&lib->file.slices[0].image, &sign);
        if (sign.state != PH_CODESIGN_OK || !sign.team || !program->team ||
                strcmp(sign.team, program->team) != 0) {
            return true;
        }
    }
    return false;
}

static void check_runtime(struct ph_check *c, const struct ph_lib *lib,
        const struct ph_macho *m, const struct ph_codesign *sign)
{
    bool validates = sign->flags & (PH_CS_RUNTIME | PH_CS_LIBRARY_VALIDATION);
    if (m->type != PH_MACHO_EXECUTE || !validates) {
        return;
    }
    bool stuck = !is_entitled(sign, disable_validation) &&
            has_foreign_library(c, sign);
    ph_check_add(c, lib, true,
            ph_xasprintf("(%s) has the hardened runtime%s",
                    ph_macho_arch_name(m),
                    stuck ? ": sign it and its libraries with one identity, "
                            "or give it the entitlement "
                            "com.apple.security.cs.disable-library-validation"
                          : ""));
}

static void check_slice(
        struct ph_check *c, const struct ph_lib *lib, const struct ph_macho *m)
{
    const char *arch = ph_macho_arch_name(m);
    struct ph_codesign sign;
    struct ph_codesign_verdict v;
    ph_codesign_read(m, &sign);
    if (sign.state == PH_CODESIGN_NONE) {
        bool fine = m->cpu == PH_MACHO_X86_64;
        ph_check_add(c, lib, fine,
                ph_xasprintf("(%s) is not signed%s", arch,
                        fine ? "" : ": it will not run"));
        return;
    }
    ph_codesign_verify(m, &v);
    c->pages += v.pages;
    c->signatures++;
    if (v.bad_pages) {
        ph_check_add(c, lib, false,
                ph_xasprintf("(%s) its signature %s: %u of %u, first %u", arch,
                        v.problem, v.bad_pages, v.pages, v.first_bad));
    } else if (v.problem) {
        ph_check_add(c, lib, false,
                ph_xasprintf("(%s) its signature %s", arch, v.problem));
    }
    check_runtime(c, lib, m, &sign);
}

void ph_check_signatures(struct ph_check *c, const struct ph_lib *lib)
{
    for (unsigned i = 0; i < lib->file.count; i++) {
        check_slice(c, lib, &lib->file.slices[i].image);
    }
}

void ph_check_seal(struct ph_check *c)
{
    AUTOFREE char *what = NULL;
    if (!c->bundle) {
        return;
    }
    struct ph_strings files = ph_seal_files(&c->graph, c->dir);
    if (ph_seal_check(c->bundle, &files, &what) == PH_SEAL_STALE) {
        ph_check_add(c, NULL, true,
                ph_xasprintf(
                        "its outer seal (CodeResources) is stale: %s", what));
    }
    ph_strings_finish(&files);
}
