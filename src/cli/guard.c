/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"

/* The worker's exit status, or -1 as long as it runs. */
static int collect(pid_t worker)
{
    int status;
    int found = -1;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == worker) {
            found = status;
        }
    }
    return found;
}

static int watch(pid_t worker, const sigset_t *signals)
{
    for (;;) {
        int signal = 0;
        if (sigwait(signals, &signal) != 0) {
            continue;
        }
        if (signal != SIGCHLD) {
            kill(worker, SIGTERM);
            continue;
        }
        int status = collect(worker);
        if (status != -1) {
            return status;
        }
    }
}

int ph_guard_run(int (*work)(void *), void (*tidy)(void *), void *data)
{
    sigset_t signals;
    sigset_t before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, &before);
    ph_child_adopt_orphans();
    pid_t guard = getpid();
    pid_t worker = fork();
    if (worker < 0) {
        fprintf(stderr, "porthole: cannot start a process: %s\n",
                strerror(errno));
        tidy(data);
        return 1;
    }
    if (worker == 0) {
        /* The signals stay blocked until the work is ready for them. */
        if (!ph_child_follow(guard, SIGTERM)) {
            raise(SIGTERM);
        }
        exit(work(data));
    }
    int status = watch(worker, &signals);
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    fprintf(stderr, "porthole was ended by signal %d; tidying up\n",
            WTERMSIG(status));
    ph_child_kill_all();
    tidy(data);
    return 1;
}
