/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scope-bound release: `AUTOFREE char *s = ...;` frees s, and
 * `AUTOCLOSE int fd = ...;` closes fd, when the variable leaves its scope.
 * ph_steal_ptr and ph_steal_fd hand the resource on.
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void ph_cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void ph_cleanup_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static inline void *ph_steal_ptr_impl(void *p)
{
    void *v = *(void **)p;
    *(void **)p = NULL;
    return v;
}

static inline int ph_steal_fd(int *fd)
{
    int v = *fd;
    *fd = -1;
    return v;
}

/* Closes *fd if it is open and sets it to -1. */
static inline void ph_close(int *fd)
{
    ph_cleanup_close(fd);
    *fd = -1;
}

#define ph_steal_ptr(p) ((__typeof__(*(p)))ph_steal_ptr_impl(p))
#define AUTOFREE __attribute__((cleanup(ph_cleanup_free)))
#define AUTOCLOSE __attribute__((cleanup(ph_cleanup_close)))
