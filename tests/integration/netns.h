/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two network namespaces with a cable between them: the host's, in which the
 * test runs, at 10.99.0.1 (`cable`), and the guests' at 10.99.0.2 (`eth0`). A
 * socket stays in the one that it was made in.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"

#include "unit/check.h"

static int host_net;
static int guest_net;

static inline void enter(int net)
{
    if (setns(net, CLONE_NEWNET) < 0) {
        perror("setns");
        exit(1);
    }
}

/* ip(8) in that namespace. */
static inline void ip(int net, const char *fmt, ...) PH_PRINTF(2, 3);
static inline void ip(int net, const char *fmt, ...)
{
    char command[256] = "exec ip ";
    va_list args;
    va_start(args, fmt);
    vsnprintf(command + strlen(command), sizeof(command) - strlen(command), fmt,
            args);
    va_end(args);
    pid_t pid = fork();
    if (pid == 0) {
        enter(net);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    if (!CHECK_EQ(status, 0)) {
        fprintf(stderr, "  %s\n", command);
    }
}

static inline void write_text(const char *path, const char *text)
{
    AUTOCLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = write(fd, text, strlen(text));
    (void)n; /* what follows says whether it worked */
}

/* Becomes root of a user namespace where it is not root already. */
static inline int new_namespace(void)
{
    char map[32];
    uid_t uid = getuid();
    if (unshare(CLONE_NEWNET) < 0) {
        snprintf(map, sizeof(map), "0 %u 1", uid);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
            return -1;
        }
        write_text("/proc/self/uid_map", map);
    }
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

/* Before there is any other thread. False: it cannot be made here. */
static inline bool make_network(void)
{
    host_net = new_namespace();
    guest_net = host_net < 0 ? -1 : new_namespace();
    if (guest_net < 0) {
        return false;
    }
    ip(host_net, "link set lo up");
    ip(host_net, "link add cable type veth peer name eth0 netns /proc/%d/fd/%d",
            getpid(), guest_net);
    ip(host_net, "addr add 10.99.0.1/24 dev cable");
    ip(host_net, "link set cable up");
    ip(guest_net, "addr add 10.99.0.2/24 dev eth0");
    ip(guest_net, "link set eth0 up");
    enter(host_net);
    return true;
}
