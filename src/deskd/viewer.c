/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "viewer"
#include "deskd/viewer.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/macros.h"
#include "deskd/viewer_out.h"
#include "deskd/ws.h"

static const struct ph_transport_events transport_events;

/* A viewer that lived so long before it fell behind starts again from no
 * back-off. */
static const int64_t FORGIVEN_NS = 10 * PH_NS_PER_S;

static int64_t now(const struct ph_viewer *v)
{
    return v->shared->clock();
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
    v->upload.downloads = shared->downloads;
    g_queue_init(&v->queue);
    v->auth_timer =
            g_timeout_add_seconds(PH_VIEWER_AUTH_SECONDS, on_auth_timeout, v);
    transport->events = &transport_events;
    transport->data = v;
    return v;
}

/* --- what it holds --- */

static gboolean on_held(gpointer data)
{
    struct ph_viewer *v = data;
    if (ph_viewer_check_held(v)) {
        return G_SOURCE_CONTINUE;
    }
    v->held_timer = 0;
    return G_SOURCE_REMOVE;
}

bool ph_viewer_check_held(struct ph_viewer *v)
{
    if (v->input.held_count == 0) {
        return false;
    }
    if (now(v) - v->alive_ns < PH_VIEWER_HELD_MS * PH_NS_PER_MS) {
        return true;
    }
    LOG_INFO("a viewer that holds keys says nothing: they are released");
    ph_viewer_input_release(&v->input, &v->shared->seat);
    return false;
}

static void stop_holding(struct ph_viewer *v)
{
    if (v->held_timer) {
        g_source_remove(v->held_timer);
        v->held_timer = 0;
    }
    if (v->shared->seat.input) {
        ph_viewer_input_release(&v->input, &v->shared->seat);
    }
}

static bool handle_input(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    v->alive_ns = now(v);
    if (msg[0] != PH_STREAM_HELD) {
        v->input_ns = v->alive_ns;
        v->events->drove(v->data, v);
    }
    bool ok = ph_viewer_input_message(&v->input, &v->shared->seat, msg, len);
    if (v->input.held_count && !v->held_timer) {
        v->held_timer = g_timeout_add(PH_VIEWER_HELD_MS / 4, on_held, v);
    }
    return ok;
}

void ph_viewer_destroy(struct ph_viewer *v)
{
    if (!v) {
        return;
    }
    stop_holding(v);
    if (v->auth_timer) {
        g_source_remove(v->auth_timer);
    }
    if (v->transport) {
        v->transport->ops->close(v->transport, PH_WS_GOING_AWAY, NULL, 0);
    }
    clear_queue(v);
    ph_viewer_upload_finish(&v->upload);
    ph_clip_unref(v->clipboard);
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
    ph_viewer_pump(v);
}

void ph_viewer_status(struct ph_viewer *v)
{
    if (ph_viewer_joined(v)) {
        v->status_due = true;
        ph_viewer_pump(v);
    }
}

void ph_viewer_cursor(struct ph_viewer *v)
{
    if (ph_viewer_joined(v) && !v->paused) {
        v->cursor_due = true;
        ph_viewer_pump(v);
    }
}

void ph_viewer_clipboard(struct ph_viewer *v, struct ph_clip *clip)
{
    ph_clip_unref(v->clipboard); /* the rest of it is void */
    v->clipboard = ph_clip_ref(clip);
    v->clipboard_pos = 0;
    ph_viewer_pump(v);
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
    ph_viewer_send(v, &w, NULL);
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
    v->cursor_due = v->shared->cursor.serial != 0;
    ph_viewer_pump(v);
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
        v->cursor_due = v->shared->cursor.serial != 0;
        v->waiting = true;
        clear_queue(v);
    }
    v->events->changed(v->data);
    return true;
}

static bool handle_piece(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    if (!ph_viewer_upload_message(&v->upload, msg, len)) {
        return false;
    }
    struct ph_clip *clip = ph_viewer_upload_take(&v->upload);
    if (clip) {
        v->events->copied(v->data, v, clip);
        ph_clip_unref(clip);
    }
    ph_viewer_pump(v);
    return true;
}

static bool handle_resize(struct ph_viewer *v, const uint8_t *msg, size_t len)
{
    if (!ph_stream_parse_resize(msg, len, &v->wish)) {
        return false;
    }
    v->events->resize(v->data, v);
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
    case PH_STREAM_TEXT:
    case PH_STREAM_MOTION:
    case PH_STREAM_TOUCH:
    case PH_STREAM_LOCKS:
    case PH_STREAM_HELD:
        return v->role != PH_AUTH_DRIVE || handle_input(v, msg, len);
    case PH_STREAM_CLIPBOARD:
    case PH_STREAM_FILE:
        return v->role != PH_AUTH_DRIVE || handle_piece(v, msg, len);
    case PH_STREAM_RESIZE:
        return v->role != PH_AUTH_DRIVE || handle_resize(v, msg, len);
    case PH_STREAM_PING:
        if (!ph_stream_parse_ping(msg, len, &token)) {
            return false;
        }
        if (v->pong_count < PH_VIEWER_PONGS) { /* else it does not read */
            v->pongs[v->pong_count++] = token;
        }
        ph_viewer_pump(v);
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
    ph_viewer_pump(v);
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
