/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who may see and drive the desktop: secret tokens, and the Host and Origin
 * that a browser must come from (so that a page of somebody else, or a name
 * that somebody else points at 127.0.0.1, gets nothing). Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/opt.h"
#include "proto/stream.h"

#define PH_AUTH_TOKEN_TEXT 44 /* 32 random bytes as base64url, and a zero */

enum ph_auth_role {
    PH_AUTH_NONE,
    PH_AUTH_VIEW,
    PH_AUTH_DRIVE,
};

struct ph_auth {
    char drive[PH_STREAM_MAX_TOKEN + 1]; /* zeros behind the token */
    char view[PH_STREAM_MAX_TOKEN + 1]; /* all zero: no such token */
    char host[256]; /* of --http, without brackets */
    uint16_t port;
    struct ph_opt_list hosts; /* --allow-host: NAME or NAME:PORT */
    struct ph_opt_list origins; /* --allow-origin: SCHEME://HOST[:PORT] */
};

/* Random bytes of the kernel as text. */
void ph_auth_make_token(char out[PH_AUTH_TOKEN_TEXT]);

/* The token in the file, which nobody else may read; writes a new one when
 * there is no such file. False: error[size] says why and what to do. */
bool ph_auth_load(const char *path, char token[PH_STREAM_MAX_TOKEN + 1],
        char *error, size_t size);

/* False: whoever may view could drive as well; error[size] as above. */
bool ph_auth_tokens_differ(
        const struct ph_auth *auth, char *error, size_t size);

/* Takes the same time whatever the token. */
enum ph_auth_role ph_auth_check(const struct ph_auth *auth, const char *token);

/* The Host header, e.g. "127.0.0.1:8080"; NULL is refused. */
bool ph_auth_host_allowed(const struct ph_auth *auth, const char *host);
/* The Origin header; NULL (not a browser) is allowed. */
bool ph_auth_origin_allowed(const struct ph_auth *auth, const char *origin);
