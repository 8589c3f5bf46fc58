/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of `porthole`: one row each, in main.c. */
#pragma once

#include <stddef.h>

struct ph_opt_usage;

struct ph_command {
    const char *name;
    const char *summary;
    /* argv[0] is the command's name; returns the exit code. NULL: not in this
     * build, `missing` says why. */
    int (*run)(int argc, char **argv);
    const char *missing;
};

int ph_run_main(int argc, char **argv);
int ph_stream_main(int argc, char **argv);
int ph_bench_main(int argc, char **argv);
int ph_doctor_main(int argc, char **argv);
