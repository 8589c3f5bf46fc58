/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one viewer sends in pieces: what it copied, and files, one of each at
 * a time; and how far that is, which it waits for. Main thread only.
 */
#pragma once

#include <glib.h>

#include "deskd/clip.h"
#include "deskd/download.h"
#include "proto/stream_seat.h"

enum ph_viewer_upload_kind {
    PH_VIEWER_UPLOAD_CLIPBOARD,
    PH_VIEWER_UPLOAD_FILE,
    PH_VIEWER_UPLOAD_KINDS,
};

/* All zero is the start. */
struct ph_viewer_upload {
    const char *downloads; /* the folder, NULL: files are refused */
    GByteArray *clipboard; /* so far; NULL: none comes */
    uint64_t total;
    char type[PH_STREAM_MAX_NAME + 1];
    struct ph_clip *clip; /* whole */
    struct ph_download *file;
    struct {
        bool due;
        struct ph_stream_progress now;
    } progress[PH_VIEWER_UPLOAD_KINDS];
};

void ph_viewer_upload_finish(struct ph_viewer_upload *upload);
/* A CLIPBOARD or FILE message. False: it is malformed. */
bool ph_viewer_upload_message(
        struct ph_viewer_upload *upload, const uint8_t *msg, size_t len);
/* What was copied, once it is whole; it is the caller's then. */
struct ph_clip *ph_viewer_upload_take(struct ph_viewer_upload *upload);

/* A PROGRESS is owed; writes one. */
bool ph_viewer_upload_due(const struct ph_viewer_upload *upload);
void ph_viewer_upload_write(
        struct ph_viewer_upload *upload, struct ph_writer *w);
