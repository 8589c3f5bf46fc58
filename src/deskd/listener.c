/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "http"
#include "deskd/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/net.h"

enum {
    /* So that "writable" means that the peer takes what is sent. */
    NOTSENT_LOWAT = 32768,
    RETRY_MS = 100, /* after accept failed for want of descriptors */
};

struct ph_listener {
    int fd;
    guint source; /* the descriptor, or the pause after a failure */
    guint deadline_timer; /* while `open` has something in it */
    GQueue open; /* struct open_connection, the oldest first */
    ph_listener_accept *accept;
    void *data;
};

struct open_connection {
    struct ph_listener *listener;
    GSocketConnection *stream; /* a weak pointer: NULL when it is gone */
    GSocketAddress *remote; /* what it is known by */
    int64_t deadline_ns;
};

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data);

static void open_free(struct open_connection *c)
{
    g_clear_weak_pointer(&c->stream);
    g_object_unref(c->remote);
    g_free(c);
}

/* libsoup sees the end and cleans up. */
static void cut_off(struct open_connection *c)
{
    if (c->stream) {
        g_socket_shutdown(
                g_socket_connection_get_socket(c->stream), TRUE, TRUE, NULL);
    }
}

static gboolean on_deadline(gpointer data)
{
    struct ph_listener *listener = data;
    int64_t now = ph_clock_ns();
    for (GList *l = listener->open.head; l;) {
        struct open_connection *c = l->data;
        GList *next = l->next;
        if (!c->stream || c->deadline_ns <= now) {
            cut_off(c);
            open_free(c);
            g_queue_delete_link(&listener->open, l);
        }
        l = next;
    }
    if (listener->open.length) {
        return G_SOURCE_CONTINUE;
    }
    listener->deadline_timer = 0;
    return G_SOURCE_REMOVE;
}

static void drop_ended(struct ph_listener *listener)
{
    for (GList *l = listener->open.head; l;) {
        struct open_connection *c = l->data;
        GList *next = l->next;
        if (!c->stream) {
            open_free(c);
            g_queue_delete_link(&listener->open, l);
        }
        l = next;
    }
}

static void remember(struct ph_listener *listener, GSocketConnection *stream,
        GSocketAddress *remote)
{
    if (listener->open.length >= PH_LISTENER_MAX_OPEN) {
        drop_ended(listener);
    }
    if (listener->open.length >= PH_LISTENER_MAX_OPEN) {
        struct open_connection *oldest = g_queue_pop_head(&listener->open);
        cut_off(oldest);
        open_free(oldest);
    }
    struct open_connection *c = g_new0(struct open_connection, 1);
    c->listener = listener;
    c->remote = g_object_ref(remote);
    c->deadline_ns = ph_deadline_ms(PH_LISTENER_DEADLINE_SECONDS * 1000);
    g_set_weak_pointer(&c->stream, stream);
    g_queue_push_tail(&listener->open, c);
    if (!listener->deadline_timer) {
        listener->deadline_timer =
                g_timeout_add_seconds(1, on_deadline, listener);
    }
}

static void take_connection(struct ph_listener *listener, int fd)
{
    int lowat = NOTSENT_LOWAT;
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    if (!socket) {
        close(fd);
        return;
    }
    g_autoptr(GSocketConnection) stream =
            g_socket_connection_factory_create_connection(socket);
    g_autoptr(GSocketAddress) local =
            g_socket_connection_get_local_address(stream, NULL);
    g_autoptr(GSocketAddress) remote =
            g_socket_connection_get_remote_address(stream, NULL);
    if (local && remote) { /* else it is gone already */
        remember(listener, stream, remote);
        listener->accept(listener->data, G_IO_STREAM(stream), local, remote);
    }
}

static gboolean on_retry(gpointer data)
{
    struct ph_listener *listener = data;
    listener->source =
            g_unix_fd_add(listener->fd, G_IO_IN, on_connection, listener);
    return G_SOURCE_REMOVE;
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer data)
{
    struct ph_listener *listener = data;
    int peer = ph_net_accept(fd);
    if (peer >= 0) {
        take_connection(listener, peer);
        return G_SOURCE_CONTINUE;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) {
        return G_SOURCE_CONTINUE;
    }
    LOG_ERRNO("cannot take a connection");
    listener->source = g_timeout_add(RETRY_MS, on_retry, listener);
    return G_SOURCE_REMOVE;
}

struct ph_listener *ph_listener_create(
        struct ph_endpoint *ep, ph_listener_accept *accept, void *data)
{
    int fd = ph_net_listen(ep, PH_LISTENER_BACKLOG);
    if (fd < 0) {
        return NULL;
    }
    struct ph_listener *listener = g_new0(struct ph_listener, 1);
    listener->fd = fd;
    listener->accept = accept;
    listener->data = data;
    g_queue_init(&listener->open);
    listener->source = g_unix_fd_add(fd, G_IO_IN, on_connection, listener);
    return listener;
}

void ph_listener_stop(struct ph_listener *listener)
{
    if (listener->fd >= 0) {
        g_source_remove(listener->source);
        close(listener->fd);
        listener->fd = -1;
    }
}

void ph_listener_destroy(struct ph_listener *listener)
{
    if (!listener) {
        return;
    }
    ph_listener_stop(listener);
    if (listener->deadline_timer) {
        g_source_remove(listener->deadline_timer);
    }
    g_queue_clear_full(&listener->open, (GDestroyNotify)open_free);
    g_free(listener);
}

int ph_listener_take(struct ph_listener *listener, GSocketAddress *remote)
{
    for (GList *l = listener->open.head; l; l = l->next) {
        struct open_connection *c = l->data;
        if (c->remote != remote) {
            continue;
        }
        int fd = -1;
        if (c->stream) {
            GSocket *socket = g_socket_connection_get_socket(c->stream);
            fd = fcntl(g_socket_get_fd(socket), F_DUPFD_CLOEXEC, 0);
        }
        open_free(c);
        g_queue_delete_link(&listener->open, l);
        return fd;
    }
    return -1;
}
