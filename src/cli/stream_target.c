/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/session.h"
#include "cli/stream.h"

/* A session's file, as far as we need it. */
struct session {
    char *id;
    char *name;
    char *url;
    char *token_file;
};

static void session_free(void *p)
{
    struct session *s = p;
    g_free(s->id);
    g_free(s->name);
    g_free(s->url);
    g_free(s->token_file);
    g_free(s);
}

static char *member(JsonObject *object, const char *name)
{
    return g_strdup(
            json_object_get_string_member_with_default(object, name, ""));
}

/* NULL: not whole, or its `porthole run` is dead. */
static struct session *read_session(const char *path)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_file(parser, path, NULL)) {
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        return NULL;
    }
    JsonObject *object = json_node_get_object(root);
    gint64 pid = json_object_get_int_member_with_default(object, "pid", 0);
    if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH)) {
        return NULL;
    }
    struct session *s = g_new0(struct session, 1);
    s->id = member(object, "id");
    s->name = member(object, "name");
    s->url = member(object, "url");
    s->token_file = member(object, "token_file");
    return s;
}

static GPtrArray *read_sessions(void)
{
    char registry[PH_SESSION_PATH_MAX];
    GPtrArray *found = g_ptr_array_new_with_free_func(session_free);
    ph_session_registry(registry, sizeof(registry));
    g_autoptr(GDir) dir = g_dir_open(registry, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(registry, name, NULL);
        struct session *s =
                g_str_has_suffix(name, ".json") ? read_session(path) : NULL;
        if (s) {
            g_ptr_array_add(found, s);
        }
    }
    return found;
}

static void describe_choice(GPtrArray *sessions, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < sessions->len; i++) {
        const struct session *s = sessions->pdata[i];
        g_string_append_printf(text, "\n  %s  %s  %s", s->id, s->url, s->name);
    }
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
            "several sessions run here, name one of them:%s", text->str);
}

static bool find_session(
        const char *where, char **url, char **token_file, GError **error)
{
    g_autoptr(GPtrArray) all = read_sessions();
    const struct session *match = NULL;
    guint count = 0;
    for (guint i = 0; i < all->len; i++) {
        const struct session *s = all->pdata[i];
        if (!where || !strcmp(where, s->id) || !strcmp(where, s->name)) {
            match = s;
            count++;
        }
    }
    if (count > 1) {
        describe_choice(all, error);
    } else if (!match && where) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "'%s' is neither a link nor a session that runs here", where);
    } else if (!match) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                "no session runs here: start one with 'porthole run', or give "
                "the link of one");
    } else {
        *url = g_strdup(match->url);
        *token_file = g_strdup(match->token_file);
    }
    return count == 1;
}

static bool set_token(
        struct ph_stream_target *out, const char *token, GError **error)
{
    if (!token || !*token) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "there is no token: give the whole link that 'porthole run' "
                "printed, with what is behind #, or --token-file");
        return false;
    }
    if (g_strlcpy(out->token, token, sizeof(out->token)) >=
            sizeof(out->token)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "the token has more than %d characters", PH_STREAM_MAX_TOKEN);
        return false;
    }
    return true;
}

static bool read_token(
        struct ph_stream_target *out, const char *path, GError **error)
{
    if (!ph_session_read_line(path, out->token, sizeof(out->token))) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                "cannot read a token from %s: %s", path, g_strerror(errno));
        return false;
    }
    return true;
}

/* "http://HOST:PORT/#TOKEN": sets both URLs; *token is what is behind #. */
static bool split_url(struct ph_stream_target *out, const char *text,
        char **token, GError **error)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, error);
    if (!uri) {
        g_prefix_error(error, "'%s': ", text);
        return false;
    }
    const char *scheme = g_uri_get_scheme(uri);
    bool secure = !strcmp(scheme, "https") || !strcmp(scheme, "wss");
    bool plain = !strcmp(scheme, "http") || !strcmp(scheme, "ws");
    if (!(secure || plain) || !g_uri_get_host(uri)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                "'%s' is not a link: http://HOST:PORT/#TOKEN", text);
        return false;
    }
    const char *fragment = g_uri_get_fragment(uri);
    if (fragment && g_str_has_prefix(fragment, "token=")) {
        fragment += strlen("token=");
    }
    *token = g_strdup(fragment);
    const char *host = g_uri_get_host(uri);
    int port = g_uri_get_port(uri);
    out->url = g_uri_join(G_URI_FLAGS_NONE, secure ? "https" : "http", NULL,
            host, port, "/", NULL, NULL);
    out->socket_url = g_uri_join(G_URI_FLAGS_NONE, secure ? "wss" : "ws", NULL,
            host, port, "/ws", NULL, NULL);
    return true;
}

bool ph_stream_target_find(struct ph_stream_target *out, const char *where,
        const char *token_file, GError **error)
{
    g_autofree char *url = NULL;
    g_autofree char *own_token_file = NULL;
    g_autofree char *token = NULL;
    *out = (struct ph_stream_target){0};
    if (where && strstr(where, "://")) {
        url = g_strdup(where);
    } else if (!find_session(where, &url, &own_token_file, error)) {
        return false;
    }
    if (!split_url(out, url, &token, error)) {
        return false;
    }
    const char *path = token_file ? token_file : own_token_file;
    bool ok =
            path ? read_token(out, path, error) : set_token(out, token, error);
    if (!ok) {
        ph_stream_target_finish(out);
    }
    return ok;
}

void ph_stream_target_finish(struct ph_stream_target *target)
{
    g_free(target->url);
    g_free(target->socket_url);
    *target = (struct ph_stream_target){0};
}
