/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/host_spawn.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "host"
#include "common/log.h"
#include "common/net.h"
#include "common/program.h"

extern char **environ;

enum {
    HOST_FD = 3, /* what its end of the socket is there */
    END_MS = 1000, /* from SIGTERM to SIGKILL */
};

struct ph_host_spawn {
    char program[PATH_MAX];
    char **argv; /* NULL-terminated */
    pid_t pid; /* 0: none */
    atomic_int shown_pid; /* the same, for other threads */
};

struct ph_host_spawn *ph_host_spawn_create(
        const char *program, const char *const args[], char *error, size_t size)
{
    struct ph_host_spawn *s = ph_xcalloc(1, sizeof(*s));
    if (program) {
        snprintf(s->program, sizeof(s->program), "%s", program);
    } else if (!ph_program_find(
                       "porthole-hostd", s->program, sizeof(s->program))) {
        snprintf(error, size,
                "porthole-hostd is neither beside this program nor in $PATH: "
                "install it, set PORTHOLE_LIBEXEC, or name a host");
        free(s);
        return NULL;
    }
    size_t count = 0;
    while (args && args[count]) {
        count++;
    }
    s->argv = ph_xcalloc(count + 4, sizeof(*s->argv));
    s->argv[0] = ph_xstrdup("porthole-hostd");
    s->argv[1] = ph_xstrdup("--fd");
    s->argv[2] = ph_xasprintf("%d", HOST_FD);
    for (size_t i = 0; i < count; i++) {
        s->argv[3 + i] = ph_xstrdup(args[i]);
    }
    return s;
}

/* Reaps the host if it ends until the deadline. */
static bool reap(struct ph_host_spawn *s, int64_t deadline_ns)
{
    const struct timespec step = {0, 5 * PH_NS_PER_MS};
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(s->pid, &status, WNOHANG);
        if (pid == s->pid || (pid < 0 && errno != EINTR)) {
            if (pid == s->pid && WIFSIGNALED(status)) {
                LOG_DBG("host %d ended by signal %d", (int)pid,
                        WTERMSIG(status));
            }
            s->pid = 0;
            s->shown_pid = 0;
            return true;
        }
        if (ph_clock_ns() >= deadline_ns) {
            return false;
        }
        nanosleep(&step, NULL);
    }
}

static void end_host(struct ph_host_spawn *s)
{
    if (s->pid == 0 || reap(s, 0)) {
        return;
    }
    kill(s->pid, SIGTERM);
    if (!reap(s, ph_deadline_ms(END_MS))) {
        kill(s->pid, SIGKILL);
        reap(s, PH_NEVER);
    }
}

/* Signals as a new program expects them, whatever this thread blocks. */
static bool set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    return posix_spawnattr_setflags(
                   attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0 &&
            posix_spawnattr_setsigmask(attr, &none) == 0 &&
            posix_spawnattr_setsigdefault(attr, &defaults) == 0;
}

static int spawn(struct ph_host_spawn *s, int fd)
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    int err = posix_spawnattr_init(&attr);
    if (err != 0) {
        return err;
    }
    err = posix_spawn_file_actions_init(&actions);
    if (err == 0) {
        err = posix_spawn_file_actions_adddup2(&actions, fd, HOST_FD);
        if (err == 0 && !set_attributes(&attr)) {
            err = EINVAL;
        }
        if (err == 0) {
            err = posix_spawn(
                    &s->pid, s->program, &actions, &attr, s->argv, environ);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attr);
    return err;
}

int ph_host_spawn_connect(void *data, int64_t deadline_ns)
{
    struct ph_host_spawn *s = data;
    int pair[2];
    end_host(s);
    if (!ph_net_pair(pair)) {
        return -1;
    }
    AUTOCLOSE int ours = pair[0];
    AUTOCLOSE int theirs = pair[1];
    int err = spawn(s, theirs);
    if (err != 0) {
        s->pid = 0;
        errno = err;
        LOG_ERRNO("start %s", s->program);
        errno = err;
        return -1;
    }
    s->shown_pid = s->pid;
    LOG_DBG("started %s as %d", s->program, (int)s->pid);
    return ph_steal_fd(&ours);
}

pid_t ph_host_spawn_pid(const struct ph_host_spawn *s)
{
    return s->shown_pid;
}

void ph_host_spawn_destroy(struct ph_host_spawn *s)
{
    if (!s) {
        return;
    }
    end_host(s);
    for (size_t i = 0; s->argv[i]; i++) {
        free(s->argv[i]);
    }
    free(s->argv);
    free(s);
}
