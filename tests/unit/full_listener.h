/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A TCP port that answers nobody: its backlog is full. */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net.h"

#include "check.h"

enum {
    FULL_MOST = 16
};

struct full_listener {
    struct ph_endpoint endpoint;
    int fds[FULL_MOST + 1];
    int count;
};

/* A connection that is not made at once on a machine's own address is not
 * made at all. */
static inline struct full_listener full_listener_begin(void)
{
    struct full_listener l = {.endpoint = {PH_ENDPOINT_TCP, "127.0.0.1", 0}};
    l.fds[l.count++] = ph_net_listen(&l.endpoint, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET,
            .sin_port = htons(l.endpoint.port),
            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    while (l.count <= FULL_MOST) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        struct pollfd p = {fd, POLLOUT, 0};
        l.fds[l.count++] = fd;
        ph_net_adopt(fd);
        int r = connect(fd, (struct sockaddr *)&sa, sizeof(sa));
        if (r < 0 && poll(&p, 1, 300) == 0) {
            return l;
        }
    }
    CHECK(!"a port whose backlog is full");
    return l;
}

static inline void full_listener_end(struct full_listener *l)
{
    while (l->count > 0) {
        close(l->fds[--l->count]);
    }
}
