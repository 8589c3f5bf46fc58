/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of the extensions: docs/protocol.md. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "hostd/session_private.h"
#include "video/pack.h"

#define LOG_MODULE "session"
#include "common/log.h"

/* Descriptors travel on unix sockets only. */
static bool is_local(int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
            sa.ss_family == AF_UNIX;
}

/* What this guest can share with us: descriptors on a unix socket, or memory
 * of which it could name the identity. */
static uint32_t find_memory(
        struct ph_session *s, const struct ph_hxfr_hello *hello)
{
    static const struct {
        uint32_t capability;
        uint8_t place;
    } rows[] = {
            {PH_HXFR_CAP_IVSHMEM, PH_HXFR_SLOTS_IVSHMEM},
            {PH_HXFR_CAP_FILE, PH_HXFR_SLOTS_FILE},
    };
    if (hello->capabilities & PH_HXFR_CAP_MEMFD && !s->line &&
            is_local(s->fd) && ph_memfile_supported()) {
        return PH_HXFR_CAP_MEMFD;
    }
    for (size_t i = 0; i < PH_LEN(rows); i++) {
        if (hello->capabilities & rows[i].capability) {
            s->share = ph_shares_find(
                    s->config->shares, rows[i].place, hello->region);
            if (s->share) {
                return rows[i].capability;
            }
        }
    }
    return 0;
}

static const char *describe_memory(uint32_t capabilities)
{
    return capabilities & PH_HXFR_CAP_MEMFD      ? "in shared memory"
            : capabilities & PH_HXFR_CAP_IVSHMEM ? "in ivshmem"
            : capabilities & PH_HXFR_CAP_FILE    ? "through files"
                                                 : "on the stream";
}

static bool handle_hello(struct ph_session *s)
{
    uint8_t payload[1024];
    uint8_t buf[128];
    struct ph_hxfr_hello hello;
    size_t len = PH_MIN((size_t)s->left, sizeof(payload));
    if (s->extended) {
        return ph_session_refuse(s, "a second HELLO");
    }
    if (!ph_session_read(s, payload, len) || !ph_session_skip(s)) {
        return false;
    }
    if (!ph_hxfr_parse_hello(payload, len, &hello)) {
        return ph_session_refuse(s, "a HELLO that makes no sense");
    }
    uint32_t ours = PH_HXFR_CAP_TILES | PH_HXFR_CAP_MOVES | PH_HXFR_CAP_REPEAT |
            PH_HXFR_CAP_TIMING | PH_HXFR_CAP_QUICK;
    if (s->config->encoder->refines) {
        ours |= PH_HXFR_CAP_REFINE;
    }
    if (ph_pack_supported()) {
        ours |= PH_HXFR_CAP_LZ4;
    }
    ours |= find_memory(s, &hello);
    s->extended = true;
    s->capabilities = hello.capabilities & ours;
    s->window = PH_MIN((uint32_t)hello.max_window, s->window);
    memcpy(s->name, hello.name, sizeof(s->name));
    pthread_mutex_lock(&s->stats_lock);
    memcpy(s->stats.name, hello.name, sizeof(s->stats.name));
    pthread_mutex_unlock(&s->stats_lock);
    LOG_INFO("guest %u is %s, pixels %s", s->number, s->name,
            describe_memory(s->capabilities));
    hello.version = PH_HXFR_EXT_VERSION;
    hello.max_window = (uint16_t)s->window;
    hello.capabilities = s->capabilities;
    hello.region = 0;
    snprintf(hello.name, sizeof(hello.name), "porthole-hostd " PH_VERSION);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO_RESP, s->header.session, &hello);
    return ph_session_reply(s, &w);
}

static bool handle_surface(struct ph_session *s)
{
    uint8_t payload[64];
    struct ph_hxfr_surface surface;
    size_t len = PH_MIN((size_t)s->left, sizeof(payload));
    if (!ph_session_read(s, payload, len)) {
        return false;
    }
    if (s->left || !ph_hxfr_parse_surface(payload, len, &surface)) {
        return ph_session_refuse(
                s, "a SURFACE with a size or format that cannot be");
    }
    struct ph_job *job = ph_jobs_acquire(&s->jobs, 0);
    if (!job) {
        return false;
    }
    s->surface = surface;
    s->serial++;
    job->type = PH_JOB_SURFACE;
    job->surface = surface;
    return ph_session_queue(s, job);
}

/* FAILURE, when its turn has come. */
static bool reply_failure(struct ph_session *s, struct ph_job *job,
        uint32_t sequence, int32_t code, const char *why)
{
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_failure failure = {.sequence = sequence, .code = code};
    LOG_DBG("guest %u: request %u: %s", s->number, sequence, why);
    snprintf(failure.text, sizeof(failure.text), "%s", why);
    ph_hxfr_write_failure(&w, s->header.session, &failure);
    return ph_session_reply_job(s, job, &w);
}

/* The buffer may have moved since the frame in it was parsed. */
static void rebase(struct ph_hxfr_frame *f, const uint8_t *payload)
{
    f->moves = payload + PH_HXFR_FRAME_HEAD_SIZE;
    f->rects = f->moves + (size_t)f->move_count * PH_HXFR_MOVE_SIZE;
    if (f->planes) {
        f->planes = f->rects + (size_t)f->rect_count * PH_HXFR_RECT_SIZE;
    }
}

/* Reads head, moves and rectangles into the job and checks them, reads the
 * pixels of TILES. *why: what is wrong, and *code; NULL: nothing. False: the
 * connection is over. */
