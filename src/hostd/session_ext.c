/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the extensions: docs/protocol.md. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "hostd/session_private.h"

#define LOG_MODULE "session"
#include "common/log.h"

/* Ends a connection whose guest does not keep to the protocol. */
static bool refuse(struct ph_session *s, const char *why)
{
    LOG_WARN("guest %u: %s: closing its connection", s->number, why);
    return false;
}

/* Descriptors travel on unix sockets only. */
static bool is_local(int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
            sa.ss_family == AF_UNIX;
}

static bool handle_hello(struct ph_session *s, const struct ph_hxfr_header *h)
{
    uint8_t payload[1024];
    uint8_t buf[128];
    struct ph_hxfr_hello hello;
    if (h->payload > sizeof(payload) || s->extended) {
        return refuse(s, "a HELLO too long, or a second one");
    }
    if (!ph_session_read(s, payload, h->payload)) {
        return false;
    }
    if (!ph_hxfr_parse_hello(payload, h->payload, &hello)) {
        return refuse(s, "HELLO makes no sense");
    }
    uint32_t ours = PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_TIMING;
    if (is_local(s->fd) && ph_memfile_supported()) {
        ours |= PH_HXFR_CAP_MEMFD;
    }
    s->extended = true;
    s->capabilities = hello.capabilities & ours;
    s->window = PH_MIN(hello.max_window, PH_SESSION_WINDOW);
    memcpy(s->name, hello.name, sizeof(s->name));
    LOG_INFO("guest %u is %s", s->number, s->name);
    hello.version = PH_HXFR_EXT_VERSION;
    hello.max_window = (uint16_t)s->window;
    hello.capabilities = s->capabilities;
    snprintf(hello.name, sizeof(hello.name), "porthole-hostd " PH_VERSION);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO_RESP, h->session, &hello);
    return ph_session_send(s, &w);
}

static bool handle_surface(struct ph_session *s, const struct ph_hxfr_header *h)
{
    uint8_t payload[64];
    struct ph_job job = {.type = PH_JOB_SURFACE, .session = h->session};
    if (h->payload > sizeof(payload)) {
        return refuse(s, "SURFACE is too long");
    }
    if (!ph_session_read(s, payload, h->payload)) {
        return false;
    }
    if (!ph_hxfr_parse_surface(payload, h->payload, &job.surface)) {
        return refuse(s, "SURFACE has a size or format that cannot be");
    }
    s->surface = job.surface;
    s->has_surface = true;
    return ph_session_queue(s, &job);
}

/* Reads head and rectangles into the buffer. False with an empty reason: the
 * connection broke. */
static bool read_head(struct ph_session *s, const struct ph_hxfr_header *h,
        struct ph_buffer *buffer, const char **why)
{
    bool over = false;
    *why = NULL;
    if (h->payload < PH_HXFR_FRAME_HEAD_SIZE) {
        *why = "a frame without a head";
        return false;
    }
    if (!ph_session_read_growing(s, buffer, PH_HXFR_FRAME_HEAD_SIZE, &over)) {
        return false;
    }
    size_t rects =
            (size_t)ph_load_u16(buffer->data + PH_HXFR_FRAME_HEAD_SIZE - 2) *
            sizeof(struct ph_rect);
    if (rects > h->payload - PH_HXFR_FRAME_HEAD_SIZE ||
            rects > PH_HXFR_MAX_CONTROL) {
        *why = "a frame with more rectangles than it holds";
        return false;
    }
    return ph_session_read_growing(s, buffer, rects, &over);
}

/* The pixels of TILES, which follow head and rectangles. */
static bool read_pixels(struct ph_session *s, const struct ph_hxfr_header *h,
        struct ph_job *job)
{
    bool over = false;
    size_t rects_at = PH_HXFR_FRAME_HEAD_SIZE;
    bool whole = ph_session_read_growing(
            s, &job->payload, h->payload - job->payload.len, &over);
    if (!whole && !over) {
        ph_session_give_buffer(s, &job->payload);
        return false;
    }
    job->over_budget = over; /* refused in its turn: answers keep the order */
    job->frame.rects = job->payload.data + rects_at; /* it may have moved */
    return ph_session_queue(s, job);
}

static bool handle_frame(struct ph_session *s, const struct ph_hxfr_header *h)
{
    const char *why = NULL;
    struct ph_job job = {
            .type = PH_JOB_FRAME, .session = h->session, .message = h->type};
    if (!s->has_surface) {
        return refuse(s, "a frame before any SURFACE");
    }
    job.payload = ph_session_take_buffer(s);
    bool ok = read_head(s, h, &job.payload, &why);
    if (ok &&
            !ph_hxfr_parse_frame(h->type, job.payload.data, job.payload.len,
                    h->payload, &s->surface, &job.frame)) {
        ok = false;
        why = "a frame that does not fit its surface or its own size";
    }
    if (!ok) {
        ph_session_give_buffer(s, &job.payload);
        return why ? refuse(s, why) : false;
    }
    if (h->type == PH_HXFR_TILES) {
        return read_pixels(s, h, &job);
    }
    return ph_session_queue(s, &job);
}

static bool handle_timed_ping(
        struct ph_session *s, const struct ph_hxfr_header *h)
{
    uint8_t payload[8];
    uint8_t buf[32];
    uint64_t token = 0;
    if (h->payload != sizeof(payload)) {
        return refuse(s, "TIMED_PING has not 8 bytes");
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    ph_hxfr_parse_timed(payload, sizeof(payload), &token);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_timed(&w, PH_HXFR_TIMED_PONG, h->session, token);
    return ph_session_send(s, &w);
}

bool ph_session_handle_ext(struct ph_session *s, const struct ph_hxfr_header *h)
{
    if (h->type == PH_HXFR_HELLO) {
        return handle_hello(s, h);
    }
    if (!s->extended) {
        return refuse(s, "an extension before HELLO");
    }
    switch (h->type) {
    case PH_HXFR_SURFACE:
        return handle_surface(s, h);
    case PH_HXFR_TILES:
    case PH_HXFR_SLOT_FRAME:
    case PH_HXFR_REPEAT:
        return handle_frame(s, h);
    case PH_HXFR_TIMED_PING:
        return handle_timed_ping(s, h);
    default:
        return ph_session_skip(s, h->payload);
    }
}
