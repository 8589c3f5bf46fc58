/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "viewer"
#include "deskd/viewer.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/macros.h"
#include "deskd/ws.h"

static const struct ph_transport_events transport_events;

/* A viewer that lived so long before it fell behind starts again from no
 * back-off. */
static const int64_t FORGIVEN_NS = 10 * PH_NS_PER_S;

static int64_t now(const struct ph_viewer *v)
{
    return v->shared->clock();
}

static void send(
        struct ph_viewer *v, const struct ph_writer *w, struct ph_unit *unit)
{
    v->stats.bytes += w->len + (unit ? unit->size : 0);
    v->transport->ops->send(v->transport, w->data, w->len, unit);
}

static void clear_queue(struct ph_viewer *v)
{
    g_queue_clear_full(&v->queue, (GDestroyNotify)ph_unit_unref);
    v->queued = 0;
}

static gboolean on_auth_timeout(gpointer data)
{
    struct ph_viewer *v = data;
    v->auth_timer = 0;
    ph_viewer_dismiss(v, PH_STREAM_BAD_TOKEN, "no token came within 5 s");
    v->events->gone(v->data, v);
    return G_SOURCE_REMOVE;
}

struct ph_viewer *ph_viewer_create(struct ph_transport *transport,
        struct ph_viewer_shared *shared, const struct ph_viewer_events *events,
        void *data)
{
    struct ph_viewer *v = g_new0(struct ph_viewer, 1);
    v->transport = transport;
    v->shared = shared;
    v->events = events;
    v->data = data;
    v->waiting = true;
    g_queue_init(&v->queue);
    v->auth_timer =
            g_timeout_add_seconds(PH_VIEWER_AUTH_SECONDS, on_auth_timeout, v);
    transport->events = &transport_events;
    transport->data = v;
    return v;
}

void ph_viewer_destroy(struct ph_viewer *v)
{
    if (!v) {
        return;
    }
    if (v->auth_timer) {
        g_source_remove(v->auth_timer);
    }
    if (v->transport) {
        v->transport->ops->close(v->transport, PH_WS_GOING_AWAY, NULL, 0);
    }
    if (v->shared->seat.input) {
        ph_viewer_input_release(&v->input, &v->shared->seat);
    }
    clear_queue(v);
    g_free(v);
}

bool ph_viewer_joined(const struct ph_viewer *v)
{
    return v->role != PH_AUTH_NONE && v->transport;
}

int64_t ph_viewer_lag(const struct ph_viewer *v)
{
    const struct ph_unit *head = g_queue_peek_head((GQueue *)&v->queue);
    int64_t queued = head ? now(v) - head->received_ns : 0;
    return PH_MAX(ph_viewer_stats_lag(&v->stats, now(v)), queued);
}

bool ph_viewer_wants_keyframe(const struct ph_viewer *v)
{
    return ph_viewer_joined(v) && v->waiting && !v->paused &&
            !v->transport->ops->busy(v->transport);
}

void ph_viewer_dismiss(
        struct ph_viewer *v, enum ph_stream_goodbye code, const char *text)
{
    if (!v->transport) {
        return;
    }
    uint8_t buf[PH_TRANSPORT_MAX_HEAD];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_notice notice = {.code = (uint16_t)code};
    g_strlcpy(notice.text, text, sizeof(notice.text));
    ph_stream_write_notice(&w, PH_STREAM_GOODBYE, &notice);
    struct ph_transport *transport = v->transport;
    v->transport = NULL;
    transport->ops->close(transport,
            code == PH_STREAM_SESSION_OVER ? PH_WS_GOING_AWAY : PH_WS_POLICY,
            w.data, w.len);
}

/* The same from a message of its own. */
static void refuse(
        struct ph_viewer *v, enum ph_stream_goodbye code, const char *text)
{
    LOG_INFO("a viewer is refused: %s", text);
    ph_viewer_dismiss(v, code, text);
    v->events->gone(v->data, v);
}

/* --- what goes out, one message at a time --- */

static void send_frame(struct ph_viewer *v, struct ph_unit *unit)
{
    int64_t now_ns = now(v);
    struct ph_stream_frame frame = {
            .flags = (uint8_t)((unit->keyframe ? PH_STREAM_FRAME_KEY : 0) |
                    (unit->repeat ? PH_STREAM_FRAME_REPEAT : 0)),
            .sequence = unit->sequence,
            .captured_us = (uint64_t)(unit->captured_ns / PH_NS_PER_US),
            .sent_us = (uint64_t)(now_ns / PH_NS_PER_US),
    };
    /* QUEUE takes what the other stages leave, so that they add up. */
    uint64_t rest = frame.sent_us - frame.captured_us;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        if (i != PH_STREAM_STAGE_QUEUE) {
            frame.stage_us[i] = unit->stage_us[i];
            rest -= PH_MIN(rest, unit->stage_us[i]);
        }
    }
    frame.stage_us[PH_STREAM_STAGE_QUEUE] = (uint32_t)PH_MIN(rest, UINT32_MAX);

    uint8_t buf[PH_STREAM_FRAME_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_frame(&w, 0, &frame);
    ph_viewer_stats_sent(&v->stats, unit->sequence, unit->size, now_ns);
    v->sent_ns = now_ns;
    send(v, &w, unit);
}

