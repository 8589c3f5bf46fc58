/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/opt.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "common/parse.h"

struct parser {
    const struct ph_opt_usage *usage;
    void *options;
    char *error;
    size_t error_size;
};

PH_PRINTF(2, 3)
static bool fail(struct parser *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->error, p->error_size, fmt, ap);
    va_end(ap);
    return false;
}

static bool bad_value(
        struct parser *p, const struct ph_opt *o, const char *value)
{
    if (o->type == PH_OPT_SIZE) {
        return fail(p, "--%s: '%s' is not %s with sides from 1 to %llu",
                o->name, value, o->arg, (unsigned long long)o->max);
    }
    if (o->type == PH_OPT_CHOICE) {
        return fail(p, "--%s: '%s' is none of %s", o->name, value, o->arg);
    }
    return fail(p, "--%s: '%s' is not a number from %llu to %llu", o->name,
            value, (unsigned long long)o->min, (unsigned long long)o->max);
}

static bool set_list(
        struct parser *p, const struct ph_opt *o, void *to, const char *value)
{
    struct ph_opt_list *list = to;
    if (list->count == PH_OPT_LIST_MAX) {
        return fail(p, "--%s: more than %d of them", o->name, PH_OPT_LIST_MAX);
    }
    list->items[list->count++] = value;
    return true;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    while (strcspn(choices, "|") != len || strncmp(choices, value, len) != 0) {
        choices += strcspn(choices, "|");
        if (!*choices++) {
            return false;
        }
    }
    return true;
}

static bool set_value(
        struct parser *p, const struct ph_opt *o, const char *value)
{
    void *to = (char *)p->options + o->offset;
    bool ok = true;
    switch (o->type) {
    case PH_OPT_FLAG:
        *(bool *)to = true;
        break;
    case PH_OPT_CHOICE:
        ok = is_choice(o->arg, value);
        *(const char **)to = value;
        break;
    case PH_OPT_STRING:
        *(const char **)to = value;
        break;
    case PH_OPT_U32:
        ok = ph_parse_u32(value, (uint32_t)o->min, (uint32_t)o->max, to);
        break;
    case PH_OPT_QUANTITY:
    case PH_OPT_MEMORY:
        ok = ph_parse_quantity(
                value, o->type == PH_OPT_MEMORY, o->min, o->max, to);
        break;
    case PH_OPT_SIZE: {
        struct ph_size *size = to;
        ok = ph_parse_size(
                value, (uint32_t)o->max, &size->width, &size->height);
        break;
    }
    case PH_OPT_LIST:
        return set_list(p, o, to, value);
    }
    return ok || bad_value(p, o, value);
}

static const struct ph_opt *find(
        const struct ph_opt_usage *u, const char *name, size_t len)
{
    for (size_t i = 0; i < u->count; i++) {
        const struct ph_opt *o = &u->opts[i];
        bool is_short = len == 1 && o->short_name == name[0];
        bool is_long = strlen(o->name) == len && !strncmp(o->name, name, len);
        if (is_short || (len > 1 && is_long)) {
            return o;
        }
    }
    return NULL;
}

/* An option at argv[*i]; moves *i over a value that stands apart. */
static bool parse_option(struct parser *p, int argc, char **argv, int *i)
{
    const char *arg = argv[*i];
    bool is_long = arg[1] == '-';
    const char *name = arg + (is_long ? 2 : 1);
    size_t len = strcspn(name, "=");
    const struct ph_opt *o =
            is_long == (len > 1) ? find(p->usage, name, len) : NULL;
    if (!o) {
        return fail(
                p, "unknown option '%.*s'", (int)(name - arg + (int)len), arg);
    }
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    if (o->type == PH_OPT_FLAG) {
        return value ? fail(p, "--%s takes no value", o->name)
                     : set_value(p, o, NULL);
    }
    if (!value && *i + 1 < argc) {
        value = argv[++*i];
    }
    return value ? set_value(p, o, value)
                 : fail(p, "--%s needs a value: %s", o->name, o->arg);
}

static bool parse_environment(struct parser *p)
{
    for (size_t i = 0; i < p->usage->count; i++) {
        const struct ph_opt *o = &p->usage->opts[i];
        const char *value = o->env ? getenv(o->env) : NULL;
        if (value && !set_value(p, o, value)) {
            size_t used = strlen(p->error);
            snprintf(p->error + used, p->error_size - used, " (from $%s)",
                    o->env);
            return false;
        }
    }
    return true;
}

enum ph_opt_result ph_opt_parse(const struct ph_opt_usage *usage, int argc,
        char **argv, void *options, int *operands, char *error, size_t size)
{
    struct parser p = {usage, options, error, size};
    *operands = 0;
    if (!parse_environment(&p)) {
        return PH_OPT_INVALID;
    }
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        char *arg = argv[i];
        if (only_operands || arg[0] != '-' || !arg[1]) {
            argv[(*operands)++] = arg;
        } else if (!strcmp(arg, "--")) {
            only_operands = true;
        } else if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
            return PH_OPT_HELP;
        } else if (!strcmp(arg, "--version")) {
            return PH_OPT_VERSION;
        } else if (!parse_option(&p, argc, argv, &i)) {
            return PH_OPT_INVALID;
        }
    }
    return PH_OPT_OK;
}

/* Prints text with its lines after the first indented by `indent`. */
static void print_indented(FILE *out, const char *text, int indent)
{
    for (const char *p = text; *p; p++) {
        fputc(*p, out);
        if (*p == '\n') {
            fprintf(out, "%*s", indent, "");
        }
    }
    fputc('\n', out);
}

void ph_opt_print_help(const struct ph_opt_usage *u, FILE *out)
{
    enum {
        COLUMN = 26
    };
    fprintf(out, "Usage: %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", u->name,
            *u->operands ? " " : "", u->operands, u->summary);
    for (size_t i = 0; i < u->count; i++) {
        const struct ph_opt *o = &u->opts[i];
        char left[64];
        char dash[] = {'-', o->short_name, ',', ' ', 0};
        snprintf(left, sizeof(left), "  %s--%s%s%s",
                o->short_name ? dash : "    ", o->name, o->arg ? " " : "",
                o->arg ? o->arg : "");
        if (strlen(left) >= COLUMN) {
            fprintf(out, "%s\n%*s", left, COLUMN, "");
        } else {
            fprintf(out, "%-*s", COLUMN, left);
        }
        print_indented(out, o->help, COLUMN);
        if (o->env) {
            fprintf(out, "%*s($%s)\n", COLUMN, "", o->env);
        }
    }
    fprintf(out, "  -h, --help%*sthis text\n", COLUMN - 12, "");
    fprintf(out, "      --version%*sthe version\n", COLUMN - 15, "");
    if (u->examples) {
        fprintf(out, "\nExamples:\n%s\n", u->examples);
    }
}

int ph_opt_main(const struct ph_opt_usage *usage, int argc, char **argv,
        void *options, int *operands)
{
    char error[256];
    switch (ph_opt_parse(
            usage, argc, argv, options, operands, error, sizeof(error))) {
    case PH_OPT_OK:
        return -1;
    case PH_OPT_HELP:
        ph_opt_print_help(usage, stdout);
        return 0;
    case PH_OPT_VERSION:
        printf("%s %s\n", usage->name, PH_VERSION);
        return 0;
    case PH_OPT_INVALID:
        break;
    }
    fprintf(stderr, "%s: %s\nTry '%s --help'.\n", usage->name, error,
            usage->name);
    return 2;
}
