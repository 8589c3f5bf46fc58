/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/options.h"

#include <string.h>

#include "common/macros.h"

const struct ph_relink_options ph_relink_defaults = {
        .layout_name = "dylib",
        .prefix = "@rpath",
        .sign_name = "adhoc",
};

#define FIELD(name) offsetof(struct ph_relink_options, name)

static const struct ph_opt options[] = {
        {.short_name = 'o',
                .name = "into",
                .arg = "DIR",
                .type = PH_OPT_STRING,
                .offset = FIELD(into),
                .help = "the folder to fill, such as X.app/Contents/Frameworks;"
                        "\nmade if its parent is there"},
        {.name = "from",
                .arg = "PREFIX",
                .type = PH_OPT_LIST,
                .offset = FIELD(from),
                .help = "move only libraries under this path, as it is in the"
                        "\nload commands or on disk; repeatable (default: all"
                        "\nbut those of macOS)"},
        {.name = "search",
                .arg = "DIR",
                .type = PH_OPT_LIST,
                .offset = FIELD(search),
                .help = "look here, by file name, for what is not where its"
                        "\nload command says; repeatable"},
        {.name = "layout",
                .arg = "LAYOUT",
                .type = PH_OPT_STRING,
                .offset = FIELD(layout_name),
                .help = "dylib (libFOO.dylib) or framework"
                        "\n(FOO.framework/Versions/A/FOO) (default: dylib)"},
        {.name = "rpath",
                .arg = "PREFIX",
                .type = PH_OPT_STRING,
                .offset = FIELD(prefix),
                .help = "how files name each other: @rpath, @loader_path or"
                        "\n@executable_path/../Frameworks (default: @rpath)"},
        {.name = "sign",
                .arg = "HOW",
                .type = PH_OPT_STRING,
                .offset = FIELD(sign_name),
                .help = "what becomes of signatures of changed files: adhoc"
                        "\n(made anew), none (removed) or keep (left, stale)"
                        "\n(default: adhoc)"},
        {.name = "allow-missing",
                .type = PH_OPT_FLAG,
                .offset = FIELD(allow_missing),
                .help = "leave references to libraries that are nowhere"},
        {.short_name = 'n',
                .name = "dry-run",
                .type = PH_OPT_FLAG,
                .offset = FIELD(dry_run),
                .help = "say what would be done, and whether it can be; change"
                        "\nnothing"},
        {.name = "check",
                .arg = "DIR",
                .type = PH_OPT_STRING,
                .offset = FIELD(check),
                .help = "verify a bundle or folder instead: dependencies, build"
                        "\npaths, every page of every signature"},
        {.name = "json",
                .type = PH_OPT_FLAG,
                .offset = FIELD(json),
                .help = "print the result as JSON"},
};

const struct ph_opt_usage ph_relink_usage = {
        .name = "porthole-relink",
        .operands = "BINARY...",
        .summary = "Moves Mach-O programs and the libraries that they load "
                   "into an app bundle:\ncopies the whole tree, makes its "
                   "files find each other there, and signs what\nchanged ad "
                   "hoc. Needs no Mac.",
        .examples = "  porthole-relink --into UTM.app/Contents/Frameworks "
                    "--layout framework \\\n      --from /Users/me/sysroot "
                    "sysroot/lib/libqemu-aarch64-softmmu.dylib\n"
                    "  porthole-relink --check UTM.app",
        .opts = options,
        .count = PH_LEN(options),
};

static bool choose(
        const char *name, const char *const *names, size_t count, unsigned *out)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *ph_relink_options_check(
        struct ph_relink_options *o, int operand_count)
{
    /* In the order of the enums. */
    static const char *const layouts[] = {"dylib", "framework"};
    static const char *const signs[] = {"adhoc", "none", "keep"};
    unsigned choice = 0;
    if (!choose(o->layout_name, layouts, PH_LEN(layouts), &choice)) {
        return "--layout: neither dylib nor framework";
    }
    o->layout = (enum ph_layout)choice;
    if (!choose(o->sign_name, signs, PH_LEN(signs), &choice)) {
        return "--sign: none of adhoc, none, keep";
    }
    o->sign = (enum ph_sign)choice;
    if (!ph_plan_prefix_valid(o->prefix)) {
        return "--rpath: none of @rpath, @loader_path, @executable_path/DIR";
    }
    if (o->check) {
        return o->into || operand_count > 0
                ? "--check DIR stands alone: no --into, no BINARY"
                : NULL;
    }
    if (!o->into) {
        return "--into DIR is missing: where shall the libraries go?";
    }
    return operand_count > 0 ? NULL : "name at least one BINARY";
}
