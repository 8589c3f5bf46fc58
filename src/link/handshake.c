/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out who the other end is: docs/protocol.md, "Extensions". */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "link/link_private.h"
#include "link/memory.h"
#include "link/region.h"
#include "video/pack.h"

#define LOG_MODULE "link"
#include "common/log.h"

enum {
    /* A version 1 host may say nothing to a HELLO. One that we started
     * ourselves speaks, however slowly the machine starts it. */
    SILENCE_MS = 500,
    OWN_HOST_MS = 10000,
    /* Where there is no way between the two: one is encoded, one is drawn. */
    SHARED_WINDOW = 2,
};

static bool send_all(struct ph_link *link, struct ph_writer *w)
{
    struct iovec iov = {w->data, w->len};
    if (!ph_net_write_until(
                link->fd, &iov, 1, ph_deadline_ms(5000), link->stop[0])) {
        return ph_link_fail_io(link, "writing");
    }
    return true;
}

/* Descriptors travel on unix sockets only. */
static bool is_unix(int fd)
{
    struct sockaddr_storage sa = {0};
    socklen_t len = sizeof(sa);
    return getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
            sa.ss_family == AF_UNIX;
}

/* What this machine shares with a host, by the identity that it gave it. */
static void offer_memory(struct ph_link *link, struct ph_hxfr_hello *hello)
{
    const char *folder = link->options.endpoint.share;
    if (ph_memory_supported() && is_unix(link->fd)) {
        hello->capabilities |= PH_HXFR_CAP_MEMFD;
        return;
    }
    ph_close(&link->bar);
    link->bar = ph_region_open_bar(&hello->region);
    if (link->bar >= 0) {
        hello->capabilities |= PH_HXFR_CAP_IVSHMEM;
    } else if (folder[0]) {
        hello->region = ph_region_folder_id(folder);
        hello->capabilities |= hello->region ? PH_HXFR_CAP_FILE : 0;
    }
}

static bool say_hello(struct ph_link *link, uint64_t nonce)
{
    uint8_t buf[128];
    struct ph_hxfr_hello hello = {
            .version = PH_HXFR_EXT_VERSION,
            .max_window = (uint16_t)link->options.window,
            .capabilities = PH_HXFR_CAP_TILES | PH_HXFR_CAP_MOVES |
                    PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_REFINE |
                    PH_HXFR_CAP_TIMING,
            .nonce = nonce,
    };
    if (ph_pack_supported() && link->options.packing != PH_LINK_PACK_NEVER) {
        hello.capabilities |= PH_HXFR_CAP_LZ4;
    }
    if (link->options.quick) {
        hello.capabilities |= PH_HXFR_CAP_QUICK;
    }
    if (link->options.resources) {
        hello.capabilities |= PH_HXFR_CAP_RESOURCE_IDS;
    }
    if (!link->options.no_sharing) {
        offer_memory(link, &hello);
    }
    memcpy(hello.name, link->name, sizeof(hello.name));
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO, PH_LINK_SESSION, &hello);
    if (!send_all(link, &w)) {
        return false;
    }
    /* In a write of its own: the earliest version 1 hosts read one message
     * per recv() and answer the PING, which tells them apart. */
    w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_empty(&w, PH_HXFR_PING, PH_LINK_SESSION);
    return send_all(link, &w);
}

static bool take_hello(
        struct ph_link *link, const struct ph_hxfr_header *h, uint64_t nonce)
{
    struct ph_hxfr_hello hello;
    if (!ph_hxfr_parse_hello(link->in, h->payload, &hello) ||
            hello.nonce != nonce) {
        return ph_link_fail(link, "the host answers HELLO wrongly");
    }
    link->version = 2;
    link->capabilities = hello.capabilities;
    memcpy(link->host_name, hello.name, sizeof(link->host_name));
    pthread_mutex_lock(&link->shared.lock);
    link->shared.window =
            PH_MIN((uint32_t)hello.max_window, link->options.window);
    link->shared.allowed =
            hello.capabilities & (PH_HXFR_CAP_MEMFD | PH_HXFR_CAP_IVSHMEM)
            ? PH_MIN(link->shared.window, (uint32_t)SHARED_WINDOW)
            : ph_flow_window(&link->flow, link->shared.window);
    link->shared.can_repeat = hello.capabilities & PH_HXFR_CAP_REPEAT;
    link->shared.takes_resources = link->options.resources &&
            hello.capabilities & PH_HXFR_CAP_RESOURCE_IDS;
    link->shared.can_refine = hello.capabilities & PH_HXFR_CAP_REFINE;
    pthread_mutex_unlock(&link->shared.lock);
    if (!(hello.capabilities & (PH_HXFR_CAP_TILES | PH_HXFR_CAP_MEMFD))) {
        return ph_link_fail(link, "the host takes neither tiles nor slots");
    }
    return true;
}

static bool assume_version_1(struct ph_link *link)
{
    link->version = 1;
    link->capabilities = 0;
    snprintf(link->host_name, sizeof(link->host_name), "version 1 host");
    pthread_mutex_lock(&link->shared.lock);
    link->shared.window = 1;
    link->shared.allowed = 1;
    link->shared.can_repeat = false;
    link->shared.takes_resources = false;
    link->shared.can_refine = false;
    pthread_mutex_unlock(&link->shared.lock);
    return true;
}

/* The earliest version 1 hosts call HELLO invalid; one of ours may be too
 * busy for a guest more. */
static bool take_error(struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_hxfr_error_message e;
    if (ph_hxfr_parse_error(link->in, h->payload, &e) &&
            e.code == PH_HXFR_ERR_BUSY) {
        return ph_link_fail(link, "the host says: %.120s", e.text);
    }
    return assume_version_1(link);
}

bool ph_link_handshake(struct ph_link *link)
{
    link->doubtful = false;
    if (link->version == 1) {
        return true; /* parked: it was one before */
    }
    uint64_t nonce = (uint64_t)ph_clock_ns();
    if (!say_hello(link, nonce)) {
        return false;
    }
    int64_t deadline =
            ph_deadline_ms(link->options.connect ? OWN_HOST_MS : SILENCE_MS);
    for (;;) {
        struct ph_hxfr_header h;
        AUTOCLOSE int passed = -1;
        if (!ph_link_read_message(link, deadline, &h, &passed)) {
            if (errno == ETIMEDOUT && !link->options.connect) {
                link->doubtful = true;
                return assume_version_1(link);
            }
            return false;
        }
        switch (h.type) {
        case PH_HXFR_HELLO_RESP:
            return take_hello(link, &h, nonce);
        case PH_HXFR_PONG:
            return assume_version_1(link);
        case PH_HXFR_ERROR:
            return take_error(link, &h);
        default:
            return ph_link_fail(
                    link, "unexpected message 0x%02x to HELLO", h.type);
        }
    }
}
