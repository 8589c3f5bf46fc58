/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Child processes that cannot outlive us: each is a process group of its own
 * that the kernel kills when the process that started it dies, and what
 * daemonised out of it comes back to us. Linux; for a program with one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ph_child_spec {
    const char *const *argv; /* NULL at the end; argv[0] by $PATH */
    const char *const *set; /* "NAME=VALUE" …, NULL at the end; or NULL */
    const char *const *unset; /* "NAME" …, NULL at the end; or NULL */
    /* Not NULL: as root, become somebody else first (for programs that refuse
     * root): uid 1000 of a user namespace in which nothing else exists, or,
     * where namespaces are refused, `nobody`, who is given this folder. */
    const char *unroot;
};

/* Starts it with stdin from /dev/null, stdout and stderr into *out_fd (non
 * blocking, close-on-exec, the caller closes it). -1: error[size] says why,
 * also when the program could not be executed. */
pid_t ph_child_start(const struct ph_child_spec *spec, int *out_fd, char *error,
        size_t size);

/* How `unroot` would work for us, in words; NULL: not at all. */
const char *ph_child_unroot_way(void);

/* From now on orphans among our descendants become our children. */
void ph_child_adopt_orphans(void);

/* Asks the kernel to send us `signal` when our parent dies. False: `parent`,
 * who started us, is dead already. */
bool ph_child_follow(pid_t parent, int signal);

/* Kills all that descends from us and reaps it. Needs adopt_orphans. */
void ph_child_kill_all(void);