/* Brings v->config up to the frame that comes next, or before the first one
 * to what the hub knows. True: it changed. */
static bool update_config(struct ph_viewer *v)
{
    const struct ph_unit *unit = g_queue_peek_head(&v->queue);
    struct ph_stream_config next = v->config;
    if (unit) {
        next.width = (uint16_t)unit->width;
        next.height = (uint16_t)unit->height;
        g_strlcpy(next.codec, unit->codec, sizeof(next.codec));
    } else if (!v->config.width) {
        next = v->shared->config;
    }
    bool changed = next.width != v->config.width ||
            next.height != v->config.height ||
            strcmp(next.codec, v->config.codec) != 0;
    v->config = next;
    return changed;
}

/* The message that the viewer is owed next; false when there is none, or
 * when it is a frame, which `pump` sends. */
static bool write_due(struct ph_viewer *v, struct ph_writer *w)
{
    if (v->welcome_due) {
        struct ph_stream_welcome welcome = {
                .version = PH_STREAM_VERSION,
                .role = v->role == PH_AUTH_DRIVE ? PH_STREAM_MAY_DRIVE : 0,
        };
        g_strlcpy(welcome.name, v->shared->name, sizeof(welcome.name));
        ph_stream_write_welcome(w, &welcome);
        v->welcome_due = false;
        return true;
    }
    if (v->pong_count) {
        struct ph_stream_pong pong = {
                v->pongs[0], (uint64_t)(now(v) / PH_NS_PER_US)};
        ph_stream_write_pong(w, &pong);
        v->pong_count--;
        memmove(v->pongs, v->pongs + 1, v->pong_count * sizeof(v->pongs[0]));
        return true;
    }
    if (v->status_due) {
        ph_stream_write_notice(w, PH_STREAM_STATUS, &v->shared->status);
        v->status_due = false;
        return true;
    }
    if (update_config(v)) {
        ph_stream_write_config(w, 0, &v->config);
        return true;
    }
    return false;
}

static void pump(struct ph_viewer *v)
{
    while (!v->transport->ops->busy(v->transport)) {
        uint8_t buf[PH_TRANSPORT_MAX_HEAD];
        struct ph_writer w = ph_writer(buf, sizeof(buf));
        if (write_due(v, &w)) {
            send(v, &w, NULL);
            continue;
        }
        struct ph_unit *unit = g_queue_pop_head(&v->queue);
        if (!unit) {
            return;
        }
        v->queued -= unit->size;
        send_frame(v, unit);
        ph_unit_unref(unit);
    }
}

/* --- the queue --- */

/* Its next frame must be a keyframe. One is forced at once the first time,
 * later and later when it comes to this again and again. */
static void start_over(struct ph_viewer *v)
{
    static const int64_t back_off_s[] = {0, 2, 4, 8};
    if (now(v) - v->live_ns > FORGIVEN_NS) {
        v->behind = 0;
    }
    int64_t pause = back_off_s[PH_MIN(v->behind, PH_LEN(back_off_s) - 1)];
    v->ask_after_ns = now(v) + pause * PH_NS_PER_S;
    v->behind++;
    v->stats.dropped += v->queue.length;
    clear_queue(v);
    v->waiting = true;
}

/* There is no room for this unit. */
static bool overflows(struct ph_viewer *v, const struct ph_unit *unit)
{
    const struct ph_unit *head = g_queue_peek_head(&v->queue);
    return head &&
            (v->queued + unit->size > PH_VIEWER_QUEUE_BYTES ||
                    now(v) - head->received_ns >
                            PH_VIEWER_QUEUE_MS * PH_NS_PER_MS);
}

void ph_viewer_unit(struct ph_viewer *v, struct ph_unit *unit)
{
    if (!ph_viewer_joined(v) || v->paused) {
        return;
    }
    if (v->waiting) {
        if (!unit->keyframe || !ph_viewer_wants_keyframe(v)) {
            return;
        }
        v->waiting = false;
        v->live_ns = now(v);
    } else if (unit->keyframe) { /* needs nothing of what waits */
        v->stats.dropped += v->queue.length;
        clear_queue(v);
    } else if (overflows(v, unit)) {
        v->stats.dropped++;
        start_over(v);
        return;
    }
    g_queue_push_tail(&v->queue, ph_unit_ref(unit));
    v->queued += unit->size;
    pump(v);
}

