/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The I/O thread: connect, serve, lose, connect again. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "link/link_private.h"

#define LOG_MODULE "link"
#include "common/log.h"

enum {
    CONNECT_MS = 3000,
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MOST_MS = 2000,
};

static bool is_stopping(struct ph_link *link)
{
    pthread_mutex_lock(&link->shared.lock);
    bool stopping = link->shared.stopping;
    pthread_mutex_unlock(&link->shared.lock);
    return stopping;
}

static void drain_wake(struct ph_link *link)
{
    char buf[64];
    while (read(link->wake[0], buf, sizeof(buf)) > 0) {
    }
}

/* Waits until the deadline or until stop. */
static void back_off(struct ph_link *link, int64_t deadline_ns)
{
    while (!is_stopping(link) && ph_clock_ns() < deadline_ns) {
        struct pollfd p = {link->wake[0], POLLIN, 0};
        if (poll(&p, 1, ph_deadline_poll_ms(deadline_ns)) > 0) {
            drain_wake(link);
        }
    }
}

static bool open_connection(struct ph_link *link)
{
    int64_t deadline = ph_deadline_ms(CONNECT_MS);
    errno = 0;
    link->fd = link->options.connect
            ? link->options.connect(link->options.connect_data, deadline)
            : ph_net_connect(&link->options.endpoint, deadline);
    if (link->fd < 0) {
        char where[PH_ENDPOINT_TEXT_MAX] = "a host of our own";
        if (!link->options.connect) {
            ph_endpoint_format(&link->options.endpoint, where, sizeof(where));
        }
        return ph_link_fail(
                link, "cannot reach %.80s: %s", where, strerror(errno));
    }
    pthread_mutex_lock(&link->shared.lock);
    link->shared.fd = link->fd;
    bool stopping = link->shared.stopping;
    pthread_mutex_unlock(&link->shared.lock);
    return !stopping && ph_link_handshake(link);
}

static void close_connection(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    s->fd = -1;
    s->ready = false;
    s->count = 0;
    s->written = 0;
    s->room_wanted = false;
    ph_link_new_generation_locked(s);
    pthread_mutex_unlock(&s->lock);
    ph_close(&link->fd);
    link->out_len = 0;
    link->out_done = 0;
}

static void become_ready(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    s->ready = true;
    s->surface_changed = s->has_surface;
    s->bitrate_changed = s->bitrate != 0;
    pthread_mutex_unlock(&s->lock);
    link->told_down = false;
    link->events.ready(link->data, link->version == 1 ? 1 : 2, link->host_name);
}

/* When the oldest request in flight has waited too long. */
static int64_t answer_deadline(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    int64_t deadline = s->written == 0 ? PH_NEVER
                                       : ph_link_request(s, 0)->submitted_ns +
                    (int64_t)link->options.timeout_ms * PH_NS_PER_MS;
    pthread_mutex_unlock(&s->lock);
    return deadline;
}

/* Writes what can be written now. *more: the socket is full. */
static bool flush_out(struct ph_link *link, bool *more)
{
    *more = false;
    while (link->out_done < link->out_len || ph_link_next_message(link)) {
        ssize_t n = ph_net_write_some(link->fd, link->out + link->out_done,
                link->out_len - link->out_done);
        if (n < 0) {
            return ph_link_fail(link, "writing: %s", strerror(errno));
        }
        link->out_done += (size_t)n;
        if (n == 0) {
            *more = true;
            return true;
        }
    }
    return true;
}

/* Serves one connection; returns when it ends. */
static void serve(struct ph_link *link)
{
    for (;;) {
        bool more = false;
        if (!flush_out(link, &more)) {
            return;
        }
        struct pollfd p[] = {
                {link->fd, (short)(more ? POLLIN | POLLOUT : POLLIN), 0},
                {link->wake[0], POLLIN, 0}};
        int64_t deadline = answer_deadline(link);
        int n = poll(p, 2, ph_deadline_poll_ms(deadline));
        if (is_stopping(link)) {
            return;
        }
        if (n == 0 && ph_clock_ns() >= deadline) {
            ph_link_fail(link, "the host did not answer for %u ms",
                    link->options.timeout_ms);
            return;
        }
        if (p[1].revents) {
            drain_wake(link);
        }
        if ((p[0].revents & ~POLLOUT) && !ph_link_receive(link)) {
            return;
        }
    }
}

/* A version 1 host closes idle connections: nobody needs to hear of it. */
static bool was_idle_close(struct ph_link *link)
{
    pthread_mutex_lock(&link->shared.lock);
    bool idle = link->shared.count == 0;
    pthread_mutex_unlock(&link->shared.lock);
    return link->version == 1 && idle;
}

static void tell_down(struct ph_link *link)
{
    if (!link->told_down && !is_stopping(link)) {
        link->told_down = true;
        LOG_WARN("%s", link->reason);
        link->events.down(link->data, link->reason);
    }
}

void *ph_link_thread(void *arg)
{
    struct ph_link *link = arg;
    int64_t wait_ms = BACKOFF_FIRST_MS;
    while (!is_stopping(link)) {
        bool quiet = false;
        link->reason[0] = 0;
        if (open_connection(link)) {
            int64_t since = ph_clock_ns();
            become_ready(link);
            serve(link);
            quiet = was_idle_close(link);
            if (ph_clock_ns() - since > PH_NS_PER_S) {
                wait_ms = BACKOFF_FIRST_MS;
            }
        }
        close_connection(link);
        if (!quiet) {
            tell_down(link);
        }
        back_off(link, ph_deadline_ms(wait_ms));
        wait_ms = PH_MIN(wait_ms * 2, (int64_t)BACKOFF_MOST_MS);
    }
    return NULL;
}
