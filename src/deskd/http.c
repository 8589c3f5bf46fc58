/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "http"
#include "deskd/http.h"

#include <errno.h>
#include <libsoup/soup.h>
#include <string.h>

#include "common/log.h"
#include "deskd/listener.h"
#include "deskd/report.h"
#include "deskd/web.h"
#include "deskd/wsock.h"

struct ph_http {
    SoupServer *server;
    struct ph_listener *listener;
    struct ph_wsock_set sockets;
    struct ph_auth *auth;
    struct ph_screens *screens;
    char *web;
    char url[300];
};

static const struct {
    const char *name;
    const char *value;
} security_headers[] = {
        {"Content-Security-Policy", "default-src 'none'"}, /* but the page */
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        /* Isolated pages have a clock of 5 µs instead of 100. */
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Embedder-Policy", "require-corp"},
        {"Cache-Control", "no-cache"},
        {"Connection", "close"},
};

static void respond(
        SoupServerMessage *msg, guint status, const char *type, GBytes *body)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(msg);
    soup_server_message_set_status(msg, status, NULL);
    soup_message_headers_replace(headers, "Content-Type", type);
    soup_message_body_append_bytes(
            soup_server_message_get_response_body(msg), body);
}

static void respond_text(SoupServerMessage *msg, guint status, const char *fmt,
        ...) G_GNUC_PRINTF(3, 4);
static void respond_text(
        SoupServerMessage *msg, guint status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_autoptr(GBytes) body = g_bytes_new_take(text, strlen(text));
    respond(msg, status, "text/plain; charset=utf-8", body);
}

/* The headers are there: refuses what must not get any further. */
static void on_headers(SoupServer *server, SoupServerMessage *msg,
        const char *path, GHashTable *query, gpointer data)
{
    struct ph_http *http = data;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(msg);
    const char *host = soup_message_headers_get_one(headers, "Host");
    const char *origin = soup_message_headers_get_one(headers, "Origin");
    const char *method = soup_server_message_get_method(msg);
    if (!ph_auth_host_allowed(http->auth, host)) {
        respond_text(msg, SOUP_STATUS_FORBIDDEN,
                "This server does not go by the name in the Host header. Use "
                "%s, or start porthole-deskd with --allow-host NAME.\n",
                http->url);
    } else if (!ph_auth_origin_allowed(http->auth, origin)) {
        respond_text(msg, SOUP_STATUS_FORBIDDEN,
                "Pages of this Origin have no access. Use %s, or start "
                "porthole-deskd with --allow-origin ORIGIN.\n",
                http->url);
    } else if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD) {
        respond_text(msg, SOUP_STATUS_METHOD_NOT_ALLOWED,
                "Only GET and HEAD are known here.\n");
    }
}

static const char SCREEN[] = "screen"; /* that a handshake is for */

/* "101 Switching Protocols" is written: the socket is ours now. */
static void on_switched(SoupServerMessage *msg, gpointer data)
{
    struct ph_http *http = data;
    g_autoptr(GSocketAddress) remote =
            g_object_ref(soup_server_message_get_remote_address(msg));
    /* A descriptor of its own: that of the connection is closed. */
    int fd = ph_listener_take(http->listener, remote);
    g_object_unref(soup_server_message_steal_connection(msg));
    if (fd >= 0) {
        const struct ph_screen *screen =
                g_object_get_data(G_OBJECT(msg), SCREEN);
        ph_hub_add(screen->hub, ph_wsock_create(&http->sockets, fd));
    }
}

static void refuse_output(
        struct ph_http *http, SoupServerMessage *msg, const char *name)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (size_t i = 0; i < http->screens->count; i++) {
        g_string_append_printf(names, "%s\n", http->screens->list[i].name);
    }
    respond_text(msg, SOUP_STATUS_NOT_FOUND,
            "There is no output '%s' here. Leave ?output= out for the first, "
            "or name one of these:\n%s",
            name, names->str);
}

static void serve_websocket(
        struct ph_http *http, SoupServerMessage *msg, const char *output)
{
    char protocol[] = PH_STREAM_SUBPROTOCOL;
    char *protocols[] = {protocol, NULL};
    struct ph_screen *screen = ph_screens_find(http->screens, output);
    if (!screen) {
        refuse_output(http, msg, output);
        return;
    }
    g_object_set_data(G_OBJECT(msg), SCREEN, screen);
    /* libsoup appends to it. */
    soup_message_headers_remove(
            soup_server_message_get_response_headers(msg), "Connection");
    if (soup_websocket_server_process_handshake(
                msg, NULL, protocols, NULL, NULL)) {
        g_signal_connect(
                msg, "wrote-informational", G_CALLBACK(on_switched), http);
    }
}

/* What needs no token, and what needs one. */
static void serve_health(struct ph_http *http, SoupServerMessage *msg)
{
    g_autoptr(GBytes) body = ph_report_health(http->screens);
    respond(msg, SOUP_STATUS_OK, "application/json", body);
}

static void serve_figures(struct ph_http *http, SoupServerMessage *msg,
        GBytes *(*report)(const struct ph_screens *screens))
{
    const char *value = soup_message_headers_get_one(
            soup_server_message_get_request_headers(msg), "Authorization");
    if (!value || !g_str_has_prefix(value, "Bearer ") ||
            ph_auth_check(http->auth, value + strlen("Bearer ")) ==
                    PH_AUTH_NONE) {
        soup_message_headers_replace(
                soup_server_message_get_response_headers(msg),
                "WWW-Authenticate", "Bearer");
        respond_text(msg, SOUP_STATUS_UNAUTHORIZED,
                "Send the session's token: Authorization: Bearer TOKEN\n");
        return;
    }
    g_autoptr(GBytes) body = report(http->screens);
    respond(msg, SOUP_STATUS_OK, "application/json", body);
}

