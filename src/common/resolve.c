/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/resolve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/net.h"

/* Freed by whoever is done last: the thread or who waits for it. */
struct query {
    atomic_int users;
    char name[256];
    char port[8];
    struct addrinfo hints;
    struct addrinfo *list;
    int done[2]; /* pipe: readable when list is what it will be */
};

static void release(struct query *q)
{
    if (atomic_fetch_sub(&q->users, 1) > 1) {
        return;
    }
    if (q->list) {
        freeaddrinfo(q->list);
    }
    ph_close(&q->done[0]);
    ph_close(&q->done[1]);
    free(q);
}

static void *ask(void *query)
{
    struct query *q = query;
    if (getaddrinfo(q->name, q->port, &q->hints, &q->list) != 0) {
        q->list = NULL;
    }
    ph_net_wake(q->done[1]);
    release(q);
    return NULL;
}

static bool start(struct query *q)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (!ph_net_wake_pipe(q->done)) {
        return false;
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    q->users++;
    errno = pthread_create(&thread, &attr, ask, q);
    pthread_attr_destroy(&attr);
    q->users -= errno != 0;
    return errno == 0;
}

static struct addrinfo *take_list(struct query *q)
{
    struct addrinfo *list = q->list;
    q->list = NULL;
    errno = list ? 0 : EADDRNOTAVAIL;
    return list;
}

struct addrinfo *ph_resolve(const char *name, uint16_t port, int flags,
        int64_t deadline_ns, int stop_fd)
{
    struct query *q = ph_xcalloc(1, sizeof(*q));
    struct addrinfo *list = NULL;
    q->users = 1;
    q->done[0] = -1;
    q->done[1] = -1;
    snprintf(q->name, sizeof(q->name), "%s", name);
    snprintf(q->port, sizeof(q->port), "%u", (unsigned)port);
    q->hints = (struct addrinfo){
            .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICHOST};
    if (getaddrinfo(q->name, q->port, &q->hints, &q->list) == 0) {
        list = take_list(q);
    } else {
        q->list = NULL;
        q->hints.ai_flags = flags;
        char byte;
        if (start(q) && ph_net_wait(q->done[0], POLLIN, deadline_ns, stop_fd) &&
                read(q->done[0], &byte, 1) == 1) {
            list = take_list(q);
        }
    }
    int err = errno;
    release(q);
    errno = err;
    return list;
}
