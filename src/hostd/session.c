/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/session.h"

#include <errno.h>
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
    s->last_seen = ph_clock_ns();
    s->bitrate = config->bitrate;
    s->fps = DEFAULT_FPS;
    s->window = 1;
    s->held.fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->write_lock, NULL);
    pthread_cond_init(&s->work, NULL);
    return s;
}

void ph_session_destroy(struct ph_session *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        ph_buffer_finish(&s->jobs[(s->head + i) % PH_SESSION_QUEUE].payload);
    }
    for (uint32_t i = 0; i < s->spare_count; i++) {
        ph_buffer_finish(&s->spare[i]);
    }
    ph_surface_finish(&s->held);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->write_lock);
    pthread_mutex_destroy(&s->lock);
    ph_close(&s->fd);
    free(s);
}

void ph_session_interrupt(struct ph_session *s)
{
    shutdown(s->fd, SHUT_RDWR);
}

int64_t ph_session_last_seen(const struct ph_session *s)
{
    return s->last_seen;
}

bool ph_session_write(
        struct ph_session *s, struct iovec *iov, int count, int pass_fd)
{
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

bool ph_session_read(struct ph_session *s, void *buf, size_t len)
{
    int64_t patience = s->config->progress_ms * PH_NS_PER_MS;
    struct ph_net_read how = {ph_clock_ns() + patience, patience, NULL};
    if (ph_net_read_full(s->fd, buf, len, &how) == PH_NET_OK) {
        return true;
    }
    LOG_INFO("guest %u: its message broke off: %s", s->number,
            strerror(errno == 0 ? EPIPE : errno));
    return false;
}

bool ph_session_read_growing(
        struct ph_session *s, struct ph_buffer *buffer, size_t len, bool *over)
{
    enum {
        STEP = 1 << 20
    };
    *over = false;
    while (len > 0) {
        /* What is there already may be filled at once. */
        size_t n = PH_MIN(len, PH_MAX(buffer->cap - buffer->len, STEP));
        if (!ph_buffer_reserve(buffer, n)) {
            *over = ph_session_skip(s, len);
            return false;
        }
        if (!ph_session_read(s, buffer->data + buffer->len, n)) {
            return false;
        }
        buffer->len += n;
        len -= n;
    }
    return true;
}

bool ph_session_skip(struct ph_session *s, size_t len)
{
    uint8_t sink[16384];
    while (len > 0) {
        size_t n = PH_MIN(len, sizeof(sink));
        if (!ph_session_read(s, sink, n)) {
            return false;
        }
        len -= n;
    }
    return true;
}

struct ph_buffer ph_session_take_buffer(struct ph_session *s)
{
    struct ph_buffer b = {.budget = s->config->budget};
    pthread_mutex_lock(&s->lock);
    if (s->spare_count > 0) {
        b = s->spare[--s->spare_count];
    }
    pthread_mutex_unlock(&s->lock);
    b.len = 0;
    return b;
}

void ph_session_give_buffer(struct ph_session *s, struct ph_buffer *buffer)
{
    bool kept = false;
    pthread_mutex_lock(&s->lock);
    /* Two are enough for a guest that keeps two frames in flight. */
    if (buffer->cap && s->spare_count < 2) {
        s->spare[s->spare_count++] = *buffer;
        kept = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (!kept) {
        ph_buffer_finish(buffer);
    }
    *buffer = (struct ph_buffer){0};
}

static bool start_encoder_thread(struct ph_session *s)
{
    if (!s->encoding) {
        s->encoding = pthread_create(&s->encoder_thread, NULL,
                              ph_session_encoder_thread, s) == 0;
    }
    return s->encoding;
}

bool ph_session_queue(struct ph_session *s, struct ph_job *job)
{
    job->received_ns = ph_clock_ns();
    job->receive_us =
            (uint32_t)((job->received_ns - s->message_ns) / PH_NS_PER_US);
    if (!start_encoder_thread(s)) {
        LOG_ERR("guest %u: no thread for its encoder", s->number);
        ph_buffer_finish(&job->payload);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    bool ok = s->count < PH_SESSION_QUEUE;
    if (ok) {
        s->jobs[(s->head + s->count++) % PH_SESSION_QUEUE] = *job;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
    if (!ok) {
        LOG_WARN("guest %u: more requests in flight than were granted",
                s->number);
        ph_buffer_finish(&job->payload);
    }
    return ok;
}

/* Waits for a message as long as it takes, then for its header. */
static bool read_header(struct ph_session *s, struct ph_hxfr_header *header)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_net_read forever = {PH_NEVER, 0, NULL};
    enum ph_net_result r = ph_net_read_full(s->fd, buf, 1, &forever);
    if (r != PH_NET_OK) {
        return false;
    }
    s->message_ns = ph_clock_ns();
    s->last_seen = s->message_ns;
    if (!ph_session_read(s, buf + 1, sizeof(buf) - 1)) {
        return false;
    }
    if (!ph_hxfr_parse_header(buf, header)) {
        LOG_WARN("guest %u: no frame protocol, or a message that is too "
                 "large: closing its connection",
                s->number);
        return false;
    }
    return true;
}

static bool handle_message(struct ph_session *s)
{
    struct ph_hxfr_header header;
    if (!read_header(s, &header)) {
        return false;
    }
    bool extended = header.type >= 0x80 && header.type < 0xA0;
    return extended ? ph_session_handle_ext(s, &header)
                    : ph_session_handle_v1(s, &header);
}

void ph_session_run(struct ph_session *s)
{
    LOG_INFO("guest %u: connected", s->number);
    while (handle_message(s)) {
    }
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
    ph_session_interrupt(s);
    if (s->encoding) {
        pthread_join(s->encoder_thread, NULL);
    }
    LOG_INFO("guest %u%s%s: gone", s->number, s->name[0] ? " " : "", s->name);
}
