/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libsoup/soup.h>
#include <string.h>

#include "cli/stream.h"
#include "common/clock.h"
#include "proto/hxfr.h"

enum {
    FIRST_FRAME_TIMEOUT_S = 15, /* from the start, connecting included */
    EAGER_PINGS = 8, /* at the start: the clock is wanted soon */
    EAGER_PING_MS = 25,
    PING_MS = 1000,
    SMALL_MESSAGE = 256,
};

struct ph_stream_client {
    const struct ph_stream_client_events *events;
    void *data;
    struct ph_stream_target target;
    uint16_t fps;
    SoupSession *session;
    GCancellable *cancel;
    SoupWebsocketConnection *socket;
    guint timer; /* no first frame */
    guint ping_timer;
    uint64_t pings;
    bool welcome;
    bool over;
    char status[PH_STREAM_MAX_TEXT + 1]; /* what is not well, or "" */
    struct ph_stream_config config;
    struct ph_stats stats;
    bool clock_known;
    int64_t offset_us;
    int64_t round_trip_us;
};

static int64_t now_us(void)
{
    return ph_clock_ns() / PH_NS_PER_US;
}

/* Takes the error. */
static void end(struct ph_stream_client *c, GError *error)
{
    g_autoptr(GError) owned = error;
    if (!c->over) {
        c->over = true;
        c->events->ended(c->data, owned);
    }
}

G_GNUC_PRINTF(2, 3)
static void fail(struct ph_stream_client *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end(c, g_error_new_valist(G_IO_ERROR, G_IO_ERROR_FAILED, fmt, ap));
    va_end(ap);
}

static void send_message(struct ph_stream_client *c, const struct ph_writer *w)
{
    if (w->ok &&
            soup_websocket_connection_get_state(c->socket) ==
                    SOUP_WEBSOCKET_STATE_OPEN) {
        soup_websocket_connection_send_binary(c->socket, w->data, w->len);
    }
}

