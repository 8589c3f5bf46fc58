/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A compression session of VideoToolbox, and the thread that alone waits in
 * it: a call that never returns costs that thread and its memory, not its
 * caller. The functions below are for one other thread.
 */
#pragma once

#include "hostd/encoder_adapt.h"
#include "hostd/videotoolbox.h"

struct ph_vt_session;

/* NULL: error[size]. */
struct ph_vt_session *ph_vt_session_create(const struct ph_vt *vt,
        const struct ph_encoder_config *config, uint32_t least, char *error,
        size_t size);
/* Waits for its thread, but at most so long. */
void ph_vt_session_destroy(struct ph_vt_session *session, int64_t wait_ms);

/* Sets a property and releases its value, if owned. False: it was refused,
 * which the log of debugging tells. */
bool ph_vt_session_set(struct ph_vt_session *session, const void *key,
        const void *value, bool owned);

/* After the last property: the first frame then takes less. */
void ph_vt_session_prepare(struct ph_vt_session *session);

/* A buffer for a picture, filled with it; NULL: the log says why. */
void *ph_vt_session_image(
        struct ph_vt_session *session, const struct ph_nv12 *picture);
/* Encodes an image, which is the session's from here on, and waits for it.
 * After a wait in vain nothing works any more. */
enum ph_encoder_result ph_vt_session_encode(struct ph_vt_session *session,
        void *image, bool keyframe, int64_t wait_ms,
        struct ph_encoder_output *out);
