/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "hostd/session_private.h"

#define LOG_MODULE "session"
#include "common/log.h"

enum {
    DEFAULT_FPS = 60
};

struct ph_session *ph_session_create(
        const struct ph_session_config *config, int fd, unsigned number)
{
    struct ph_session *s = ph_xcalloc(1, sizeof(*s));
    s->config = config;
    s->number = number;
    s->fd = fd;
    s->rate = (struct ph_rate){config->bitrate, DEFAULT_FPS, 0};
    s->window = PH_SESSION_WINDOW;
    s->held.fd = -1;
    ph_net_set_patience(fd, config->progress_ms);
    s->unpacked.budget = config->budget;
    ph_jobs_init(&s->jobs, PH_SESSION_JOBS, config->budget);
    pthread_mutex_init(&s->write_lock, NULL);
    pthread_mutex_init(&s->stats_lock, NULL);
    return s;
}

void ph_session_destroy(struct ph_session *s)
{
    if (!s) {
        return;
    }
    ph_jobs_finish(&s->jobs);
    ph_surface_finish(&s->held);
    ph_share_give(&s->stage);
    ph_buffer_finish(&s->unpacked);
    free(s->quick_map);
    pthread_mutex_destroy(&s->write_lock);
    pthread_mutex_destroy(&s->stats_lock);
    ph_close(&s->fd);
    free(s);
}

void ph_session_interrupt(struct ph_session *s)
{
    shutdown(s->fd, SHUT_RDWR);
}

void ph_session_set_line(struct ph_session *s, struct ph_serial *line)
{
    s->line = line;
}

/* Not in the middle of an answer, and without waiting for a guest that may be
 * gone. */
void ph_session_dismiss(struct ph_session *s, const char *why)
{
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (pthread_mutex_trylock(&s->write_lock) == 0) {
        ph_hxfr_write_error(&w, 1, PH_HXFR_ERR_BUSY, why);
        struct iovec iov = {w.data, w.len};
        ph_net_write_some(s->fd, &iov, 1);
        pthread_mutex_unlock(&s->write_lock);
    }
    ph_session_interrupt(s);
}

int64_t ph_session_last_seen(const struct ph_session *s)
{
    return s->last_seen;
}

void ph_session_take_stats(struct ph_session *s, struct ph_session_stats *out)
{
    pthread_mutex_lock(&s->stats_lock);
    struct ph_session_stats *stats = &s->stats;
    *out = *stats;
    stats->frames = 0;
    stats->keyframes = 0;
    stats->failed = 0;
    stats->encode = (struct ph_times){{0}};
    pthread_mutex_unlock(&s->stats_lock);
    out->number = s->number;
    out->queued = ph_jobs_in_flight(&s->jobs);
    out->bytes_in = atomic_exchange(&s->bytes_in, 0);
    out->bytes_out = atomic_exchange(&s->bytes_out, 0);
}

bool ph_session_write(
        struct ph_session *s, struct iovec *iov, int count, int pass_fd)
{
    for (int i = 0; i < count; i++) {
        s->bytes_out += iov[i].iov_len;
    }
    pthread_mutex_lock(&s->write_lock);
    int64_t patience = s->config->progress_ms * PH_NS_PER_MS;
    bool ok = ph_net_write_full(
            s->fd, iov, count, pass_fd, ph_clock_ns() + patience, patience);
    pthread_mutex_unlock(&s->write_lock);
    if (!ok) {
        LOG_DBG("guest %u: writing: %s", s->number, strerror(errno));
        ph_session_interrupt(s);
    }
    return ok;
}

bool ph_session_send(struct ph_session *s, const struct ph_writer *w)
{
    struct iovec iov = {w->data, w->len};
    return ph_session_write(s, &iov, 1, -1);
}

/* Bytes inside of a message: some must come within progress_ms, always. */
static bool read_bytes(struct ph_session *s, void *buf, size_t len)
{
    int64_t patience = s->config->progress_ms * PH_NS_PER_MS;
    struct ph_net_read how = {ph_clock_ns() + patience, patience, NULL};
    if (ph_net_read_full(s->fd, buf, len, &how) == PH_NET_OK) {
        s->bytes_in += len;
        return true;
    }
    LOG_INFO("guest %u: its message broke off: %s", s->number, strerror(errno));
    s->lost = true;
    return false;
}

bool ph_session_read(struct ph_session *s, void *buf, size_t len)
{
    if (len > s->left) {
        return ph_session_refuse(s, "a message that is too short");
    }
    s->left -= (uint32_t)len;
    return read_bytes(s, buf, len);
}

