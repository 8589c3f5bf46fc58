/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

void ph_strings_take(struct ph_strings *s, char *item)
{
    s->items = ph_xrealloc(s->items, (s->count + 1) * sizeof(*s->items));
    s->items[s->count++] = item;
}

void ph_strings_add(struct ph_strings *s, const char *item)
{
    ph_strings_take(s, ph_xstrdup(item));
}

bool ph_strings_have(const struct ph_strings *s, const char *item)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->items[i], item) == 0) {
            return true;
        }
    }
    return false;
}

void ph_strings_finish(struct ph_strings *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->items[i]);
    }
    free(s->items);
    *s = (struct ph_strings){0};
}

const char *ph_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *ph_path_dir(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return ph_xstrdup(".");
    }
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    return ph_xasprintf("%.*s", (int)len, path);
}

char *ph_path_join(const char *dir, const char *rest)
{
    size_t len = strlen(dir);
    bool ends = len > 0 && dir[len - 1] == '/';
    return ph_xasprintf("%s%s%s", dir, ends || !*rest ? "" : "/", rest);
}

char *ph_path_clean(const char *path)
{
    char *out = ph_xmalloc(strlen(path) + 2);
    size_t len = 0;
    while (*path) {
        path += strspn(path, "/");
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (len > 0 && out[--len] != '/') {
            }
        } else if (n > 0 && !(n == 1 && path[0] == '.')) {
            out[len++] = '/';
            memcpy(out + len, path, n);
            len += n;
        }
        path += n;
    }
    if (len == 0) {
        out[len++] = '/';
    }
    out[len] = 0;
    return out;
}

char *ph_path_relative(const char *from_dir, const char *to)
{
    size_t i = 0;
    size_t common = 0; /* length of the shared leading components */
    while (from_dir[i] && from_dir[i] == to[i]) {
        i++;
        if ((from_dir[i] == '/' || !from_dir[i]) && (to[i] == '/' || !to[i])) {
            common = i;
        }
    }
    char *out = ph_xstrdup("");
    const char *left = from_dir + common;
    while (*(left += strspn(left, "/"))) {
        AUTOFREE char *old = out;
        out = ph_xasprintf("%s%s..", old, *old ? "/" : "");
        left += strcspn(left, "/");
    }
    const char *rest = to + common;
    rest += strspn(rest, "/");
    AUTOFREE char *up = out;
    if (!*up && !*rest) {
        return ph_xstrdup(".");
    }
    return ph_xasprintf("%s%s%s", up, *up && *rest ? "/" : "", rest);
}

bool ph_path_under(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    while (len > 0 && dir[len - 1] == '/') {
        len--;
    }
    return strncmp(path, dir, len) == 0 && (path[len] == '/' || !path[len]);
}

bool ph_path_is_system(const char *path)
{
    return ph_path_under(path, "/usr/lib") || ph_path_under(path, "/System");
}

bool ph_path_is_build(const char *path)
{
    return path[0] == '/' && !ph_path_is_system(path);
}

const char *ph_path_framework_tail(const char *path)
{
    const char *leaf = ph_path_base(path);
    size_t len = strlen(leaf);
    for (const char *p = path; (p = strstr(p, ".framework/")); p++) {
        const char *start = p;
        while (start > path && start[-1] != '/') {
            start--;
        }
        if (len > 0 && (size_t)(p - start) == len &&
                strncmp(start, leaf, len) == 0) {
            return start;
        }
    }
    return NULL;
}

bool ph_path_is_leaf(const char *name)
{
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            strlen(name) > 200) {
        return false;
    }
    for (const char *p = name; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '/') {
            return false;
        }
    }
    return true;
}

char *ph_path_real(const char *path)
{
    return realpath(path, NULL);
}

char *ph_path_real_new(const char *path)
{
    char *real = realpath(path, NULL);
    if (real || errno != ENOENT) {
        return real;
    }
    AUTOFREE char *bare = ph_xstrdup(path);
    size_t len = strlen(bare);
    while (len > 1 && bare[len - 1] == '/') {
        bare[--len] = 0;
    }
    AUTOFREE char *dir = ph_path_dir(bare);
    AUTOFREE char *real_dir = realpath(dir, NULL);
    return real_dir ? ph_path_join(real_dir, ph_path_base(bare)) : NULL;
}
