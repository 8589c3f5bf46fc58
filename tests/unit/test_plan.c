/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths, plans and the staged swap of porthole-relink. */
#include "relink/plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "relink/paths.h"
#include "relink/resolve.h"
#include "relink/stage.h"

#include "check.h"

static void check_text(char *got, const char *want)
{
    CHECK_STR(got, want);
    free(got);
}

static void test_paths(void)
{
    check_text(ph_path_clean("/a//b/./c/../d/"), "/a/b/d");
    check_text(ph_path_clean("/../.."), "/");
    check_text(ph_path_clean("/a/.."), "/");
    check_text(ph_path_dir("/a/b"), "/a");
    check_text(ph_path_dir("/b"), "/");
    check_text(ph_path_dir("b"), ".");
    check_text(ph_path_join("/a/", "b"), "/a/b");
    check_text(ph_path_relative("/a/b", "/a/b"), ".");
    check_text(ph_path_relative("/a/b", "/a/bc/d"), "../bc/d");
    check_text(ph_path_relative("/a/b/c", "/a/d"), "../../d");
    check_text(ph_path_relative("/", "/x"), "x");
    check_text(ph_path_relative("/a", "/"), "..");
    CHECK(ph_path_under("/a/b", "/a") && ph_path_under("/a", "/a/"));
    CHECK(!ph_path_under("/ab", "/a"));
    CHECK(ph_path_is_system("/usr/lib/libz.dylib"));
    CHECK(!ph_path_is_system("/usr/local/lib/libz.dylib"));
    CHECK(ph_path_is_build("/opt/x") && !ph_path_is_build("@rpath/x"));
    CHECK_STR(ph_path_framework_tail("/x/F.framework/Versions/A/F"),
            "F.framework/Versions/A/F");
    CHECK_STR(ph_path_framework_tail("/x/F.framework/Versions/A/G"), NULL);
    CHECK(!ph_path_is_leaf("..") && !ph_path_is_leaf("a/b") &&
            !ph_path_is_leaf("") && !ph_path_is_leaf("a\nb"));
    check_text(ph_plan_framework_name("libglib-2.0.0.dylib"), "glib-2.0.0");
    check_text(ph_plan_framework_name("lib"), "lib");
    check_text(ph_plan_framework_name("qemu-x"), "qemu-x");
    check_text(ph_plan_framework_name("Foo"), "Foo");
}

static void test_expand(void)
{
    check_text(ph_resolve_expand("@loader_path/../x", "/a/b", "/p"), "/a/x");
    check_text(ph_resolve_expand("@executable_path", "/a/b", "/p"), "/p");
    check_text(ph_resolve_expand("/q/./r", "/a/b", "/p"), "/q/r");
    CHECK(!ph_resolve_expand("@loader_pathology/x", "/a", "/p"));
    CHECK(!ph_resolve_expand("relative/x", "/a", "/p"));
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (CHECK(f)) {
        fputs(text, f);
        fclose(f);
    }
}

static void check_file(const char *path, const char *want)
{
    char text[32] = "";
    FILE *f = fopen(path, "r");
    if (!want) {
        CHECK(!f);
    } else if (CHECK(f)) {
        text[fread(text, 1, sizeof(text) - 1, f)] = 0;
        CHECK_STR(text, want);
    }
    if (f) {
        fclose(f);
    }
}

/* Two files to replace and one to make; `lost`: the last staged file is gone
 * when it is to be put in place. */
static void swap(const char *dir, bool lost)
{
    char *old = ph_path_join(dir, "old");
    char *link = ph_path_join(dir, "link");
    char *new = ph_path_join(dir, "deep/er/new");
    char *deep = ph_path_join(dir, "deep");
    write_file(old, "before");
    unlink(link);
    CHECK_EQ(symlink("old", link), 0);
    struct ph_stage s;
    ph_stage_init(&s, dir);
    write_file(ph_stage_add(&s, old), "after");
    write_file(ph_stage_add(&s, link), "a file");
    const char *last = ph_stage_add(&s, new);
    if (!lost) {
        write_file(last, "new");
    }
    check_file(old, "before");
    CHECK_EQ(ph_stage_commit(&s), !lost);
    char *stage_dir = ph_xstrdup(s.dir);
    ph_stage_discard(&s);
    CHECK(access(stage_dir, F_OK) < 0);
    free(stage_dir);
    check_file(old, lost ? "before" : "after");
    struct stat st;
    CHECK_EQ(lstat(link, &st), 0);
    CHECK_EQ(S_ISLNK(st.st_mode) != 0, lost);
    check_file(new, lost ? NULL : "new");
    CHECK_EQ(access(deep, F_OK) == 0, !lost);
    free(old);
    free(link);
    free(new);
    free(deep);
}

static void test_stage(void)
{
    char dir[] = "/tmp/porthole-test-XXXXXX";
    if (!CHECK(mkdtemp(dir))) {
        return;
    }

    swap(dir, true);
    swap(dir, false);
    static const char *const files[] = {
            "old", "link", "deep/er/new", "deep/er", "deep"};
    for (size_t i = 0; i < PH_LEN(files); i++) {
        char *path = ph_path_join(dir, files[i]);
        CHECK_EQ(remove(path), 0);
        free(path);
    }
    CHECK_EQ(rmdir(dir), 0);
}

int main(void)
{
    test_paths();
    test_expand();
    test_stage();
    return CHECK_DONE();
}