static void send_ping(struct ph_stream_client *c)
{
    uint8_t buf[SMALL_MESSAGE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_ping(&w, (uint64_t)now_us());
    send_message(c, &w);
    c->pings++;
}

static gboolean on_ping_timer(void *data)
{
    struct ph_stream_client *c = data;
    send_ping(c);
    if (c->pings == EAGER_PINGS) {
        c->ping_timer = g_timeout_add(PING_MS, on_ping_timer, c);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

/* The token of a PING is when it left; the exchange with the smallest round
 * trip bounds the error of the clock by its half. */
static void got_pong(struct ph_stream_client *c, const uint8_t *msg, size_t len)
{
    struct ph_stream_pong pong;
    int64_t now = now_us();
    if (!ph_stream_parse_pong(msg, len, &pong) || pong.token > (uint64_t)now) {
        return;
    }
    int64_t sent = (int64_t)pong.token;
    if (!c->clock_known || now - sent < c->round_trip_us) {
        c->clock_known = true;
        c->round_trip_us = now - sent;
        c->offset_us = (int64_t)pong.server_us - (sent + now) / 2;
    }
}

static void got_welcome(
        struct ph_stream_client *c, const uint8_t *msg, size_t len)
{
    struct ph_stream_welcome welcome;
    if (c->welcome || !ph_stream_parse_welcome(msg, len, &welcome)) {
        return;
    }
    c->welcome = true;
    if (c->fps) {
        uint8_t buf[SMALL_MESSAGE];
        struct ph_writer w = ph_writer(buf, sizeof(buf));
        const struct ph_stream_settings settings = {0, c->fps};
        ph_stream_write_settings(&w, 0, &settings);
        send_message(c, &w);
    }
    send_ping(c);
    c->ping_timer = g_timeout_add(EAGER_PING_MS, on_ping_timer, c);
}

/* As a page does when it has shown it, so that the server knows how well its
 * frames get here. */
static void acknowledge(struct ph_stream_client *c, uint32_t sequence)
{
    uint8_t buf[SMALL_MESSAGE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    const struct ph_stream_ack ack = {.sequence = sequence};
    ph_stream_write_ack(&w, 0, &ack);
    send_message(c, &w);
}

static void got_frame(
        struct ph_stream_client *c, const uint8_t *msg, size_t len)
{
    struct ph_stream_frame frame;
    if (!ph_stream_parse_frame(msg, len, &frame)) {
        fail(c, "the server sent a frame that makes no sense");
        return;
    }
    bool first = c->stats.frames == 0;
    const struct ph_stats_frame f = {now_us(), frame.size,
            (frame.flags & PH_STREAM_FRAME_KEY) != 0, &frame};
    ph_stats_add(&c->stats, &f);
    acknowledge(c, frame.sequence);
    if (first) {
        g_clear_handle_id(&c->timer, g_source_remove);
        c->events->started(c->data);
    }
    c->events->frame(c->data, &frame);
}

static void got_notice(struct ph_stream_client *c, uint8_t type,
        const uint8_t *msg, size_t len)
{
    struct ph_stream_notice notice;
    if (!ph_stream_parse_notice(msg, len, &notice)) {
        return;
    }
    if (type == PH_STREAM_STATUS) {
        bool well = notice.code == PH_STREAM_STATUS_OK;
        g_strlcpy(c->status, well ? "" : notice.text, sizeof(c->status));
    } else if (notice.code == PH_STREAM_BAD_TOKEN) {
        fail(c,
                "%s does not accept the token: take the link that 'porthole "
                "run' printed last",
                c->target.url);
    } else {
        fail(c, "%s ended it: %s", c->target.url, notice.text);
    }
}

static void on_message(
        SoupWebsocketConnection *socket, int kind, GBytes *bytes, void *data)
{
    struct ph_stream_client *c = data;
    struct ph_stream_header h;
    gsize len;
    const uint8_t *msg = g_bytes_get_data(bytes, &len);
    if (c->over || kind != SOUP_WEBSOCKET_DATA_BINARY ||
            !ph_stream_parse_header(msg, len, &h)) {
        return;
    }
    switch (h.type) {
    case PH_STREAM_WELCOME:
        got_welcome(c, msg, len);
        break;
    case PH_STREAM_CONFIG:
        ph_stream_parse_config(msg, len, &c->config);
        break;
    case PH_STREAM_FRAME:
        got_frame(c, msg, len);
        break;
    case PH_STREAM_PONG:
        got_pong(c, msg, len);
        break;
    case PH_STREAM_STATUS:
    case PH_STREAM_GOODBYE:
        got_notice(c, h.type, msg, len);
        break;
    default:
        break; /* not for us, or not known yet */
    }
}

static void on_closed(SoupWebsocketConnection *socket, void *data)
{
    struct ph_stream_client *c = data;
    fail(c,
            c->welcome ? "the connection to %s was lost: the session is over"
                       : "%s closed the connection",
            c->target.url);
}

static void on_connected(GObject *source, GAsyncResult *result, void *data)
{
    GError *error = NULL;
    SoupWebsocketConnection *socket = soup_session_websocket_connect_finish(
            SOUP_SESSION(source), result, &error);
    if (!socket) {
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
            g_error_free(error); /* c is gone */
            return;
        }
        struct ph_stream_client *c = data;
        g_prefix_error(&error, "cannot connect to %s: ", c->target.url);
        end(c, error);
        return;
    }
    struct ph_stream_client *c = data;
    c->socket = socket;
    soup_websocket_connection_set_max_incoming_payload_size(
            socket, PH_HXFR_MAX_ACCESS_UNIT + PH_STREAM_FRAME_SIZE);
    g_signal_connect(socket, "message", G_CALLBACK(on_message), c);
    g_signal_connect(socket, "closed", G_CALLBACK(on_closed), c);
    uint8_t buf[SMALL_MESSAGE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_auth auth;
    memcpy(auth.token, c->target.token, sizeof(auth.token));
    ph_stream_write_auth(&w, &auth);
    send_message(c, &w);
}

static gboolean on_no_frame(void *data)
{
    struct ph_stream_client *c = data;
    c->timer = 0;
    fail(c, "no picture came from %s within %d s%s%s", c->target.url,
            FIRST_FRAME_TIMEOUT_S, c->status[0] ? ": " : "", c->status);
    return G_SOURCE_REMOVE;
}

struct ph_stream_client *ph_stream_client_create(
        const struct ph_stream_target *target, uint16_t fps,
        const struct ph_stream_client_events *events, void *data)
{
    struct ph_stream_client *c = g_new0(struct ph_stream_client, 1);
    c->events = events;
    c->data = data;
    c->fps = fps;
    c->target = *target;
    c->target.url = g_strdup(target->url);
    c->target.socket_url = g_strdup(target->socket_url);
    c->cancel = g_cancellable_new();
    c->session = soup_session_new();
    /* Compressing what is compressed already costs time and gains nothing. */
    soup_session_remove_feature_by_type(
            c->session, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
    c->timer = g_timeout_add_seconds(FIRST_FRAME_TIMEOUT_S, on_no_frame, c);
    g_autoptr(SoupMessage) msg = soup_message_new("GET", c->target.socket_url);
    char protocol[] = PH_STREAM_SUBPROTOCOL;
    char *protocols[] = {protocol, NULL};
    soup_session_websocket_connect_async(c->session, msg, NULL, protocols,
            G_PRIORITY_DEFAULT, c->cancel, on_connected, c);
    return c;
}

void ph_stream_client_destroy(struct ph_stream_client *c)
{
    if (!c) {
        return;
    }
    g_cancellable_cancel(c->cancel);
    g_clear_handle_id(&c->timer, g_source_remove);
    g_clear_handle_id(&c->ping_timer, g_source_remove);
    if (c->socket) {
        g_signal_handlers_disconnect_by_data(c->socket, c);
        if (soup_websocket_connection_get_state(c->socket) ==
                SOUP_WEBSOCKET_STATE_OPEN) {
            soup_websocket_connection_close(
                    c->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
        }
        g_clear_object(&c->socket);
    }
    g_clear_object(&c->session);
    g_clear_object(&c->cancel);
    ph_stream_target_finish(&c->target);
    ph_stats_finish(&c->stats);
    g_free(c);
}

struct ph_stream_view ph_stream_client_view(struct ph_stream_client *c)
{
    return (struct ph_stream_view){
            .stats = &c->stats,
            .width = c->config.width,
            .height = c->config.height,
            .codec = c->config.codec,
            .clock_known = c->clock_known,
            .offset_us = c->offset_us,
            .clock_error_us = (c->round_trip_us + 1) / 2,
    };
}
