/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"

#define STOP_MS 10000

bool child_start(struct child *child, const char *const argv[])
{
    int in[2];
    int out[2];
    memset(child, 0, sizeof(*child));
    if (pipe(in) < 0 || pipe(out) < 0) {
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    child->pid = fork();
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execvp(argv[0], (char *const *)argv);
        perror(argv[0]);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
    return child->pid > 0;
}

bool child_send(struct child *child, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vdprintf(child->in, fmt, args);
    va_end(args);
    return n >= 0 && write(child->in, "\n", 1) == 1;
}

/* Moves the first whole line out of the buffer. */
static bool take_line(struct child *child, char line[CHILD_LINE])
{
    char *end = memchr(child->text, '\n', child->used);
    if (!end) {
        return false;
    }
    size_t len = (size_t)(end - child->text);
    snprintf(line, CHILD_LINE, "%.*s", (int)len, child->text);
    child->used -= len + 1;
    memmove(child->text, end + 1, child->used);
    return true;
}

bool child_try(
        struct child *child, const char *prefix, char line[CHILD_LINE], int ms)
{
    int64_t deadline = ph_deadline_ms(ms);
    for (;;) {
        while (take_line(child, line)) {
            if (strncmp(line, prefix, strlen(prefix)) == 0) {
                return true;
            }
        }
        struct pollfd pfd = {child->out, POLLIN, 0};
        int n = poll(&pfd, 1, ph_deadline_poll_ms(deadline));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        size_t room = sizeof(child->text) - child->used;
        ssize_t got = n > 0 && room > 0
                ? read(child->out, child->text + child->used, room)
                : 0;
        if (got <= 0) {
            return false;
        }
        child->used += (size_t)got;
    }
}

bool child_expect(
        struct child *child, const char *prefix, char line[CHILD_LINE], int ms)
{
    bool came = child_try(child, prefix, line, ms);
    if (!came) {
        fprintf(stderr, "nothing from the child that begins with: %s\n",
                prefix);
    }
    return came;
}

void child_stop(struct child *child)
{
    if (child->pid > 0) {
        int64_t deadline = ph_deadline_ms(STOP_MS);
        kill(child->pid, SIGTERM);
        while (waitpid(child->pid, NULL, WNOHANG) == 0) {
            if (ph_clock_ns() > deadline) {
                fprintf(stderr, "the child does not end\n");
                kill(child->pid, SIGKILL);
                waitpid(child->pid, NULL, 0);
                break;
            }
            usleep(1000);
        }
        ph_close(&child->in);
        ph_close(&child->out);
        child->pid = 0;
    }
}

/* The number behind so many spaces. */
static uint32_t number_at(const char *text, int spaces)
{
    char digits[16];
    uint32_t n = 0;
    for (; spaces > 0 && text; spaces--) {
        text = strchr(text, ' ');
        text = text ? text + 1 : NULL;
    }
    if (text) {
        snprintf(digits, sizeof(digits), "%.*s",
                (int)strspn(text, "0123456789"), text);
        ph_parse_u32(digits, 0, UINT32_MAX, &n);
    }
    return n;
}

/* proc(5): utime and stime. */
uint32_t child_cpu_ticks(pid_t pid)
{
    char path[64];
    char text[1024] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f) {
        return 0;
    }
    const char *p = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
    fclose(f);
    return p ? number_at(p, 12) + number_at(p, 13) : 0;
}
