/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What carries messages to one viewer and back: a WebSocket (wsock.h), or a
 * fake in the tests. Main thread only. It holds one outgoing message at a
 * time and nothing behind it: what waits, waits in the viewer, where it can
 * still be dropped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskd/source.h"

struct ph_transport;

/* Never called from inside an operation below. */
struct ph_transport_events {
    void (*message)(void *data, const uint8_t *msg, size_t len);
    /* What was sent is in the kernel; not busy any more. */
    void (*writable)(void *data);
    /* The peer is gone; the transport frees itself. */
    void (*closed)(void *data);
};

/* The longest head: a message without a unit. */
#define PH_TRANSPORT_MAX_HEAD 512

struct ph_transport_ops {
    /* The message before is not wholly written yet. */
    bool (*busy)(struct ph_transport *transport);
    /* One message: head, then the unit's access unit unless NULL (a reference
     * is taken). Only while not busy. */
    void (*send)(struct ph_transport *transport, const uint8_t *head,
            size_t head_size, struct ph_unit *unit);
    /* The viewer said who it is: lifts the bound on what it may send. */
    void (*trust)(struct ph_transport *transport);
    /* No event comes any more; the transport finishes what is being sent,
     * closes and frees itself. code: enum ph_ws_code. last, when not NULL,
     * is a message to send before. */
    void (*close)(struct ph_transport *transport, uint16_t code,
            const uint8_t *last, size_t last_size);
};

struct ph_transport {
    const struct ph_transport_ops *ops;
    const struct ph_transport_events *events;
    void *data;
};