bool ph_session_read_rest(
        struct ph_session *s, struct ph_buffer *buffer, bool *over)
{
    enum {
        STEP = 64 << 10
    };
    *over = false;
    while (s->left > 0) {
        /* What is there already may be filled at once; more is taken as much
         * as has come, so that a header alone gets next to nothing. */
        size_t room = PH_MAX(buffer->cap - buffer->len, buffer->len);
        size_t n = PH_MIN((size_t)s->left, PH_MAX(room, (size_t)STEP));
        if (!ph_buffer_reserve(buffer, n)) {
            *over = true;
            return ph_session_skip(s);
        }
        if (!ph_session_read(s, buffer->data + buffer->len, n)) {
            return false;
        }
        buffer->len += n;
    }
    return true;
}

bool ph_session_skip(struct ph_session *s)
{
    uint8_t sink[16384];
    while (s->left > 0) {
        if (!ph_session_read(s, sink, PH_MIN(s->left, sizeof(sink)))) {
            return false;
        }
    }
    return true;
}

bool ph_session_refuse(struct ph_session *s, const char *fmt, ...)
{
    char text[PH_HXFR_ERROR_TEXT];
    uint8_t buf[PH_JOB_REPLY_MAX];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    LOG_WARN("guest %u: %s: closing its connection", s->number, text);
    ph_hxfr_write_error(&w, s->header.session, PH_HXFR_ERR_INVALID, text);
    ph_session_reply(s, &w);
    return false;
}

bool ph_session_reply_job(
        struct ph_session *s, struct ph_job *job, const struct ph_writer *w)
{
    if (ph_jobs_are_done(&s->jobs)) {
        ph_jobs_release(&s->jobs, job);
        return ph_session_send(s, w);
    }
    job->type = PH_JOB_REPLY;
    job->reply_len = PH_MIN(w->len, sizeof(job->reply));
    memcpy(job->reply, w->data, job->reply_len);
    ph_jobs_push(&s->jobs, job);
    return true;
}

bool ph_session_reply(struct ph_session *s, const struct ph_writer *w)
{
    struct ph_job *job = ph_jobs_acquire(&s->jobs, 0);
    return job && ph_session_reply_job(s, job, w);
}

static bool start_encoder_thread(struct ph_session *s)
{
    enum {
        STACK = 4 << 20 /* macOS gives 512 kB: little for an encoder */
    };
    pthread_attr_t attr;
    if (!s->encoding) {
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, STACK);
        s->encoding = pthread_create(&s->encoder_thread, &attr,
                              ph_session_encoder_thread, s) == 0;
        pthread_attr_destroy(&attr);
    }
    return s->encoding;
}

bool ph_session_queue(struct ph_session *s, struct ph_job *job)
{
    if (!start_encoder_thread(s)) {
        ph_jobs_release(&s->jobs, job);
        return ph_session_refuse(s, "no thread for its encoder");
    }
    job->session = s->header.session;
    job->serial = s->serial;
    job->rate = s->rate;
    job->received_ns = ph_clock_ns();
    job->receive_us =
            (uint32_t)((job->received_ns - s->message_ns) / PH_NS_PER_US);
    if (job->type == PH_JOB_PICTURE || job->type == PH_JOB_FRAME) {
        job->keyframe = job->keyframe || s->keyframe_wanted;
        s->keyframe_wanted = false;
    }
    ph_jobs_push(&s->jobs, job);
    return true;
}

/* Waits for a message as long as it takes, then for its header. */
static bool read_header(struct ph_session *s)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_net_read forever = {PH_NEVER, 0, NULL};
    if (ph_net_read_full(s->fd, buf, 1, &forever) != PH_NET_OK) {
        return false;
    }
    s->message_ns = ph_clock_ns();
    s->bytes_in++;
    if (!read_bytes(s, buf + 1, sizeof(buf) - 1)) {
        return false;
    }
    if (!ph_hxfr_parse_header(buf, &s->header)) {
        return ph_session_refuse(s, "%s",
                ph_load_u32(buf) == PH_HXFR_MAGIC
                        ? "a message that is too large"
                        : "this is not the frame protocol");
    }
    s->left = s->header.payload;
    return true;
}

static bool handle_message(struct ph_session *s)
{
    bool extended = s->header.type >= 0x80 && s->header.type < 0xA0;
    return (extended ? ph_session_handle_ext(s) : ph_session_handle_v1(s)) &&
            ph_session_skip(s);
}

void ph_session_run(struct ph_session *s)
{
    LOG_INFO("guest %u: connected", s->number);
    while (read_header(s) && handle_message(s)) {
        s->last_seen = s->message_ns;
    }
    /* After a proper end what was asked for is still answered. */
    ph_jobs_close(&s->jobs, s->lost);
    if (s->encoding) {
        pthread_join(s->encoder_thread, NULL);
    }
    if (!s->line) {
        ph_session_interrupt(s);
    }
    LOG_INFO("guest %u%s%s: gone", s->number, s->name[0] ? " " : "", s->name);
}
