/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The I/O thread: connect, serve, lose, connect again.
 *
 * An idle link sends nothing, not even a ping: what is in flight has its
 * deadline, and when nothing is, the next frame finds out.
 *
 * Version 1 hosts close idle connections. Such a link is parked: to the
 * caller nothing has changed, and it connects again when there is something
 * to send. A frame that met the closing is sent once more.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "link/dial.h"
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

/* What was asked for was "auto": says, once for each, what it came to. */
static void tell_found(struct ph_link *link, const struct ph_endpoint *found)
{
    char where[PH_ENDPOINT_TEXT_MAX];
    ph_endpoint_format(found, where, sizeof(where));
    if (link->options.endpoint.kind == PH_ENDPOINT_AUTO &&
            strcmp(where, link->found) != 0) {
        LOG_INFO("found a host at %s", where);
    }
    snprintf(link->found, sizeof(link->found), "%s", where);
}

static bool dial(struct ph_link *link, int64_t deadline_ns)
{
    char where[PH_ENDPOINT_TEXT_MAX] = "a host of our own";
    char why[sizeof(link->reason)] = "";
    struct ph_endpoint found;
    if (link->options.connect) {
        errno = 0;
        link->fd =
                link->options.connect(link->options.connect_data, deadline_ns);
        snprintf(why, sizeof(why), "%s", strerror(errno));
        return link->fd >= 0 ||
                ph_link_fail(link, "cannot reach %s: %s", where, why);
    }
    link->fd = ph_dial(&link->options.endpoint, deadline_ns, link->stop[0],
            &found, why, sizeof(why));
    if (link->fd >= 0) {
        tell_found(link, &found);
        return true;
    }
    ph_endpoint_format(&link->options.endpoint, where, sizeof(where));
    return ph_link_fail(link, "cannot reach %.80s: %s", where, why);
}

static bool open_connection(struct ph_link *link)
{
    if (!dial(link, ph_deadline_ms(CONNECT_MS))) {
        return false;
    }
    pthread_mutex_lock(&link->shared.lock);
    link->shared.fd = link->fd;
    bool stopping = link->shared.stopping;
    pthread_mutex_unlock(&link->shared.lock);
    return !stopping && ph_link_handshake(link);
}

/* Forgets the connection but not what waits to be sent. */
static void close_socket(struct ph_link *link)
{
    pthread_mutex_lock(&link->shared.lock);
    link->shared.fd = -1;
    link->shared.written = 0;
    pthread_mutex_unlock(&link->shared.lock);
    ph_close(&link->fd);
    ph_close(&link->bar);
    ph_close(&link->stage);
    ph_link_drop_message(link);
    ph_link_check_reset(link);
    link->slots_deadline_ns = PH_NEVER;
    link->hung_up = false;
}

/* Who listens there next may be another host: it is asked again. */
static void close_connection(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    close_socket(link);
    link->version = 0;
    link->parked = false;
    link->resent = false;
    pthread_mutex_lock(&s->lock);
    s->ready = false;
    s->count = 0;
    s->room_wanted = false;
    s->surface_ended = false;
    ph_link_new_generation_locked(s);
    pthread_mutex_unlock(&s->lock);
}

static void become_ready(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    if (link->parked) {
        link->parked = false;
        return;
    }
    pthread_mutex_lock(&s->lock);
    s->ready = true;
    s->surface_changed = s->has_surface;
    s->bitrate_changed = s->bitrate != 0;
    pthread_mutex_unlock(&s->lock);
    link->told_down = false;
    link->events.ready(link->data, link->version == 1 ? 1 : 2, link->host_name);
}

/* When the oldest request in flight, or SURFACE, has waited too long. */
static int64_t answer_deadline(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    int64_t deadline = link->slots_deadline_ns;
    pthread_mutex_lock(&s->lock);
    if (s->written > 0) {
        int64_t answer = ph_link_request(s, 0)->submitted_ns +
                (int64_t)link->options.timeout_ms * PH_NS_PER_MS;
        deadline = PH_MIN(deadline, answer);
    }
    pthread_mutex_unlock(&s->lock);
    return deadline;
}

/* Serves one connection; returns when it ends. */
static void serve(struct ph_link *link)
{
    for (;;) {
        bool full = false;
        if (!ph_link_flush(link, &full)) {
            return;
        }
        struct pollfd p[] = {
                {link->fd, (short)(full ? POLLIN | POLLOUT : POLLIN), 0},
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

/* Whether there is a reason to connect again. */
static bool has_work(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    bool work = s->stopping || s->count > 0 || s->surface_changed;
    pthread_mutex_unlock(&s->lock);
    return work;
}

/* Puts a version 1 link aside until there is work. False: that it ended has
 * another cause than idleness. */
static bool park(struct ph_link *link)
{
    if (link->version != 1 || link->doubtful || !link->hung_up ||
            link->resent) {
        return false;
    }
    pthread_mutex_lock(&link->shared.lock);
    link->resent = link->shared.written > 0;
    pthread_mutex_unlock(&link->shared.lock);
    LOG_DBG("parked: %s", link->reason);
    close_socket(link);
    link->parked = true;
    while (!has_work(link)) {
        struct pollfd p = {link->wake[0], POLLIN, 0};
        if (poll(&p, 1, -1) > 0) {
            drain_wake(link);
        }
    }
    return true;
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
        link->reason[0] = 0;
        if (open_connection(link)) {
            int64_t since = ph_clock_ns();
            become_ready(link);
            serve(link);
            if (ph_clock_ns() - since > PH_NS_PER_S) {
                wait_ms = BACKOFF_FIRST_MS;
            }
            if (park(link)) {
                continue;
            }
        }
        close_connection(link);
        tell_down(link);
        back_off(link, ph_deadline_ms(wait_ms));
        wait_ms = PH_MIN(wait_ms * 2, (int64_t)BACKOFF_MOST_MS);
    }
    return NULL;
}
