/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"

#define LOG_MODULE "server"
#include "common/log.h"

enum {
    MAX_LISTENERS = 16,
    BACKLOG = 128
};

struct guest {
    struct ph_server *server;
    struct ph_session *session;
    struct guest *next;
    bool evicted;
    struct ph_serial line; /* one guest after the other; fd -1: none */
};

struct listener {
    int fd;
    struct ph_endpoint endpoint;
};

struct ph_server {
    struct ph_server_config config;
    struct listener listeners[MAX_LISTENERS];
    unsigned listener_count;
    int wake[2];
    atomic_bool stopping;
    atomic_bool asked; /* for a report */
    int64_t reported_ns;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a guest has gone */
    struct guest *guests;
    unsigned guest_count;
    unsigned next_number;
    bool ending;
};

struct ph_server *ph_server_create(const struct ph_server_config *config)
{
    struct ph_server *s = ph_xcalloc(1, sizeof(*s));
    s->config = *config;
    s->next_number = 1;
    s->reported_ns = ph_clock_ns();
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    if (!ph_net_wake_pipe(s->wake)) {
        LOG_ERRNO("pipe");
        abort();
    }
    return s;
}

bool ph_server_listen(struct ph_server *s, struct ph_endpoint *ep)
{
    char text[PH_ENDPOINT_TEXT_MAX];
    ph_endpoint_format(ep, text, sizeof(text));
    if (s->listener_count == MAX_LISTENERS) {
        LOG_ERR("cannot listen on more than %d endpoints", MAX_LISTENERS);
        return false;
    }
    int fd = ph_net_listen(ep, BACKLOG);
    if (fd < 0) {
        LOG_ERRNO("cannot listen on %s", text);
        return false;
    }
    s->listeners[s->listener_count++] = (struct listener){fd, *ep};
    return true;
}

void ph_server_stop(struct ph_server *s)
{
    s->stopping = true;
    ph_net_wake(s->wake[1]);
}

void ph_server_report(struct ph_server *s)
{
    s->asked = true;
    ph_net_wake(s->wake[1]);
}

static void remove_guest(struct ph_server *s, struct guest *guest)
{
    for (struct guest **p = &s->guests; *p; p = &(*p)->next) {
        if (*p == guest) {
            *p = guest->next;
            break;
        }
    }
    s->guest_count--;
    pthread_cond_broadcast(&s->changed);
    if (s->guest_count == 0 && s->listener_count == 0) {
        ph_server_stop(s);
    }
}

