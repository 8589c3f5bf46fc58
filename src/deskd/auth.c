/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"

enum {
    TOKEN_BYTES = 32,
    TOKEN_MIN = 16, /* characters of a token that somebody chose */
};

void ph_auth_make_token(char out[PH_AUTH_TOKEN_TEXT])
{
    uint8_t random[TOKEN_BYTES];
    if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
        abort(); /* not below 256 bytes, getrandom(2) */
    }
    g_autofree char *text = g_base64_encode(random, sizeof(random));
    g_strdelimit(text, "+", '-');
    g_strdelimit(text, "/", '_');
    snprintf(out, PH_AUTH_TOKEN_TEXT, "%s", text); /* drops the '=' */
}

/* A whole file at once, under its name only when it is whole. False with
 * errno, EEXIST when somebody else was first. */
static bool write_token(const char *path, const char *token)
{
    g_autofree char *tmp = g_strconcat(path, ".XXXXXX", NULL);
    AUTOCLOSE int fd = mkostemp(tmp, O_CLOEXEC); /* 0600 */
    if (fd < 0) {
        return false;
    }
    bool ok = dprintf(fd, "%s\n", token) > 0 && link(tmp, path) == 0;
    int err = errno;
    unlink(tmp);
    errno = err;
    return ok;
}

static bool is_token(const char *text)
{
    size_t len = strlen(text);
    for (const char *c = text; *c; c++) {
        if (!g_ascii_isgraph(*c)) {
            return false;
        }
    }
    return len >= TOKEN_MIN && len <= PH_STREAM_MAX_TOKEN;
}

static bool read_token(int fd, const char *path,
        char token[PH_STREAM_MAX_TOKEN + 1], char *error, size_t size)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
            (st.st_mode & (S_IRWXG | S_IRWXO))) {
        snprintf(error, size,
                "token file %s can be read by others: chmod 600 it, or "
                "remove it for a new one",
                path);
        return false;
    }
    char text[PH_STREAM_MAX_TOKEN + 2] = {0};
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = 0;
    }
    if (n <= 0 || !is_token(text)) {
        snprintf(error, size,
                "token file %s does not hold one line of %d to %d characters: "
                "remove it for a new one",
                path, TOKEN_MIN, PH_STREAM_MAX_TOKEN);
        return false;
    }
    snprintf(token, PH_STREAM_MAX_TOKEN + 1, "%s", text);
    return true;
}

bool ph_auth_load(const char *path, char token[PH_STREAM_MAX_TOKEN + 1],
        char *error, size_t size)
{
    char made[PH_AUTH_TOKEN_TEXT];
    ph_auth_make_token(made);
    if (access(path, F_OK) != 0 && !write_token(path, made) &&
            errno != EEXIST) {
        snprintf(error, size, "cannot write token file %s: %s", path,
                g_strerror(errno));
        return false;
    }
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(error, size, "cannot read token file %s: %s", path,
                g_strerror(errno));
        return false;
    }
    memset(token, 0, PH_STREAM_MAX_TOKEN + 1);
    return read_token(fd, path, token, error, size);
}

/* Of zero-padded texts; 1 when equal. */
static unsigned same(const char *a, const char *b)
{
    unsigned diff = 0;
    for (size_t i = 0; i < PH_STREAM_MAX_TOKEN + 1; i++) {
        diff |= (unsigned char)(a[i] ^ b[i]);
    }
    return diff == 0;
}

bool ph_auth_tokens_differ(const struct ph_auth *auth, char *error, size_t size)
{
    if (!auth->view[0] || !same(auth->drive, auth->view)) {
        return true;
    }
    snprintf(error, size,
            "the tokens to view and to drive are the same, so that who may "
            "view could drive: remove one of the token files for a new one, or "
            "name another");
    return false;
}

enum ph_auth_role ph_auth_check(const struct ph_auth *auth, const char *token)
{
    char padded[PH_STREAM_MAX_TOKEN + 1] = {0};
    memcpy(padded, token, strnlen(token, PH_STREAM_MAX_TOKEN));
    unsigned given = padded[0] != 0;
    unsigned drive = given & same(auth->drive, padded);
    unsigned view = given & same(auth->view, padded);
    return drive ? PH_AUTH_DRIVE : view ? PH_AUTH_VIEW : PH_AUTH_NONE;
}

/* NAME, NAME:PORT, [V6] or [V6]:PORT; port 0 when there is none. */
static bool split_host(const char *text, char name[256], uint32_t *port)
{
    bool v6 = text[0] == '[';
    text += v6;
    size_t len = strcspn(text, v6 ? "]" : ":");
    const char *rest = text + len;
    if (len == 0 || len > 255 || (v6 && *rest++ != ']')) {
        return false;
    }
    memcpy(name, text, len);
    name[len] = 0;
    *port = 0;
    return !*rest || (*rest == ':' && ph_parse_u32(rest + 1, 1, 65535, port));
}

static bool is_own_name(const struct ph_auth *auth, const char *name)
{
    static const char *const own[] = {"127.0.0.1", "localhost", "::1"};
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
        if (!g_ascii_strcasecmp(name, own[i])) {
            return true;
        }
    }
    return auth->host[0] && !g_ascii_strcasecmp(name, auth->host);
}

/* default_port: what a missing one means. */
static bool authority_allowed(
        const struct ph_auth *auth, const char *text, uint32_t default_port)
{
    char name[256];
    uint32_t port;
    if (!split_host(text, name, &port)) {
        return false;
    }
    port = port ? port : default_port;
    if (port == auth->port && is_own_name(auth, name)) {
        return true;
    }
    for (size_t i = 0; i < auth->hosts.count; i++) {
        char allowed[256];
        uint32_t allowed_port;
        if (split_host(auth->hosts.items[i], allowed, &allowed_port) &&
                !g_ascii_strcasecmp(allowed, name) &&
                (!allowed_port || allowed_port == port)) {
            return true;
        }
    }
    return false;
}

bool ph_auth_host_allowed(const struct ph_auth *auth, const char *host)
{
    return host && authority_allowed(auth, host, 80);
}

bool ph_auth_origin_allowed(const struct ph_auth *auth, const char *origin)
{
    if (!origin) {
        return true;
    }
    for (size_t i = 0; i < auth->origins.count; i++) {
        if (!g_ascii_strcasecmp(auth->origins.items[i], origin)) {
            return true;
        }
    }
    if (g_str_has_prefix(origin, "http://")) {
        return authority_allowed(auth, origin + strlen("http://"), 80);
    }
    return g_str_has_prefix(origin, "https://") &&
            authority_allowed(auth, origin + strlen("https://"), 443);
}
