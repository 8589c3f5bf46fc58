/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/session.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void check_private(const char *path, mode_t mode)
{
    struct stat st;
    if (CHECK_EQ(stat(path, &st), 0)) {
        CHECK_EQ(st.st_mode & 07777, mode);
    }
}

static void test_life(void)
{
    struct ph_session a;
    struct ph_session b;
    char error[256];
    char path[PH_SESSION_PATH_MAX];
    char gone[PH_SESSION_PATH_MAX];
    if (!CHECK(ph_session_create(&a, error, sizeof(error))) ||
            !CHECK(ph_session_create(&b, error, sizeof(error)))) {
        return;
    }
    CHECK(strcmp(a.dir, b.dir) != 0);
    CHECK_EQ(strlen(a.id), 6);
    check_private(a.dir, 0700);
    ph_session_path(&a, "token", path, sizeof(path));
    const struct ph_session_facts facts = {
            "a \"name\"", "http://127.0.0.1:1/", path, path};
    if (CHECK(ph_session_publish(&a, &facts))) {
        check_private(a.file, 0600);
    }
    snprintf(gone, sizeof(gone), "%s", a.file);
    snprintf(path, sizeof(path), "%s", a.dir);
    ph_session_remove(&a);
    ph_session_remove(&a);
    CHECK(access(gone, F_OK) != 0);
    CHECK(access(path, F_OK) != 0);
    ph_session_remove(&b);
}

static bool read_text(const char *text, char *out, size_t size)
{
    char path[] = "/tmp/test-session-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    bool ok = ph_session_read_line(path, out, size);
    unlink(path);
    return ok;
}

static void test_read_line(void)
{
    char out[8];
    CHECK(read_text("secret\n", out, sizeof(out)));
    CHECK_STR(out, "secret");
    CHECK(read_text("secret", out, sizeof(out)));
    CHECK(read_text("a\nb\n", out, sizeof(out)));
    CHECK_STR(out, "a");
    CHECK(!read_text("", out, sizeof(out)));
    CHECK(!read_text("\n", out, sizeof(out)));
    CHECK(!read_text("12345678\n", out, sizeof(out)));
    CHECK(!ph_session_read_line("/nowhere/token", out, sizeof(out)));
    CHECK_EQ(errno, ENOENT);
}

int main(void)
{
    test_life();
    test_read_line();
    return CHECK_DONE();
}
