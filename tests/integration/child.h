/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that a test drives line by line over its stdin and stdout. Ends
 * with the test, whatever happens to that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/macros.h"

#define CHILD_LINE 512

struct child {
    pid_t pid; /* 0: none */
    int in; /* to the program */
    int out;
    char text[4096]; /* read and not yet taken */
    size_t used;
};

/* argv: as execvp takes it. */
bool child_start(struct child *child, const char *const argv[]);
/* A line; the newline is added. */
bool child_send(struct child *child, const char *fmt, ...) PH_PRINTF(2, 3);
/* Takes lines until one begins with prefix, and copies it. False: none came
 * within ms. */
bool child_expect(
        struct child *child, const char *prefix, char line[CHILD_LINE], int ms);
/* Likewise, without a word when none came. */
bool child_try(
        struct child *child, const char *prefix, char line[CHILD_LINE], int ms);
/* CPU time of a process so far, in clock ticks (100 a second). */
uint32_t child_cpu_ticks(pid_t pid);
/* Ends it and waits for it. */
void child_stop(struct child *child);
