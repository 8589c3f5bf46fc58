/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/viewer_out.h"

#include <string.h>

#include "common/clock.h"
#include "common/macros.h"

static int64_t now(const struct ph_viewer *v)
{
    return v->shared->clock();
}

void ph_viewer_send(
        struct ph_viewer *v, const struct ph_writer *w, struct ph_unit *unit)
{
    v->stats.bytes += w->len + (unit ? unit->size : 0);
    v->transport->ops->send(v->transport, w->data, w->len, unit);
}

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
    ph_viewer_send(v, &w, unit);
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

static void write_welcome(struct ph_viewer *v, struct ph_writer *w)
{
    struct ph_stream_welcome welcome = {.version = PH_STREAM_VERSION};
    if (v->role == PH_AUTH_DRIVE) {
        welcome.role = v->shared->may | PH_STREAM_MAY_DRIVE;
    }
    g_strlcpy(welcome.name, v->shared->name, sizeof(welcome.name));
    ph_stream_write_welcome(w, &welcome);
    v->welcome_due = false;
}

static void write_pong(struct ph_viewer *v, struct ph_writer *w)
{
    struct ph_stream_pong pong = {
            v->pongs[0], (uint64_t)(now(v) / PH_NS_PER_US)};
    ph_stream_write_pong(w, &pong);
    v->pong_count--;
    memmove(v->pongs, v->pongs + 1, v->pong_count * sizeof(v->pongs[0]));
}

/* The pointer; its shape when the viewer does not know it: *unit. */
static void write_cursor(
        struct ph_viewer *v, struct ph_writer *w, struct ph_unit **unit)
{
    struct ph_stream_cursor cursor = v->shared->cursor;
    v->cursor_due = false;
    if (v->shared->shape && v->cursor_serial != cursor.serial) {
        cursor.flags |= PH_STREAM_CURSOR_SHAPE;
        v->cursor_serial = cursor.serial;
        *unit = v->shared->shape;
    }
    ph_stream_write_cursor(w, 0, &cursor);
}

/* The message that the viewer is owed next, with what may follow it; false
 * when there is none, or when it is one of those that `pump` sends. */
static bool write_due(
        struct ph_viewer *v, struct ph_writer *w, struct ph_unit **unit)
{
    if (v->welcome_due) {
        write_welcome(v, w);
    } else if (v->pong_count) {
        write_pong(v, w);
    } else if (v->status_due) {
        ph_stream_write_notice(w, PH_STREAM_STATUS, &v->shared->status);
        v->status_due = false;
    } else if (v->cursor_due) {
        write_cursor(v, w, unit);
    } else if (ph_viewer_upload_due(&v->upload)) {
        ph_viewer_upload_write(&v->upload, w);
    } else if (update_config(v)) {
        ph_stream_write_config(w, 0, &v->config);
    } else {
        return false;
    }
    return true;
}

static void end_clipboard(struct ph_viewer *v)
{
    g_clear_pointer(&v->clipboard, ph_clip_unref);
    v->clipboard_pos = 0;
}

static void send_piece(struct ph_viewer *v)
{
    const struct ph_clip *clip = v->clipboard;
    size_t n = PH_MIN(clip->size - v->clipboard_pos, PH_VIEWER_PIECE);
    bool first = v->clipboard_pos == 0;
    bool last = v->clipboard_pos + n == clip->size;
    struct ph_stream_piece piece = {
            .flags = (uint8_t)((first ? PH_STREAM_PIECE_FIRST : 0) |
                    (last ? PH_STREAM_PIECE_LAST : 0)),
            .total = clip->size,
    };
    uint8_t buf[PH_STREAM_PIECE_HEAD];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_unit *unit = ph_unit_create(n);
    g_strlcpy(piece.name, clip->type, sizeof(piece.name));
    memcpy(unit->data, clip->data + v->clipboard_pos, n);
    ph_stream_write_piece(&w, PH_STREAM_CLIPBOARD, &piece);
    v->clipboard_pos += n;
    if (last) {
        end_clipboard(v);
    }
    ph_viewer_send(v, &w, unit);
    ph_unit_unref(unit);
}

void ph_viewer_pump(struct ph_viewer *v)
{
    while (!v->transport->ops->busy(v->transport)) {
        uint8_t buf[PH_TRANSPORT_MAX_HEAD];
        struct ph_writer w = ph_writer(buf, sizeof(buf));
        struct ph_unit *unit = NULL;
        if (write_due(v, &w, &unit)) {
            ph_viewer_send(v, &w, unit);
        } else if ((unit = g_queue_pop_head(&v->queue))) {
            v->queued -= unit->size;
            send_frame(v, unit);
            ph_unit_unref(unit);
        } else if (v->clipboard && (!v->waiting || v->paused)) {
            /* Not before the keyframe it waits for: that needs a free way. */
            send_piece(v);
        } else {
            return;
        }
    }
}