static bool read_frame(struct ph_session *s, struct ph_job *job,
        const uint8_t *head, const char **why, int32_t *code)
{
    static const char no_memory[] =
            "the host has no memory left for this frame";
    struct ph_buffer *b = &job->payload;
    size_t rects = ph_hxfr_frame_control(head);
    bool over = false;
    *why = NULL;
    *code = PH_HXFR_ERR_INVALID;
    if (s->serial == 0) {
        *code = PH_HXFR_ERR_NOT_CONFIGURED;
        *why = "a frame before any SURFACE";
        return ph_session_skip(s);
    }
    if (rects > s->left || rects > PH_HXFR_MAX_CONTROL) {
        *why = "a frame with more rectangles than it holds, or than are "
               "allowed";
        return ph_session_skip(s);
    }
    if (!ph_buffer_reserve(b, PH_HXFR_FRAME_HEAD_SIZE + rects)) {
        *code = PH_HXFR_ERR_BUSY;
        *why = no_memory;
        return ph_session_skip(s);
    }
    memcpy(b->data, head, PH_HXFR_FRAME_HEAD_SIZE);
    b->len = PH_HXFR_FRAME_HEAD_SIZE + rects;
    if (!ph_session_read(s, b->data + PH_HXFR_FRAME_HEAD_SIZE, rects)) {
        return false;
    }
    if (!ph_hxfr_parse_frame(s->header.type, b->data, b->len, s->header.payload,
                &s->surface, &job->frame)) {
        *why = "a frame that does not fit its surface or its own size";
        return ph_session_skip(s);
    }
    if (ph_hxfr_frame_needs(&job->frame) & ~s->capabilities) {
        *why = "moves or LZ4, which were not agreed on";
        return ph_session_skip(s);
    }
    if (!ph_session_read_rest(s, b, &over)) {
        return false;
    }
    if (over) {
        *code = PH_HXFR_ERR_BUSY;
        *why = no_memory;
    }
    rebase(&job->frame, b->data);
    return true;
}

static bool handle_frame(struct ph_session *s)
{
    uint8_t head[PH_HXFR_FRAME_HEAD_SIZE];
    const char *why = NULL;
    int32_t code = 0;
    if (!ph_session_read(s, head, sizeof(head))) {
        return false;
    }
    if (ph_jobs_in_flight(&s->jobs) >= s->window) {
        return ph_session_refuse(
                s, "more than the %u requests in flight", s->window);
    }
    struct ph_job *job = ph_jobs_acquire(&s->jobs, 0);
    if (!job) {
        return false;
    }
    if (!read_frame(s, job, head, &why, &code)) {
        ph_jobs_release(&s->jobs, job);
        return false;
    }
    if (why) {
        return reply_failure(s, job, ph_load_u32(head), code, why);
    }
    job->type = PH_JOB_FRAME;
    job->message = s->header.type;
    job->keyframe = job->frame.flags & PH_HXFR_FRAME_KEYFRAME;
    return ph_session_queue(s, job);
}

/* In its turn: it means the surface after the frames before it. */
static bool handle_checksum(struct ph_session *s)
{
    uint8_t payload[12];
    struct ph_hxfr_checksum checksum;
    if (s->left != sizeof(payload)) {
        return ph_session_refuse(s, "a CHECKSUM that has not 12 bytes");
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    struct ph_job *job = ph_jobs_acquire(&s->jobs, 0);
    if (!job) {
        return false;
    }
    ph_hxfr_parse_checksum(payload, sizeof(payload), &checksum);
    job->type = PH_JOB_CHECKSUM;
    job->checksum = checksum;
    return ph_session_queue(s, job);
}

/* Not in its turn: it measures the way, not the encoder. */
static bool handle_timed_ping(struct ph_session *s)
{
    uint8_t payload[8];
    uint8_t buf[32];
    uint64_t token = 0;
    if (s->left != sizeof(payload)) {
        return ph_session_refuse(s, "a TIMED_PING that has not 8 bytes");
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    ph_hxfr_parse_timed(payload, sizeof(payload), &token);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_timed(&w, PH_HXFR_TIMED_PONG, s->header.session, token);
    return ph_session_send(s, &w);
}

/* The guest that was here is no more: one that asks anew has the stream. */
static bool handle_reset(struct ph_session *s)
{
    uint8_t payload[PH_HXFR_RESET_SIZE - PH_HXFR_HEADER_SIZE];
    struct ph_hxfr_reset reset;
    if (s->left != sizeof(payload)) {
        return true;
    }
    if (!ph_session_read(s, payload, sizeof(payload))) {
        return false;
    }
    if (ph_hxfr_parse_reset(payload, sizeof(payload), &reset) &&
            reset.phase == PH_HXFR_RESET_ASK) {
        ph_serial_asked(s->line, reset.nonce);
    }
    return false;
}

bool ph_session_handle_ext(struct ph_session *s)
{
    if (s->line && s->header.type == PH_HXFR_RESET) {
        return handle_reset(s);
    }
    if (s->header.type == PH_HXFR_HELLO) {
        return handle_hello(s);
    }
    if (!s->extended) {
        return true; /* types that version 1 does not know: skipped */
    }
    switch (s->header.type) {
    case PH_HXFR_SURFACE:
        return handle_surface(s);
    case PH_HXFR_TILES:
    case PH_HXFR_SLOT_FRAME:
    case PH_HXFR_REPEAT:
        return handle_frame(s);
    case PH_HXFR_CHECKSUM:
        return handle_checksum(s);
    case PH_HXFR_TIMED_PING:
        return handle_timed_ping(s);
    default:
        return true;
    }
}
