/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/child.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"
#include "common/parse.h"

enum {
    NAMESPACE_UID = 1000, /* what root is called inside */
    NOBODY = 65534,
    ERROR_MAX = 256,
    REAP_TICK_MS = 10,
};

static bool write_file(const char *path, const char *text)
{
    AUTOCLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* In the child: root here becomes NAMESPACE_UID in a namespace of its own,
 * and still owns root's files. */
static bool enter_namespace(void)
{
    if (unshare(CLONE_NEWUSER) != 0) {
        return false;
    }
    char map[32];
    snprintf(map, sizeof(map), "%d 0 1", NAMESPACE_UID);
    return write_file("/proc/self/uid_map", map) &&
            write_file("/proc/self/setgroups", "deny") &&
            write_file("/proc/self/gid_map", map);
}

static bool drop_ids(void)
{
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
            setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* In the child: gives root up for good. Searching the folder above `dir` is
 * needed to come to `dir`; nothing else is granted. */
static bool become_nobody(const char *dir)
{
    char above[256];
    snprintf(above, sizeof(above), "%s/..", dir);
    return chown(dir, NOBODY, NOBODY) == 0 && chmod(above, 0711) == 0 &&
            setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
            setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
            setenv("HOME", dir, 1) == 0;
}

/* Whether `act` succeeds: in a process of its own, for it cannot be undone. */
static bool works(bool (*act)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(act() ? 0 : 1);
    }
    int status = 1;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && status == 0;
}

static bool leave_root(const char *dir)
{
    return works(enter_namespace) ? enter_namespace() : become_nobody(dir);
}

const char *ph_child_unroot_way(void)
{
    if (geteuid() != 0) {
        return "you are not root";
    }
    if (works(enter_namespace)) {
        return "uid 1000 of a user namespace";
    }
    return works(drop_ids) ? "nobody" : NULL;
}

static void restore_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int i = 1; i < NSIG; i++) {
        signal(i, SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_environment(const struct ph_child_spec *spec)
{
    for (const char *const *p = spec->unset; p && *p; p++) {
        unsetenv(*p);
    }
    for (const char *const *p = spec->set; p && *p; p++) {
        putenv((char *)*p);
    }
}

/* Runs in the child; what it returns is the reason of the failure. */
static const char *become(const struct ph_child_spec *spec, int out, pid_t from)
{
    setsid();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) {
        return "redirecting its output";
    }
    set_environment(spec);
    if (spec->unroot && geteuid() == 0 && !leave_root(spec->unroot)) {
        return "it does not run as root, and neither a user namespace nor "
               "another user id is allowed here (start it as a normal user)";
    }
    /* Late: a change of user forgets it. */
    if (!ph_child_follow(from, SIGKILL)) {
        return "porthole ended meanwhile";
    }
    restore_signals();
    execvp(spec->argv[0], (char *const *)spec->argv);
    return spec->argv[0];
}

static void report_failure(int fd, const char *what)
{
    char text[ERROR_MAX];
    int n = snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
    if (n > 0) {
        (void)!write(fd, text, PH_MIN((size_t)n, sizeof(text) - 1));
    }
}

/* Reads what the child reports; nothing but an end of file when it executes
 * its program. */
static bool started(int fd, char *error, size_t size)
{
    size_t used = 0;
    ssize_t n;
    while ((n = read(fd, error + used, size - 1 - used)) != 0) {
        if (n > 0) {
            used += (size_t)n;
        } else if (errno != EINTR) {
            break;
        }
    }
    error[used] = 0;
    return used == 0;
}

pid_t ph_child_start(
        const struct ph_child_spec *spec, int *out_fd, char *error, size_t size)
{
    int out[2] = {-1, -1};
    int report[2] = {-1, -1};
    pid_t from = getpid();
    pid_t pid = -1;
    if (pipe2(out, O_CLOEXEC) == 0 && pipe2(report, O_CLOEXEC) == 0) {
        pid = fork();
    }
    if (pid == 0) {
        report_failure(report[1], become(spec, out[1], from));
        _exit(127);
    }
    ph_close(&out[1]);
    ph_close(&report[1]);
    if (pid < 0) {
        snprintf(error, size, "cannot start a process: %s", strerror(errno));
    } else if (!started(report[0], error, size)) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        pid = -1;
    } else {
        fcntl(out[0], F_SETFL, O_NONBLOCK);
        *out_fd = ph_steal_fd(&out[0]);
    }
    ph_close(&out[0]);
    ph_close(&report[0]);
    return pid;
}

void ph_child_adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

bool ph_child_follow(pid_t parent, int signal)
{
    prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
    return getppid() == parent;
}

/* The parent of a process as /proc/PID/stat says: "PID (name) S PARENT …". */
static pid_t parent_of(const char *pid)
{
    char path[64];
    char text[512];
    snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0) {
        return -1;
    }
    text[n] = 0;
    char *p = strrchr(text, ')'); /* the name may hold anything */
    if (!p || strlen(p) < 5) {
        return -1;
    }
    p += 4;
    p[strcspn(p, " ")] = 0;
    uint32_t parent;
    return ph_parse_u32(p, 0, INT32_MAX, &parent) ? (pid_t)parent : -1;
}

static void kill_children(void)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    while (proc && (e = readdir(proc))) {
        uint32_t pid;
        if (isdigit((unsigned char)e->d_name[0]) &&
                parent_of(e->d_name) == getpid() &&
                ph_parse_u32(e->d_name, 1, INT32_MAX, &pid)) {
            kill((pid_t)pid, SIGKILL);
        }
    }
    if (proc) {
        closedir(proc);
    }
}

void ph_child_kill_all(void)
{
    /* The children of each that dies become ours, to be killed next. */
    for (;;) {
        kill_children();
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (pid < 0 && errno == ECHILD) {
            return;
        }
        poll(NULL, 0, REAP_TICK_MS);
    }
}