/* The session of the next guest on a line. */
static bool renew_session(struct guest *guest)
{
    struct ph_server *s = guest->server;
    int fd = dup(guest->line.fd);
    if (fd < 0 || !ph_net_adopt(fd)) {
        LOG_ERRNO("dup");
        ph_close(&fd);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    ph_session_destroy(guest->session);
    guest->session =
            ph_session_create(&s->config.session, fd, s->next_number++);
    ph_session_set_line(guest->session, &guest->line);
    bool ok = !guest->evicted && !s->ending;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static void serve_line(struct guest *guest)
{
    if (!ph_serial_start(&guest->line, guest->line.fd)) {
        return;
    }
    while (ph_serial_wait(&guest->line)) {
        ph_session_run(guest->session);
        if (!renew_session(guest)) {
            return;
        }
    }
}

static void *serve_guest(void *arg)
{
    struct guest *guest = arg;
    struct ph_server *s = guest->server;
    if (guest->line.fd >= 0) {
        serve_line(guest);
    } else {
        ph_session_run(guest->session);
    }
    /* Off the list first: nobody may interrupt a session that is gone. The
     * session is freed under the lock, so that destroy, which waits for the
     * list to be empty, waits for this as well. */
    pthread_mutex_lock(&s->lock);
    ph_session_destroy(guest->session);
    ph_close(&guest->line.fd);
    remove_guest(s, guest);
    free(guest);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* Makes room for one more: ends the guest that was silent longest. Those that
 * never said a thing go before all that did (the list has the newest first),
 * so that a crowd of connections throws nobody out who works. */
static void evict_locked(struct ph_server *s)
{
    struct guest *idle = NULL;
    int64_t idle_seen = INT64_MAX;
    unsigned staying = 0;
    for (struct guest *g = s->guests; g; g = g->next) {
        if (g->evicted) {
            continue;
        }
        staying++;
        int64_t seen = ph_session_last_seen(g->session);
        if (seen <= idle_seen) {
            idle = g;
            idle_seen = seen;
        }
    }
    if (idle && staying >= s->config.max_guests) {
        char why[120];
        snprintf(why, sizeof(why),
                "more than %u guests (--max-guests): the one that was silent "
                "longest goes",
                s->config.max_guests);
        LOG_WARN("%s", why);
        idle->evicted = true;
        ph_session_dismiss(idle->session, why);
    }
}

/* line_fd: the same stream once more, when it cannot hang up; else -1. Takes
 * both. */
static bool add_guest(struct ph_server *s, int fd, int line_fd)
{
    pthread_attr_t attr;
    pthread_t thread;
    struct guest *guest = ph_xcalloc(1, sizeof(*guest));
    guest->server = s;
    guest->line.fd = line_fd;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_mutex_lock(&s->lock);
    evict_locked(s);
    guest->session =
            ph_session_create(&s->config.session, fd, s->next_number++);
    if (line_fd >= 0) {
        ph_session_set_line(guest->session, &guest->line);
    }
    guest->next = s->guests;
    s->guests = guest;
    s->guest_count++;
    bool ok = pthread_create(&thread, &attr, serve_guest, guest) == 0;
    if (!ok) {
        LOG_ERR("no thread for one more guest");
        ph_session_destroy(guest->session);
        ph_close(&guest->line.fd);
        remove_guest(s, guest);
        free(guest);
    }
    pthread_mutex_unlock(&s->lock);
    pthread_attr_destroy(&attr);
    return ok;
}

bool ph_server_adopt(struct ph_server *s, int fd)
{
    return add_guest(s, fd, -1);
}

static void adopt_line(struct ph_server *s, int fd)
{
    int line_fd = dup(fd);
    if (line_fd < 0 || !ph_net_adopt(line_fd)) {
        LOG_ERRNO("dup");
        ph_close(&line_fd);
        ph_close(&fd);
        return;
    }
    add_guest(s, fd, line_fd);
}

static void accept_guest(struct ph_server *s, const struct listener *from)
{
    int fd = ph_net_accept(from->fd);
    if (fd >= 0 && from->endpoint.kind == PH_ENDPOINT_SERIAL) {
        adopt_line(s, fd);
    } else if (fd >= 0) {
        ph_server_adopt(s, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        LOG_ERRNO("cannot accept a guest");
        poll(NULL, 0, 100); /* until one has gone */
    }
}

/* Collected under the lock, printed without it: a log that nobody reads may
 * stand still. */
static void report(struct ph_server *s, bool all)
{
    const struct ph_budget *budget = s->config.session.budget;
    int64_t now = ph_clock_ns();
    struct ph_host_stats stats = {
            .seconds = (double)(now - s->reported_ns) / PH_NS_PER_S,
            .memory = atomic_load(&budget->used),
            .memory_limit = budget->limit,
    };
    s->reported_ns = now;
    pthread_mutex_lock(&s->lock);
    stats.guests = ph_xcalloc(s->guest_count + 1, sizeof(*stats.guests));
    for (struct guest *g = s->guests; g; g = g->next) {
        ph_session_take_stats(g->session, &stats.guests[stats.count++]);
    }
    pthread_mutex_unlock(&s->lock);
    if (s->config.json) {
        ph_stats_print(&stats, STDOUT_FILENO);
    } else {
        ph_stats_log(&stats, all);
    }
    free(stats.guests);
}

static int64_t next_report(const struct ph_server *s)
{
    return s->config.stats_s ? s->reported_ns + s->config.stats_s * PH_NS_PER_S
                             : PH_NEVER;
}

/* False: it was to stop. */
static bool wake_up(struct ph_server *s)
{
    char buf[64];
    while (read(s->wake[0], buf, sizeof(buf)) > 0) {
    }
    if (atomic_exchange(&s->asked, false)) {
        report(s, true);
    }
    return !s->stopping;
}

void ph_server_run(struct ph_server *s)
{
    struct pollfd p[MAX_LISTENERS + 1];
    for (unsigned i = 0; i < s->listener_count; i++) {
        p[i] = (struct pollfd){s->listeners[i].fd, POLLIN, 0};
    }
    p[s->listener_count] = (struct pollfd){s->wake[0], POLLIN, 0};
    for (;;) {
        int wait_ms = ph_deadline_poll_ms(next_report(s));
        int n = poll(p, s->listener_count + 1, wait_ms);
        if (n < 0 && errno != EINTR) {
            LOG_ERRNO("poll");
            return;
        }
        if (ph_clock_ns() >= next_report(s)) {
            report(s, false);
        }
        if (n < 0) {
            continue; /* what is in revents is not of now */
        }
        if (p[s->listener_count].revents && !wake_up(s)) {
            return;
        }
        for (unsigned i = 0; i < s->listener_count; i++) {
            if (p[i].revents) {
                accept_guest(s, &s->listeners[i]);
            }
        }
    }
}

void ph_server_destroy(struct ph_server *s)
{
    if (!s) {
        return;
    }
    for (unsigned i = 0; i < s->listener_count; i++) {
        ph_close(&s->listeners[i].fd);
        enum ph_endpoint_kind kind = s->listeners[i].endpoint.kind;
        if (kind == PH_ENDPOINT_UNIX || kind == PH_ENDPOINT_SERIAL) {
            unlink(s->listeners[i].endpoint.address);
        }
    }
    pthread_mutex_lock(&s->lock);
    s->ending = true;
    for (struct guest *g = s->guests; g; g = g->next) {
        ph_session_interrupt(g->session);
    }
    while (s->guest_count > 0) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    ph_close(&s->wake[0]);
    ph_close(&s->wake[1]);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
