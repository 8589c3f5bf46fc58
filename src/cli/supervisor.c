/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/macros.h"

#define READY_TIMEOUT_NS (30 * PH_NS_PER_S)
#define STOP_GRACE_NS (2 * PH_NS_PER_S)
/* A service that ran so long was healthy: its next death is the first. */
#define HEALTHY_NS (10 * PH_NS_PER_S)
#define RETRY_FIRST_NS (100 * PH_NS_PER_MS)
#define RETRY_MOST_NS (5 * PH_NS_PER_S)

enum {
    LOG_MAX = 1 << 20, /* a log that grows beyond begins anew */
    TAIL_LINES = 12,
    TAIL_BYTES = 4096,
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int signal)
{
    if (signal != SIGCHLD) {
        stop_signal = 1;
    }
}

bool ph_supervisor_stopping(void)
{
    return stop_signal;
}

void ph_supervisor_init(struct ph_supervisor *s, const char *log_dir)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    *s = (struct ph_supervisor){.log_dir = log_dir};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (size_t i = 0; i < PH_LEN(signals); i++) {
        struct sigaction action = {.sa_handler = on_signal};
        sigemptyset(&action.sa_mask);
        sigaction(signals[i], &action, NULL);
        sigaddset(&blocked, signals[i]);
    }
    /* Delivered only while ppoll() waits: no signal is missed between a look
     * at the state and the wait. */
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    sigemptyset(&s->wait_mask);
    ph_child_adopt_orphans();
}

static void log_path(
        const struct ph_supervisor *s, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s.log", s->log_dir, name);
}

static void write_log(struct ph_service *v, const char *data, size_t len)
{
    if (v->logged + len > LOG_MAX && ftruncate(v->log_fd, 0) == 0) {
        v->logged = 0;
    }
    if (write(v->log_fd, data, len) == (ssize_t)len) {
        v->logged += len;
    }
}

void ph_supervisor_show_log(const struct ph_supervisor *s, const char *name)
{
    char path[256];
    char text[TAIL_BYTES + 1];
    log_path(s, name, path, sizeof(path));
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = PH_MAX(0, end - TAIL_BYTES);
    ssize_t n = fd < 0 ? -1 : pread(fd, text, TAIL_BYTES, from);
    if (n <= 0) {
        return;
    }
    text[n] = 0;
    char *p = text + n - (text[n - 1] == '\n');
    *p = 0;
    for (int lines = 0; p > text; p--) {
        if (*p == '\n' && ++lines == TAIL_LINES) {
            p++;
            break;
        }
    }
    for (char *line = p; line;) {
        char *next = strchr(line, '\n');
        if (next) {
            *next++ = 0;
        }
        fprintf(stderr, "  | %s\n", line);
        line = next;
    }
}

/* What of the line says that it is ready; NULL: nothing. What a child of the
 * service writes in pieces may stand before it. */
static const char *find_ready(const struct ph_service *v)
{
    if (!strcmp(v->ready, PH_SERVICE_NUMBER)) {
        size_t digits = strspn(v->line, "0123456789");
        return digits > 0 && !v->line[digits] ? v->line : NULL;
    }
    return strstr(v->line, v->ready);
}

static void service_line(struct ph_service *v)
{
    v->line[v->line_len] = 0;
    v->line_len = 0;
    if (v->state != PH_SERVICE_STARTING || !v->ready) {
        return;
    }
    const char *ready = find_ready(v);
    if (ready) {
        snprintf(v->ready_line, sizeof(v->ready_line), "%s", ready);
        v->state = PH_SERVICE_UP;
        v->was_up = true;
        if (v->on_ready) {
            v->on_ready(v, v->data);
        }
    }
}

/* Takes what the service said: into its log, and into lines. */
static void drain(struct ph_service *v)
{
    char buf[4096];
    ssize_t n = 0;
    /* A bound, so that one that never stops talking does not keep us. */
    for (int i = 0; i < 16 && v->out_fd >= 0; i++) {
        n = read(v->out_fd, buf, sizeof(buf));
        if (n <= 0) {
            break;
        }
        write_log(v, buf, (size_t)n);
        for (ssize_t k = 0; k < n && v->state == PH_SERVICE_STARTING; k++) {
            if (buf[k] == '\n') {
                service_line(v);
            } else if (v->line_len < sizeof(v->line) - 1) {
                v->line[v->line_len++] = buf[k];
            }
        }
    }
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        ph_close(&v->out_fd);
    }
}

