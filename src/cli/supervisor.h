/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps a handful of child processes running: starts them one after another
 * with a word on the terminal for each, waits until each says that it is
 * ready, writes what they say into a log file each, starts those that die
 * again (at once, then ever more slowly), and ends them all.
 *
 * One thread. ph_supervisor_init takes over SIGINT, SIGTERM, SIGHUP and
 * SIGCHLD of the process.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/child.h"

#define PH_SERVICE_LINE_MAX 512
#define PH_SUPERVISOR_SERVICES 12
#define PH_SERVICE_NUMBER "#"

enum ph_service_state {
    PH_SERVICE_IDLE, /* not started yet, or over for good */
    PH_SERVICE_STARTING, /* runs, is not ready */
    PH_SERVICE_UP,
    PH_SERVICE_WAITING, /* to be started again at retry_ns */
};

struct ph_service {
    /* The owner sets these; all must stay valid. */
    const char *name;
    struct ph_child_spec child;
    /* What it writes then, to the end of the line; or PH_SERVICE_NUMBER: a
     * line that is a number; NULL: ready at once. */
    const char *ready;
    /* Each time it is ready, before what needs it starts; or NULL. */
    void (*on_ready)(struct ph_service *service, void *data);
    void *data;
    const char *stale; /* a socket to remove before each start, or NULL */
    struct ph_service *needs; /* runs only while this one does, or NULL */
    bool once; /* when it ends by itself, everything ends */

    /* The supervisor sets these. */
    enum ph_service_state state;
    bool was_up; /* since it was added */
    bool crashed; /* at its last end: by a signal that is not ours */
    char ready_line[PH_SERVICE_LINE_MAX]; /* once ready: from there on */
    pid_t pid;
    int out_fd;
    int log_fd;
    size_t logged;
    char line[PH_SERVICE_LINE_MAX];
    size_t line_len;
    int64_t started_ns;
    int64_t retry_ns;
    unsigned failures; /* in a row */
};

struct ph_supervisor {
    const char *log_dir;
    struct ph_service *services[PH_SUPERVISOR_SERVICES];
    size_t count;
    sigset_t wait_mask;
    bool stopping;
    bool ended; /* a `once` service is over: ended_status */
    int ended_status;
};

/* log_dir must stay valid: NAME.log is written there. */
void ph_supervisor_init(struct ph_supervisor *s, const char *log_dir);

/* Adds the service and starts it; returns when it is ready. False: it could
 * not be started (said on the terminal with the end of its log), or a signal
 * asked us to stop. Afterwards its death makes it start again. */
bool ph_supervisor_start(struct ph_supervisor *s, struct ph_service *service);

/* The last lines of a service's log, on the terminal. */
void ph_supervisor_show_log(const struct ph_supervisor *s, const char *name);

/* Until a signal or the end of a `once` service; false when that failed. */
bool ph_supervisor_run(struct ph_supervisor *s);

/* Ends every process that descends from us, within 3 seconds. */
void ph_supervisor_stop(struct ph_supervisor *s);

/* A signal asked to stop. */
bool ph_supervisor_stopping(void);
