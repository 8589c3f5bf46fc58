/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes of a session: which programs they are, with which arguments.
 * A struct ph_run lies where it is until the end; its strings point into each
 * other.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "cli/desktop.h"
#include "cli/run.h"
#include "cli/session.h"
#include "cli/supervisor.h"

#define PH_RUN_ARGS 40
#define PH_RUN_ENV 24

struct ph_run {
    struct ph_run_options opts;
    const char *const *program; /* of the user; NULL: a terminal */
    struct ph_session session;
    struct ph_supervisor supervisor;
    struct ph_desktop desktop;
    struct ph_service shown; /* PROGRAM */
    struct ph_service hostd;
    struct ph_service deskd;
    struct ph_endpoint http;

    char desktop_dir[PH_SESSION_PATH_MAX];
    char hostd_path[PATH_MAX];
    char deskd_path[PATH_MAX];
    char hostd_endpoint[PH_SESSION_PATH_MAX];
    char http_text[PH_ENDPOINT_TEXT_MAX];
    char token_file[PH_SESSION_PATH_MAX];
    char view_token_file[PH_SESSION_PATH_MAX];
    char name[256];
    char size[32];
    char fps[16];
    char bitrate[24];
    char foot_config[PH_SESSION_PATH_MAX + 16];
    const char *foot_argv[4];
    const char **shown_argv; /* when it waits for the desktop */
    const char *shown_env[PH_RUN_ENV];
    const char *hostd_argv[8];
    const char *deskd_argv[PH_RUN_ARGS];
};

/* Looks for all the programs. False: error[size] names the one that is
 * missing and what installs it. */
bool ph_run_find_programs(struct ph_run *r, char *error, size_t size);

/* Fills in the service; the session's folder exists. */
bool ph_run_describe_shown(struct ph_run *r, char *error, size_t size);
void ph_run_describe_hostd(struct ph_run *r);
void ph_run_describe_deskd(struct ph_run *r);

bool ph_run_wants_hostd(const struct ph_run *r);
