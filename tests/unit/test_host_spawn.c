/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/host_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"

#include "check.h"

static char folder[] = "/tmp/porthole-test-XXXXXX";
static char program[128];

/* A stand-in for the host: says who it is and what it was given, and stays.
 * With --deaf it ignores SIGTERM. */
static void write_program(void)
{
    static const char text[] = "#!/bin/sh\n"
                               "[ \"$3\" = --deaf ] && trap '' TERM\n"
                               "echo $$ \"$@\" >&3\n"
                               "exec sleep 60\n";
    snprintf(program, sizeof(program), "%s/host", folder);
    int fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRWXU);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
}

static void read_line(int fd, char *out, size_t size)
{
    struct ph_net_read how = {ph_deadline_ms(10000), 0, NULL};
    size_t n = 0;
    while (n + 1 < size &&
            ph_net_read_full(fd, out + n, 1, &how) == PH_NET_OK &&
            out[n] != '\n') {
        n++;
    }
    out[n] = '\0';
}

/* The process id at the beginning of the line. */
static pid_t pid_of(const char *line)
{
    pid_t pid = 0;
    for (; *line >= '0' && *line <= '9'; line++) {
        pid = pid * 10 + (*line - '0');
    }
    return pid;
}

static void test_start_again(void)
{
    const char *const args[] = {"--encoder", "fake", NULL};
    char error[256] = "";
    char line[128];
    struct ph_host_spawn *s =
            ph_host_spawn_create(program, args, error, sizeof(error));
    int fd = ph_host_spawn_connect(s, ph_deadline_ms(3000));
    if (!CHECK(fd >= 0)) {
        return;
    }
    read_line(fd, line, sizeof(line));
    pid_t first = pid_of(line);
    CHECK(strstr(line, " --fd 3 --encoder fake"));
    CHECK_EQ(kill(first, 0), 0);
    close(fd);
    /* A new one takes its place. */
    fd = ph_host_spawn_connect(s, ph_deadline_ms(3000));
    CHECK(fd >= 0);
    read_line(fd, line, sizeof(line));
    pid_t second = pid_of(line);
    CHECK(second != first);
    CHECK(kill(first, 0) < 0 && errno == ESRCH);
    ph_host_spawn_destroy(s);
    CHECK(kill(second, 0) < 0 && errno == ESRCH);
    close(fd);
}

static void test_kill(void)
{
    const char *const args[] = {"--deaf", NULL};
    char error[256] = "";
    char line[128];
    struct ph_host_spawn *s =
            ph_host_spawn_create(program, args, error, sizeof(error));
    int fd = ph_host_spawn_connect(s, ph_deadline_ms(3000));
    read_line(fd, line, sizeof(line));
    CHECK_EQ(kill(pid_of(line), 0), 0);
    ph_host_spawn_destroy(s);
    CHECK(kill(pid_of(line), 0) < 0 && errno == ESRCH);
    close(fd);
}

static void test_missing(void)
{
    char error[256] = "";
    setenv("PORTHOLE_LIBEXEC", "/nowhere", 1);
    CHECK(!ph_host_spawn_create(NULL, NULL, error, sizeof(error)));
    CHECK(strstr(error, "porthole-hostd"));
    struct ph_host_spawn *s =
            ph_host_spawn_create("/nowhere/host", NULL, error, sizeof(error));
    CHECK_EQ(ph_host_spawn_connect(s, ph_deadline_ms(3000)), -1);
    CHECK_EQ(errno, ENOENT);
    ph_host_spawn_destroy(s);
    ph_host_spawn_destroy(NULL);
}

int main(void)
{
    if (!CHECK(mkdtemp(folder))) {
        return CHECK_DONE();
    }
    write_program();
    test_start_again();
    test_kill();
    test_missing();
    unlink(program);
    rmdir(folder);
    return CHECK_DONE();
}
