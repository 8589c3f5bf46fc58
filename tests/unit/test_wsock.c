/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/wsock.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "common/clock.h"
#include "common/endpoint.h"
#include "common/net.h"

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);
    CHECK_EQ(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

/* A peer whose machine vanished says nothing more, not even that it is gone:
 * the kernel has to ask. */
static void test_vanished_peer(void)
{
    struct ph_wsock_set set = {0};
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_TCP, .address = "127.0.0.1"};
    int listener = ph_net_listen(&ep, 1);
    int peer = ph_net_connect(&ep, ph_deadline_ms(10000));
    CHECK(listener >= 0 && peer >= 0);
    int fd = ph_net_accept(listener);
    CHECK(fd >= 0);
    ph_wsock_create(&set, fd);
    int idle_s = option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
    int interval_s = option(fd, IPPROTO_TCP, TCP_KEEPINTVL);
    int count = option(fd, IPPROTO_TCP, TCP_KEEPCNT);
    CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE));
    CHECK(idle_s + interval_s * count <= 60);
    ph_wsock_set_finish(&set);
    close(peer);
    close(listener);
}

int main(void)
{
    test_vanished_peer();
    return CHECK_DONE();
}
