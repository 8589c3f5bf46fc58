/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* A session whose process is killed is removed by the next one, and what is
 * left of it where something else removed its folder. */
static void test_stale(bool folder_gone)
{
    struct ph_session live;
    struct ph_session next;
    char error[256];
    int fds[2];
    char stale[2][PH_SESSION_PATH_MAX] = {"", ""};
    if (!CHECK(ph_session_create(&live, error, sizeof(error))) ||
            !CHECK_EQ(pipe(fds), 0)) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct ph_session s;
        const struct ph_session_facts facts = {"x", "http://x", "a", "b"};
        bool ok = ph_session_create(&s, error, sizeof(error)) &&
                ph_session_publish(&s, &facts);
        snprintf(stale[0], sizeof(stale[0]), "%s", s.dir);
        snprintf(stale[1], sizeof(stale[1]), "%s", s.file);
        ok = ok && write(fds[1], stale, sizeof(stale)) == sizeof(stale);
        _exit(ok ? 0 : 1);
    }
    int status = 1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
    CHECK_EQ(read(fds[0], stale, sizeof(stale)), sizeof(stale));
    CHECK_EQ(access(stale[0], F_OK), 0);
    CHECK_EQ(access(stale[1], F_OK), 0);
    if (folder_gone) {
        char lock[PH_SESSION_PATH_MAX + 8];
        snprintf(lock, sizeof(lock), "%s/lock", stale[0]);
        CHECK(unlink(lock) == 0 && rmdir(stale[0]) == 0);
    }
    if (CHECK(ph_session_create(&next, error, sizeof(error)))) {
        CHECK(access(stale[0], F_OK) != 0);
        CHECK(access(stale[1], F_OK) != 0);
        CHECK_EQ(access(live.dir, F_OK), 0);
        ph_session_remove(&next);
    }
    ph_session_remove(&live);
    close(fds[0]);
    close(fds[1]);
}

/* What others may have laid where our files are to be: nothing of it is
 * removed. */
static void test_foreign_registry(void)
{
    char top[] = "/tmp/test-session-XXXXXX";
    char above[40];
    char registry[64];
    char other[40];
    char file[80];
    char error[256];
    struct ph_session s;
    if (!CHECK(mkdtemp(top))) {
        return;
    }
    snprintf(above, sizeof(above), "%s/porthole", top);
    snprintf(registry, sizeof(registry), "%s/sessions", above);
    snprintf(other, sizeof(other), "%s/other", top);
    snprintf(file, sizeof(file), "%s/daemon.json", other);
    CHECK(mkdir(above, 0700) == 0 && mkdir(other, 0700) == 0);
    CHECK_EQ(symlink(other, registry), 0);
    CHECK_EQ(close(open(file, O_WRONLY | O_CREAT, 0600)), 0);
    setenv("XDG_RUNTIME_DIR", top, 1);
    if (CHECK(ph_session_create(&s, error, sizeof(error)))) {
        CHECK_EQ(access(file, F_OK), 0);
        snprintf(s.id, sizeof(s.id), "daemon");
        ph_session_remove(&s);
        CHECK_EQ(access(file, F_OK), 0);
    }
    unsetenv("XDG_RUNTIME_DIR");
    CHECK(unlink(file) == 0 && rmdir(other) == 0 && unlink(registry) == 0);
    CHECK(rmdir(above) == 0 && rmdir(top) == 0);
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
    test_stale(false);
    test_stale(true);
    test_foreign_registry();
    test_read_line();
    return CHECK_DONE();
}