static void plan_retry(struct ph_service *v)
{
    int64_t now = ph_clock_ns();
    if (now - v->started_ns > HEALTHY_NS) {
        v->failures = 0;
    }
    int64_t delay = RETRY_FIRST_NS << PH_MIN(v->failures, 10U);
    v->failures++;
    v->retry_ns = now + PH_MIN(delay, RETRY_MOST_NS);
    v->state = PH_SERVICE_WAITING;
}

/* Starts the process; false: error[size] says why. */
static bool launch(
        struct ph_supervisor *s, struct ph_service *v, char *error, size_t size)
{
    if (v->stale) {
        unlink(v->stale);
    }
    v->started_ns = ph_clock_ns();
    v->line_len = 0;
    v->pid = ph_child_start(&v->child, &v->out_fd, error, size);
    if (v->pid < 0) {
        return false;
    }
    v->state = v->ready ? PH_SERVICE_STARTING : PH_SERVICE_UP;
    v->was_up |= !v->ready;
    return true;
}

static void describe_end(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status)) {
        snprintf(out, size, "was ended by signal %d (%s)", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
    } else {
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
    }
}

static void service_ended(
        struct ph_supervisor *s, struct ph_service *v, int status)
{
    char how[96];
    drain(v);
    bool was_up = v->state == PH_SERVICE_UP;
    ph_close(&v->out_fd);
    kill(-v->pid, SIGTERM); /* what is left of its group */
    v->pid = -1;
    v->crashed = WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM &&
            WTERMSIG(status) != SIGKILL;
    describe_end(status, how, sizeof(how));
    if (s->stopping) {
        v->state = PH_SERVICE_IDLE;
        return;
    }
    if (v->failures == 0 && !was_up) {
        v->state = PH_SERVICE_IDLE; /* its first start: the starter reports */
        fprintf(stderr, "failed: it %s\n", how);
        return;
    }
    if (v->once) {
        v->state = PH_SERVICE_IDLE;
        s->ended = true;
        s->ended_status = status;
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        struct ph_service *other = s->services[i];
        if (other->needs == v && other->pid > 0) {
            kill(-other->pid, SIGTERM);
        }
    }
    plan_retry(v);
    if (v->needs && v->needs->state != PH_SERVICE_UP) {
        return; /* it could not go on without that */
    }
    fprintf(stderr, "%s %s; starting it again in %.1f s\n", v->name, how,
            (double)(v->retry_ns - ph_clock_ns()) / 1e9);
}

/* What died is told in the order of the services: the cause before what it
 * took along. */
static void reap(struct ph_supervisor *s)
{
    bool ended[PH_SUPERVISOR_SERVICES] = {false};
    int statuses[PH_SUPERVISOR_SERVICES] = {0};
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < s->count; i++) {
            if (s->services[i]->pid == pid) {
                ended[i] = true;
                statuses[i] = status;
            }
        }
    }
    for (size_t i = 0; i < s->count; i++) {
        if (ended[i]) {
            service_ended(s, s->services[i], statuses[i]);
        }
    }
}

static bool may_start(const struct ph_service *v)
{
    return v->state == PH_SERVICE_WAITING &&
            (!v->needs || v->needs->state == PH_SERVICE_UP);
}

/* Starts what is due and ends what does not become ready. */
static void keep_running(struct ph_supervisor *s)
{
    char error[256];
    int64_t now = ph_clock_ns();
    for (size_t i = 0; i < s->count; i++) {
        struct ph_service *v = s->services[i];
        if (may_start(v) && now >= v->retry_ns &&
                !launch(s, v, error, sizeof(error))) {
            plan_retry(v);
            fprintf(stderr, "%s cannot be started: %s\n", v->name, error);
        }
        if (v->state == PH_SERVICE_STARTING &&
                now - v->started_ns > READY_TIMEOUT_NS) {
            fprintf(stderr, "%s does not become ready; ", v->name);
            kill(-v->pid, SIGKILL);
            v->started_ns = now; /* say so once; the end is reported */
        }
    }
}

