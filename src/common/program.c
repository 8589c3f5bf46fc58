/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/program.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

#define PREFIX "porthole-"

/* The path of the running program; false when the system does not say. */
static bool own_path(char *out, size_t size)
{
#ifdef __APPLE__
    uint32_t room = (uint32_t)size;
    return _NSGetExecutablePath(out, &room) == 0;
#else
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n < 0) {
        return false;
    }
    out[n] = '\0';
    return true;
#endif
}

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
            access(path, X_OK) == 0;
}

/* folder (its first len bytes)/middle/name, when there is a program. */
static bool try_path(const char *folder, size_t len, const char *middle,
        const char *name, char *out, size_t size)
{
    int n = snprintf(out, size, "%.*s/%s%s", (int)len, folder, middle, name);
    if (n > 0 && (size_t)n < size && is_program(out)) {
        return true;
    }
    out[0] = '\0';
    return false;
}

static bool find_beside(const char *name, char *out, size_t size)
{
    char own[PATH_MAX];
    if (!own_path(own, sizeof(own))) {
        return false;
    }
    const char *slash = strrchr(own, '/');
    if (!slash) {
        return false;
    }
    size_t folder = (size_t)(slash - own);
    if (try_path(own, folder, "", name, out, size)) {
        return true;
    }
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) {
        return false;
    }
    char middle[NAME_MAX + 8];
    int n = snprintf(middle, sizeof(middle), "../%s/", name + strlen(PREFIX));
    return n > 0 && (size_t)n < sizeof(middle) &&
            try_path(own, folder, middle, name, out, size);
}

bool ph_program_in_path(const char *name, char *out, size_t size)
{
    out[0] = '\0';
    if (strchr(name, '/')) {
        int n = snprintf(out, size, "%s", name);
        return n > 0 && (size_t)n < size && is_program(name);
    }
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        if (len > 0 && try_path(path, len, "", name, out, size)) {
            return true;
        }
        path += len + (path[len] == ':');
    }
    return false;
}

bool ph_program_find(const char *name, char *out, size_t size)
{
    const char *libexec = getenv("PORTHOLE_LIBEXEC");
    out[0] = '\0';
    if (libexec && *libexec) {
        return try_path(libexec, strlen(libexec), "", name, out, size);
    }
    return find_beside(name, out, size) || ph_program_in_path(name, out, size);
}
