/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "upload"
#include "deskd/viewer_upload.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

static struct ph_stream_progress *progress(
        struct ph_viewer_upload *u, enum ph_viewer_upload_kind kind)
{
    u->progress[kind].due = true;
    return &u->progress[kind].now;
}

static void drop_clipboard(struct ph_viewer_upload *u)
{
    g_clear_pointer(&u->clipboard, g_byte_array_unref);
}

static void drop_file(struct ph_viewer_upload *u)
{
    g_clear_pointer(&u->file, ph_download_destroy);
}

void ph_viewer_upload_finish(struct ph_viewer_upload *u)
{
    drop_clipboard(u);
    drop_file(u);
    ph_clip_unref(u->clip);
}

/* --- the clipboard --- */

static void fail_clipboard(struct ph_viewer_upload *u, const char *why)
{
    struct ph_stream_progress *p = progress(u, PH_VIEWER_UPLOAD_CLIPBOARD);
    p->code = PH_STREAM_PROGRESS_FAILED;
    g_strlcpy(p->text, why, sizeof(p->text));
    drop_clipboard(u);
}

static void end_clipboard(struct ph_viewer_upload *u)
{
    if (u->clipboard->len != u->total) {
        fail_clipboard(u, "less came than was announced");
        return;
    }
    ph_clip_unref(u->clip);
    u->clip = ph_clip_create(u->type, u->clipboard->data, u->clipboard->len);
    if (!u->clip) {
        fail_clipboard(u, "only text and PNG images can be pasted");
        return;
    }
    progress(u, PH_VIEWER_UPLOAD_CLIPBOARD)->code = PH_STREAM_PROGRESS_DONE;
    drop_clipboard(u);
}

static void take_clipboard(
        struct ph_viewer_upload *u, const struct ph_stream_piece *piece)
{
    if (piece->flags & PH_STREAM_PIECE_CANCEL) {
        drop_clipboard(u);
        return;
    }
    if (piece->flags & PH_STREAM_PIECE_FIRST) {
        drop_clipboard(u);
        u->clipboard = g_byte_array_new();
        u->total = piece->total;
        g_strlcpy(u->type, piece->name, sizeof(u->type));
        *progress(u, PH_VIEWER_UPLOAD_CLIPBOARD) =
                (struct ph_stream_progress){0};
    }
    if (!u->clipboard) {
        return; /* the rest of what failed */
    }
    if (piece->size > u->total - u->clipboard->len) {
        fail_clipboard(u, "more came than was announced");
        return;
    }
    g_byte_array_append(u->clipboard, piece->data, (guint)piece->size);
    progress(u, PH_VIEWER_UPLOAD_CLIPBOARD)->received = u->clipboard->len;
    if (piece->flags & PH_STREAM_PIECE_LAST) {
        end_clipboard(u);
    }
}

struct ph_clip *ph_viewer_upload_take(struct ph_viewer_upload *u)
{
    return g_steal_pointer(&u->clip);
}

/* --- files --- */

/* The progress has the reason. */
static void fail_file(struct ph_viewer_upload *u)
{
    struct ph_stream_progress *p = progress(u, PH_VIEWER_UPLOAD_FILE);
    p->code = PH_STREAM_PROGRESS_FAILED;
    LOG_INFO("a viewer's file failed: %s", p->text);
    drop_file(u);
}

static bool begin_file(
        struct ph_viewer_upload *u, const struct ph_stream_piece *piece)
{
    struct ph_stream_progress *p = progress(u, PH_VIEWER_UPLOAD_FILE);
    drop_file(u);
    *p = (struct ph_stream_progress){.id = piece->id};
    if (!u->downloads) {
        snprintf(p->text, sizeof(p->text),
                "this desktop takes no files (--downloads none)");
        return false;
    }
    u->file = ph_download_create(
            u->downloads, piece->name, piece->total, p->text, sizeof(p->text));
    return u->file != NULL;
}

static bool end_file(struct ph_viewer_upload *u)
{
    struct ph_stream_progress *p = progress(u, PH_VIEWER_UPLOAD_FILE);
    if (!ph_download_finish(u->file, p->text, p->text, sizeof(p->text))) {
        return false;
    }
    LOG_INFO("a viewer sent the file %s", p->text);
    p->code = PH_STREAM_PROGRESS_DONE;
    drop_file(u);
    return true;
}

static void take_file(
        struct ph_viewer_upload *u, const struct ph_stream_piece *piece)
{
    struct ph_stream_progress *p = &u->progress[PH_VIEWER_UPLOAD_FILE].now;
    if (piece->flags & PH_STREAM_PIECE_FIRST && !begin_file(u, piece)) {
        fail_file(u);
        return;
    }
    if (!u->file || piece->id != p->id) {
        return; /* the rest of what failed */
    }
    if (piece->flags & PH_STREAM_PIECE_CANCEL) {
        drop_file(u);
        return;
    }
    if (!ph_download_write(
                u->file, piece->data, piece->size, p->text, sizeof(p->text))) {
        fail_file(u);
        return;
    }
    p->received += piece->size;
    progress(u, PH_VIEWER_UPLOAD_FILE);
    if (piece->flags & PH_STREAM_PIECE_LAST && !end_file(u)) {
        fail_file(u);
    }
}

bool ph_viewer_upload_message(
        struct ph_viewer_upload *u, const uint8_t *msg, size_t len)
{
    struct ph_stream_piece piece;
    if (!ph_stream_parse_piece(msg, len, &piece)) {
        return false;
    }
    if (msg[0] == PH_STREAM_CLIPBOARD) {
        take_clipboard(u, &piece);
    } else {
        take_file(u, &piece);
    }
    return true;
}

/* --- how far it is --- */

bool ph_viewer_upload_due(const struct ph_viewer_upload *u)
{
    return u->progress[PH_VIEWER_UPLOAD_CLIPBOARD].due ||
            u->progress[PH_VIEWER_UPLOAD_FILE].due;
}

void ph_viewer_upload_write(struct ph_viewer_upload *u, struct ph_writer *w)
{
    for (int i = 0; i < PH_VIEWER_UPLOAD_KINDS; i++) {
        if (u->progress[i].due) {
            u->progress[i].due = false;
            ph_stream_write_progress(w, &u->progress[i].now);
            return;
        }
    }
}