/* What the page may do: load itself, and open a WebSocket to where it came
 * from ('self' does not mean that in every browser). host was checked. */
static void allow_page(SoupServerMessage *msg)
{
    const char *host = soup_message_headers_get_one(
            soup_server_message_get_request_headers(msg), "Host");
    g_autofree char *policy = g_strdup_printf(
            "default-src 'none'; script-src 'self'; style-src 'self'; "
            "img-src 'self' data:; worker-src 'self'; media-src 'self' blob: "
            "mediastream:; connect-src 'self' ws://%s wss://%s; base-uri "
            "'none'; form-action 'none'; frame-ancestors 'none'",
            host, host);
    soup_message_headers_replace(soup_server_message_get_response_headers(msg),
            "Content-Security-Policy", policy);
}

static void serve_file(
        struct ph_http *http, SoupServerMessage *msg, const char *path)
{
    struct ph_web_file file;
    if (!ph_web_find(http->web, path, &file)) {
        respond_text(msg, SOUP_STATUS_NOT_FOUND, "There is no such page.\n");
        return;
    }
    g_autoptr(GBytes) body = file.data;
    allow_page(msg);
    soup_message_headers_replace(
            soup_server_message_get_response_headers(msg), "ETag", file.etag);
    const char *known = soup_message_headers_get_list(
            soup_server_message_get_request_headers(msg), "If-None-Match");
    if (known && strstr(known, file.etag)) {
        soup_server_message_set_status(msg, SOUP_STATUS_NOT_MODIFIED, NULL);
        return;
    }
    respond(msg, SOUP_STATUS_OK, file.type, body);
}

static void on_request(SoupServer *server, SoupServerMessage *msg,
        const char *path, GHashTable *query, gpointer data)
{
    struct ph_http *http = data;
    if (soup_server_message_get_status(msg) != SOUP_STATUS_NONE) {
        return; /* refused by on_headers */
    }
    if (strcmp(path, "/ws") == 0) {
        serve_websocket(
                http, msg, query ? g_hash_table_lookup(query, "output") : NULL);
    } else if (strcmp(path, "/health") == 0) {
        serve_health(http, msg);
    } else if (strcmp(path, "/stats") == 0) {
        serve_figures(http, msg, ph_report_stats);
    } else if (strcmp(path, "/outputs") == 0) {
        serve_figures(http, msg, ph_report_outputs);
    } else {
        serve_file(http, msg, path);
    }
}

static void on_request_started(
        SoupServer *server, SoupServerMessage *msg, gpointer data)
{
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(msg);
    for (size_t i = 0; i < G_N_ELEMENTS(security_headers); i++) {
        soup_message_headers_replace(
                headers, security_headers[i].name, security_headers[i].value);
    }
    /* Nobody has to send us a body: do not collect it. */
    soup_message_body_set_accumulate(
            soup_server_message_get_request_body(msg), FALSE);
}

static void on_accept(void *data, GIOStream *stream, GSocketAddress *local,
        GSocketAddress *remote)
{
    struct ph_http *http = data;
    soup_server_accept_iostream(http->server, stream, local, remote, NULL);
}

struct ph_http *ph_http_create(const struct ph_http_options *options,
        struct ph_auth *auth, struct ph_screens *screens, char *error,
        size_t size)
{
    struct ph_http *http = g_new0(struct ph_http, 1);
    struct ph_endpoint ep = options->listen;
    http->auth = auth;
    http->screens = screens;
    http->web = g_strdup(options->web);
    http->listener = ph_listener_create(&ep, on_accept, http);
    bool v6 = strchr(ep.address, ':');
    if (!http->listener) {
        snprintf(error, size,
                "cannot listen on %s%s%s:%u (--http): %s; choose another port "
                "there, or 0 for any",
                v6 ? "[" : "", ep.address, v6 ? "]" : "", (unsigned)ep.port,
                g_strerror(errno));
        ph_http_destroy(http);
        return NULL;
    }
    snprintf(auth->host, sizeof(auth->host), "%s", ep.address);
    auth->port = ep.port;
    snprintf(http->url, sizeof(http->url), "http://%s%s%s:%u/", v6 ? "[" : "",
            ep.address, v6 ? "]" : "", (unsigned)ep.port);
    http->server = soup_server_new("server-header", "porthole", NULL);
    g_signal_connect(http->server, "request-started",
            G_CALLBACK(on_request_started), NULL);
    soup_server_add_early_handler(http->server, NULL, on_headers, http, NULL);
    soup_server_add_handler(http->server, NULL, on_request, http, NULL);
    return http;
}

void ph_http_stop(struct ph_http *http)
{
    ph_listener_stop(http->listener);
}

bool ph_http_idle(const struct ph_http *http)
{
    return !http->sockets.list;
}

void ph_http_destroy(struct ph_http *http)
{
    if (!http) {
        return;
    }
    ph_wsock_set_finish(&http->sockets);
    if (http->server) {
        soup_server_disconnect(http->server);
        g_object_unref(http->server);
    }
    ph_listener_destroy(http->listener);
    g_free(http->web);
    g_free(http);
}

const char *ph_http_url(const struct ph_http *http)
{
    return http->url;
}