void ph_viewer_status(struct ph_viewer *v)
{
    if (ph_viewer_joined(v)) {
        v->status_due = true;
        pump(v);
    }
}

void ph_viewer_beat(struct ph_viewer *v)
{
    int64_t now_ns = now(v);
    /* A little less than a second: this beat may come early. */
    if (!ph_viewer_joined(v) || v->waiting || v->paused ||
            v->shared->status.code != PH_STREAM_STATUS_OK ||
            now_ns - v->sent_ns < 950 * PH_NS_PER_MS ||
            v->transport->ops->busy(v->transport)) {
        return;
    }
    uint8_t buf[16];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_unchanged(&w, 0, (uint64_t)(now_ns / PH_NS_PER_US));
    v->sent_ns = now_ns;
    send(v, &w, NULL);
}

/* --- what comes in --- */

static void authenticate(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    struct ph_stream_auth auth;
    if (msg[0] == PH_STREAM_AUTH && ph_stream_parse_auth(msg, len, &auth)) {
        v->role = ph_auth_check(v->shared->auth, auth.token);
    }
    if (v->role == PH_AUTH_NONE) {
        refuse(v, PH_STREAM_BAD_TOKEN, "the token is wrong");
        return;
    }
    g_source_remove(v->auth_timer);
    v->auth_timer = 0;
    if (!v->events->join(v->data, v)) {
        v->role = PH_AUTH_NONE;
        refuse(v, PH_STREAM_TOO_MANY, "there are too many viewers already");
        return;
    }
    v->transport->ops->trust(v->transport);
    v->welcome_due = true;
    v->status_due = v->shared->status.code != PH_STREAM_STATUS_OK;
    pump(v);
    v->events->changed(v->data);
}

static bool apply_settings(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    struct ph_stream_settings settings;
    if (!ph_stream_parse_settings(msg, len, &settings)) {
        return false;
    }
    v->fps = settings.fps;
    bool paused = settings.flags & PH_STREAM_PAUSED;
    if (paused != v->paused) {
        v->paused = paused;
        v->waiting = true;
        clear_queue(v);
    }
    v->events->changed(v->data);
    return true;
}

static bool handle(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    uint64_t token;
    struct ph_stream_ack ack;
    switch (msg[0]) {
    case PH_STREAM_KEY:
    case PH_STREAM_POINTER:
    case PH_STREAM_BUTTON:
    case PH_STREAM_WHEEL:
    case PH_STREAM_RELEASE_ALL:
        if (v->role != PH_AUTH_DRIVE) {
            return true;
        }
        v->input_ns = now(v);
        return ph_viewer_input_message(&v->input, &v->shared->seat, msg, len);
    case PH_STREAM_PING:
        if (!ph_stream_parse_ping(msg, len, &token)) {
            return false;
        }
        if (v->pong_count < PH_VIEWER_PONGS) { /* else it does not read */
            v->pongs[v->pong_count++] = token;
        }
        pump(v);
        return true;
    case PH_STREAM_ACK:
        if (!ph_stream_parse_ack(msg, len, &ack)) {
            return false;
        }
        ph_viewer_stats_ack(&v->stats, &ack, now(v));
        return true;
    case PH_STREAM_KEYFRAME: /* its decoder lost the thread */
        if (!v->waiting) {
            start_over(v);
        }
        v->events->changed(v->data);
        return true;
    case PH_STREAM_SETTINGS:
        return apply_settings(v, msg, len);
    default:
        return true; /* of a later version */
    }
}

static void on_message(void *data, const uint8_t *msg, size_t len)
{
    struct ph_viewer *v = data;
    struct ph_stream_header header;
    bool ok = ph_stream_parse_header(msg, len, &header);
    if (ok && v->role == PH_AUTH_NONE) {
        authenticate(v, msg, len);
    } else if (!ok || !handle(v, msg, len)) {
        refuse(v, PH_STREAM_BAD_MESSAGE, "a message was malformed");
    }
}

static void on_writable(void *data)
{
    struct ph_viewer *v = data;
    pump(v);
    if (ph_viewer_wants_keyframe(v)) {
        v->events->changed(v->data);
    }
}

static void on_closed(void *data)
{
    struct ph_viewer *v = data;
    v->transport = NULL;
    v->events->gone(v->data, v);
}

static const struct ph_transport_events transport_events = {
        .message = on_message,
        .writable = on_writable,
        .closed = on_closed,
};
