/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/dial.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/net.h"
#include "link/reset.h"
#include "link/serial.h"

enum {
    TRY_MS = 1500, /* for each that "auto" tries */
    HOST_CID = 2,
};

static int dial_serial(const struct ph_endpoint *ep, int64_t deadline_ns,
        int stop_fd, char *why, size_t size)
{
    AUTOCLOSE int fd = ph_serial_open(ep->address, why, size);
    if (fd < 0) {
        return -1;
    }
    if (!ph_reset_connect(fd, deadline_ns, stop_fd)) {
        snprintf(why, size, "%s",
                errno == ETIMEDOUT
                        ? "no porthole-hostd answers at its other end"
                        : strerror(errno));
        return -1;
    }
    return ph_steal_fd(&fd);
}

static int dial(const struct ph_endpoint *ep, int64_t deadline_ns, int stop_fd,
        char *why, size_t size)
{
    if (ep->kind == PH_ENDPOINT_SERIAL) {
        return dial_serial(ep, deadline_ns, stop_fd, why, size);
    }
    int fd = ph_net_connect_until(ep, deadline_ns, stop_fd);
    if (fd < 0) {
        snprintf(why, size, "%s", strerror(errno));
    }
    return fd;
}

/* Whether one of our addresses is in QEMU's network for its users. On any other
 * 10.0.2.2 is somebody else, who must not be asked. */
static bool is_in_user_network(void)
{
    enum {
        NETWORK = 0x0a000200 /* 10.0.2.0/24 */
    };
    struct ifaddrs *all = NULL;
    bool found = false;
    if (getifaddrs(&all) < 0) {
        return false;
    }
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in in;
            memcpy(&in, i->ifa_addr, sizeof(in));
            found = (ntohl(in.sin_addr.s_addr) & 0xffffff00) == NETWORK;
        }
    }
    freeifaddrs(all);
    return found;
}

/* "vsock:2:15937: no such device; ..." */
static void add_reason(char *why, size_t size, const struct ph_endpoint *ep,
        const char *reason)
{
    char text[PH_ENDPOINT_TEXT_MAX];
    size_t len = strlen(why);
    ph_endpoint_format(ep, text, sizeof(text));
    snprintf(why + len, size - len, "%s%.50s: %s", len ? "; " : "", text,
            reason);
}

static int dial_auto(int64_t deadline_ns, int stop_fd,
        struct ph_endpoint *found, char *why, size_t size)
{
    struct ph_endpoint list[3] = {
            {.kind = PH_ENDPOINT_VSOCK,
                    .cid = HOST_CID,
                    .port = PH_DEFAULT_PORT},
            {.kind = PH_ENDPOINT_SERIAL},
            {.kind = PH_ENDPOINT_TCP,
                    .address = "10.0.2.2",
                    .port = PH_DEFAULT_PORT},
    };
    ph_serial_find(list[1].address, sizeof(list[1].address));
    why[0] = 0;
    for (size_t i = 0; i < PH_LEN(list); i++) {
        char reason[100] = "";
        if (list[i].kind == PH_ENDPOINT_SERIAL && !list[i].address[0]) {
            snprintf(list[i].address, sizeof(list[i].address), "%s0",
                    PH_SERIAL_PREFIX);
        }
        int fd = -1;
        if (list[i].kind == PH_ENDPOINT_TCP && !is_in_user_network()) {
            snprintf(reason, sizeof(reason), "not its network");
        } else {
            fd = dial(&list[i], PH_MIN(deadline_ns, ph_deadline_ms(TRY_MS)),
                    stop_fd, reason, sizeof(reason));
        }
        if (fd >= 0) {
            *found = list[i];
            return fd;
        }
        add_reason(why, size, &list[i], reason);
    }
    return -1;
}

int ph_dial(const struct ph_endpoint *ep, int64_t deadline_ns, int stop_fd,
        struct ph_endpoint *found, char *why, size_t size)
{
    if (ep->kind == PH_ENDPOINT_AUTO) {
        return dial_auto(deadline_ns, stop_fd, found, why, size);
    }
    *found = *ep;
    return dial(ep, deadline_ns, stop_fd, why, size);
}
