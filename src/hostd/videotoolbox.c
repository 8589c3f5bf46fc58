/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/videotoolbox.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/macros.h"

#define FRAMEWORK(name) "/System/Library/Frameworks/" name ".framework/" name

/* A symbol is looked for in each. */
static const char *const frameworks[] = {FRAMEWORK("CoreFoundation"),
        FRAMEWORK("CoreMedia"), FRAMEWORK("CoreVideo"),
        FRAMEWORK("VideoToolbox")};

enum kind {
    FUNCTION,
    CONSTANT,
    STRUCT
};

static const struct {
    const char *name;
    size_t offset;
    enum kind kind;
} symbols[] = {
#define X(type, name, parameters)                                              \
    {#name, offsetof(struct ph_vt, name), FUNCTION},
        PH_VT_FUNCTIONS(X)
#undef X
#define X(name) {#name, offsetof(struct ph_vt, name), CONSTANT},
                PH_VT_CONSTANTS(X)
#undef X
#define X(name) {#name, offsetof(struct ph_vt, name), STRUCT},
                        PH_VT_STRUCTS(X)
#undef X
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ph_vt loaded;
static bool is_loaded;

static void *find(void *const *handles, size_t count, const char *name)
{
    void *found = NULL;
    for (size_t i = 0; i < count && !found; i++) {
        found = dlsym(handles[i], name);
    }
    return found;
}

/* POSIX lets dlsym's result be a function; C does not say how. */
static bool resolve(
        void *const *handles, size_t count, char *error, size_t size)
{
    for (size_t i = 0; i < PH_LEN(symbols); i++) {
        void *found = find(handles, count, symbols[i].name);
        if (found && symbols[i].kind == CONSTANT) {
            found = *(void **)found;
        }
        if (!found) {
            snprintf(error, size, "this macOS has no %s", symbols[i].name);
            return false;
        }
        memcpy((char *)&loaded + symbols[i].offset, &found, sizeof(found));
    }
    return true;
}

static bool load(const char *library, char *error, size_t size)
{
    void *handles[PH_LEN(frameworks)] = {NULL};
    size_t count = library ? 1 : PH_LEN(frameworks);
    for (size_t i = 0; i < count; i++) {
        const char *path = library ? library : frameworks[i];
        handles[i] = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!handles[i]) {
            snprintf(error, size, "VideoToolbox is a part of macOS: %s",
                    dlerror());
            return false;
        }
    }
    return resolve(handles, count, error, size);
}

const struct ph_vt *ph_vt_load(const char *library, char *error, size_t size)
{
    pthread_mutex_lock(&lock);
    is_loaded = is_loaded || load(library, error, size);
    bool ok = is_loaded;
    pthread_mutex_unlock(&lock);
    return ok ? &loaded : NULL;
}
