/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Viewers that vanish with a picture on its way: each is given up after a
 * while, one that is there and does not read is not. Ends with 77 where no
 * network namespace can be made.
 */
#include "deskd/wsock.h"

#include <signal.h>

#include "common/clock.h"
#include "common/net.h"

#include "netns.h"

enum {
    PATIENCE_MS = 1000,
    WAIT_MS = 60000,
    MESSAGE = 400
};

struct viewer {
    struct ph_transport *transport;
    int peer;
    unsigned sent;
    bool closed;
};

static struct ph_wsock_set set = {.patience_ms = PATIENCE_MS};

static void on_message(void *data, const uint8_t *msg, size_t len)
{
}

static void on_writable(void *data)
{
}

static void on_closed(void *data)
{
    struct viewer *v = data;
    v->closed = true;
    v->transport = NULL;
}

static const struct ph_transport_events events = {
        on_message, on_writable, on_closed};

static struct viewer join(int net, const char *address)
{
    struct ph_endpoint ep = {PH_ENDPOINT_TCP, "", 0};
    snprintf(ep.address, sizeof(ep.address), "%s", address);
    AUTOCLOSE int listener = ph_net_listen(&ep, 1);
    CHECK(listener >= 0);
    enter(net);
    struct viewer v = {.peer = ph_net_connect(&ep, ph_deadline_ms(WAIT_MS))};
    enter(host_net);
    int fd = ph_net_accept(listener);
    CHECK(v.peer >= 0 && fd >= 0);
    v.transport = ph_wsock_create(&set, fd);
    return v;
}

static void begin(struct viewer *v)
{
    v->transport->events = &events;
    v->transport->data = v;
}

static void send_message(struct viewer *v)
{
    static const uint8_t message[MESSAGE];
    if (!v->closed && !v->transport->ops->busy(v->transport)) {
        v->transport->ops->send(v->transport, message, MESSAGE, NULL);
        v->sent++;
    }
}

static gboolean on_tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static bool is_full(struct viewer *v)
{
    return v->transport->ops->busy(v->transport);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (!make_network()) {
        printf("no network namespaces here\n");
        return 77;
    }
    struct viewer asleep = join(host_net, "127.0.0.1");
    struct viewer gone = join(guest_net, "10.99.0.1");
    struct viewer full = join(guest_net, "10.99.0.1");
    struct viewer *all[] = {&asleep, &gone, &full};
    for (size_t i = 0; i < PH_LEN(all); i++) {
        begin(all[i]);
    }
    /* Two whose buffers are full, and one that gets a message now and then. */
    while (!is_full(&asleep) || !is_full(&full)) {
        send_message(&asleep);
        send_message(&full);
        g_main_context_iteration(NULL, FALSE);
    }
    send_message(&gone);
    ip(guest_net, "link set eth0 down");
    guint tick = g_timeout_add(50, on_tick, NULL);
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    int64_t least = ph_deadline_ms(5 * PATIENCE_MS);
    while ((!(gone.closed && full.closed) && ph_clock_ns() < deadline) ||
            ph_clock_ns() < least) {
        send_message(&gone);
        g_main_context_iteration(NULL, TRUE);
    }
    CHECK(gone.closed);
    CHECK(full.closed);
    CHECK(!asleep.closed);
    g_source_remove(tick);
    ph_wsock_set_finish(&set);
    for (size_t i = 0; i < PH_LEN(all); i++) {
        close(all[i]->peer);
    }
    return CHECK_DONE();
}
