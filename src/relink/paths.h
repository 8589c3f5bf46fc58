/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths and lists of them, as text: nothing here looks at the disk but
 * ph_path_real. Returned strings are the caller's to free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct ph_strings {
    char **items;
    size_t count;
};

/* Takes over `item`. */
void ph_strings_take(struct ph_strings *s, char *item);
void ph_strings_add(struct ph_strings *s, const char *item);
bool ph_strings_have(const struct ph_strings *s, const char *item);
void ph_strings_finish(struct ph_strings *s);

/* The last component; points into path. "" for a path that ends in '/'. */
const char *ph_path_base(const char *path);
/* All before the last component: "/a" of "/a/b", "." of "b", "/" of "/b". */
char *ph_path_dir(const char *path);
char *ph_path_join(const char *dir, const char *rest);
/* Takes out ".", ".." and doubled '/' of an absolute path, as text. */
char *ph_path_clean(const char *path);
/* The path from one absolute, clean folder to another path: "../b", ".". */
char *ph_path_relative(const char *from_dir, const char *to);
/* Whether path is dir or lies in it. Both clean. */
bool ph_path_under(const char *path, const char *dir);
/* Whether macOS itself has it: these are left alone everywhere. */
bool ph_path_is_system(const char *path);
/* An absolute path that is no system one: it names the build machine. */
bool ph_path_is_build(const char *path);
/* "FOO.framework/Versions/A/FOO" of a path that ends so (or without the
 * version), else NULL; points into path. */
const char *ph_path_framework_tail(const char *path);
/* Whether it can be the name of a file in a bundle: one component, no
 * control characters, not "." or "..". */
bool ph_path_is_leaf(const char *name);
/* realpath(3), or NULL with errno. */
char *ph_path_real(const char *path);
/* The real path of what may not exist yet in a folder that does. */
char *ph_path_real_new(const char *path);
