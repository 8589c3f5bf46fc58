/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Command line options from one table: the table is the parser, the ranges
 * and the text of --help. A program declares a struct with its options, a
 * const value of it with the defaults, and a row per option.
 *
 * Accepts --name VALUE, --name=VALUE, -n VALUE, --flag, and -- before
 * operands. Options may stand behind operands unless the command says stop
 * (`run -- PROGRAM ARGS`).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum ph_opt_type {
    PH_OPT_FLAG, /* bool */
    PH_OPT_STRING, /* const char *, points into argv or the environment */
    PH_OPT_CHOICE, /* likewise; one of those that arg names: "on|off" */
    PH_OPT_U32, /* uint32_t, min..max */
    PH_OPT_QUANTITY, /* uint64_t, with k, M, G as powers of 1000 */
    PH_OPT_MEMORY, /* uint64_t, with k, M, G as powers of 1024 */
    PH_OPT_SIZE, /* struct ph_size, each side 1..max */
    PH_OPT_LIST, /* struct ph_opt_list: repeatable */
};

struct ph_size {
    uint32_t width;
    uint32_t height;
};

#define PH_OPT_LIST_MAX 16
struct ph_opt_list {
    const char *items[PH_OPT_LIST_MAX];
    size_t count;
};

struct ph_opt {
    char short_name; /* 0: none */
    const char *name;
    const char *arg; /* "N", "HOST:PORT", "on|off"; NULL for a flag */
    enum ph_opt_type type;
    size_t offset; /* in the program's options struct */
    uint64_t min;
    uint64_t max;
    const char *env; /* environment variable that stands in, or NULL */
    const char *help;
};

/* What a program or a command of a program is, for --help. */
struct ph_opt_usage {
    const char *name; /* "porthole-hostd", "porthole run" */
    const char *operands; /* "[-- PROGRAM ARGS]", or "" */
    const char *summary; /* what it is for: a sentence or a few lines */
    const char *examples; /* indented lines, or NULL */
    const struct ph_opt *opts;
    size_t count;
};

enum ph_opt_result {
    PH_OPT_OK,
    PH_OPT_HELP, /* --help or -h */
    PH_OPT_VERSION, /* --version */
    PH_OPT_INVALID, /* error says what is wrong */
};

/* Parses argv[1..argc) into *options, which holds the defaults. Operands are
 * moved to the front of argv; *operands says how many. Pure: prints nothing.
 * error[size] gets one line on PH_OPT_INVALID. */
enum ph_opt_result ph_opt_parse(const struct ph_opt_usage *usage, int argc,
        char **argv, void *options, int *operands, char *error, size_t size);

void ph_opt_print_help(const struct ph_opt_usage *usage, FILE *out);

/* For main(): parses, prints help, version or the error, and returns -1 to go
 * on or the exit code to leave with (0 help, 2 usage). */
int ph_opt_main(const struct ph_opt_usage *usage, int argc, char **argv,
        void *options, int *operands);