static int64_t next_deadline(const struct ph_supervisor *s, int64_t most)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct ph_service *v = s->services[i];
        if (may_start(v)) {
            most = PH_MIN(most, v->retry_ns);
        } else if (v->state == PH_SERVICE_STARTING) {
            most = PH_MIN(most, v->started_ns + READY_TIMEOUT_NS);
        }
    }
    return most;
}

/* Waits for the next event, at most until `most`, and takes it in. */
static void step(struct ph_supervisor *s, int64_t most)
{
    struct pollfd fds[PH_SUPERVISOR_SERVICES];
    for (size_t i = 0; i < s->count; i++) {
        fds[i] = (struct pollfd){s->services[i]->out_fd, POLLIN, 0};
    }
    int64_t deadline = next_deadline(s, most);
    int64_t left = PH_MAX(0, deadline - ph_clock_ns());
    struct timespec wait = {(time_t)(left / PH_NS_PER_S), left % PH_NS_PER_S};
    int n = ppoll(fds, (nfds_t)s->count, deadline == PH_NEVER ? NULL : &wait,
            &s->wait_mask);
    for (size_t i = 0; n > 0 && i < s->count; i++) {
        if (fds[i].revents) {
            drain(s->services[i]);
        }
    }
    reap(s);
}

/* Adds the service and starts its process. */
static bool begin(struct ph_supervisor *s, struct ph_service *v)
{
    char path[256];
    char error[256] = "";
    log_path(s, v->name, path, sizeof(path));
    v->pid = v->out_fd = -1;
    v->was_up = false;
    v->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    s->services[s->count++] = v;
    fprintf(stderr, "starting %s ... ", v->name);
    if (v->log_fd < 0) {
        fprintf(stderr, "failed: cannot write %s: %s\n", path, strerror(errno));
        return false;
    }
    if (!launch(s, v, error, sizeof(error))) {
        fprintf(stderr, "failed: %s\n", error);
        return false;
    }
    return true;
}

bool ph_supervisor_start(struct ph_supervisor *s, struct ph_service *v)
{
    bool begun = begin(s, v);
    while (begun && v->state == PH_SERVICE_STARTING && !stop_signal) {
        step(s, PH_NEVER);
        keep_running(s);
    }
    if (v->was_up) { /* and may be over already, as a command is */
        fprintf(stderr, "ok (%.1f s)\n",
                (double)(ph_clock_ns() - v->started_ns) / 1e9);
        return true;
    }
    if (stop_signal) {
        fprintf(stderr, "interrupted\n");
    } else if (begun) {
        ph_supervisor_show_log(s, v->name);
    }
    if (v->pid < 0) {
        ph_close(&v->log_fd);
        s->count--; /* as if it had never been there: it may be tried again */
    }
    return false;
}

bool ph_supervisor_run(struct ph_supervisor *s)
{
    while (!stop_signal && !s->ended) {
        step(s, PH_NEVER);
        keep_running(s);
    }
    return !s->ended || s->ended_status == 0;
}

static size_t running(const struct ph_supervisor *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        count += s->services[i]->pid > 0;
    }
    return count;
}

void ph_supervisor_stop(struct ph_supervisor *s)
{
    int64_t deadline = ph_clock_ns() + STOP_GRACE_NS;
    s->stopping = true;
    for (size_t i = 0; i < s->count; i++) {
        struct ph_service *v = s->services[i];
        if (v->pid > 0) {
            kill(-v->pid, SIGTERM);
        }
    }
    while (running(s) && ph_clock_ns() < deadline) {
        step(s, deadline);
    }
    ph_child_kill_all();
    for (size_t i = 0; i < s->count; i++) {
        ph_close(&s->services[i]->out_fd);
        ph_close(&s->services[i]->log_fd);
    }
}
