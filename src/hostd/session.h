/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One guest: a connection, its screen and its encoder. A reader thread takes
 * messages off the socket and queues frames; an encoder thread, started by
 * the first frame, works them off in order and answers each. A guest that
 * misbehaves costs its own connection and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hostd/budget.h"
#include "hostd/encoder.h"
#include "hostd/serial.h"
#include "hostd/share.h"
#include "hostd/stats.h"

struct ph_session;

/* What all sessions of a host share; outlives them. Times in ms. */
struct ph_session_config {
    const struct ph_encoder_ops *encoder;
    uint32_t bitrate; /* bit/s, until the guest says otherwise */
    struct ph_budget *budget;
    uint32_t progress_ms; /* a message may stand still for this long */
    uint32_t idle_ms; /* then the encoder is given back */
    /* An encoder that must be opened again for another bit rate, which costs
     * a keyframe, lives for this long at least. */
    uint32_t reopen_ms;
    const struct ph_shares *shares; /* NULL: none */
};

/* Takes the connected socket. number is for the log. */
struct ph_session *ph_session_create(
        const struct ph_session_config *config, int fd, unsigned number);
/* Its stream cannot hang up: the session also ends when the guest asks anew,
 * which the line then knows, and leaves the stream open. Before run. */
void ph_session_set_line(struct ph_session *session, struct ph_serial *line);
/* Serves the guest on the calling thread until its connection ends. */
void ph_session_run(struct ph_session *session);
/* Any thread: makes run return soon. */
void ph_session_interrupt(struct ph_session *session);
/* The same, and the guest is told why when it reads. */
void ph_session_dismiss(struct ph_session *session, const char *why);
/* When the guest last sent something (ns); 0 as long as no whole message of
 * it was good. Any thread. */
int64_t ph_session_last_seen(const struct ph_session *session);
/* What the guest did since the last call. Any thread. */
void ph_session_take_stats(
        struct ph_session *session, struct ph_session_stats *out);
void ph_session_destroy(struct ph_session *session);
