/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a running `porthole run` has on disk: a private folder for sockets,
 * logs and tokens, and a small JSON file by which other commands find it
 * (docs/man/porthole.1.scd, FILES). Both are the user's alone and vanish with
 * the session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PH_SESSION_DIR_MAX 64 /* so that a socket below it fits sun_path */
#define PH_SESSION_PATH_MAX 160

struct ph_session {
    char id[8]; /* six letters and digits */
    char dir[PH_SESSION_DIR_MAX];
    char file[PH_SESSION_PATH_MAX]; /* "" until published */
    int lock; /* held by us and by those that we fork, as long as we live */
};

/* Makes the folder, after removing those that killed sessions left. False:
 * error[size] says why. */
bool ph_session_create(struct ph_session *s, char *error, size_t size);

/* DIR/name. */
void ph_session_path(
        const struct ph_session *s, const char *name, char *out, size_t size);

struct ph_session_facts {
    const char *name;
    const char *url; /* without a token */
    const char *token_file;
    const char *view_token_file;
};

/* Writes the JSON file, with the pid of the caller. False: errno. */
bool ph_session_publish(
        struct ph_session *s, const struct ph_session_facts *facts);

/* Removes both; what is not there is no error. */
void ph_session_remove(struct ph_session *s);

/* The folder of the JSON files: $XDG_RUNTIME_DIR/porthole/sessions or
 * /tmp/porthole-UID/sessions. */
void ph_session_registry(char *out, size_t size);

/* One line of a small file of ours (a token), without its newline. False:
 * errno, or EINVAL for an empty or longer one. */
bool ph_session_read_line(const char *path, char *out, size_t size);
