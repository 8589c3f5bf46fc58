/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames on their way through a host: one access unit for each frame, in
 * order, whatever happens to the host. A frame that was lost is sent again,
 * to the same host when it is back or to one of our own; every frame after it
 * that has not left yet goes again as well, and the first one is a keyframe,
 * so that the stream stays one that can be decoded.
 *
 * Threads: one pushes (wait_room, free_picture, push, drain, flush,
 * set_surface), one pops; stop, start, request and the statistics are for any.
 * Locks: `sending` (pictures, feeds), then `lock` (the rest), then the link's
 * own. Events of links take `lock` only.
 */
#pragma once

#include <glib.h>

#include "link/host_spawn.h"
#include "vsockenc/feed.h"

struct ph_transit;

enum ph_transit_host {
    PH_TRANSIT_HOST, /* of link.endpoint */
    PH_TRANSIT_OWN, /* a porthole-hostd that we start */
    PH_TRANSIT_HOSTS,
};

struct ph_transit_options {
    struct ph_link_options link; /* timeout_ms: see below */
    struct ph_host_spawn *own; /* NULL: none; outlives the transit */
    /* After which a frame that gets no access unit ends it all; 0: never. */
    uint32_t timeout_ms;
    void (*release)(void *frame); /* of a frame that leaves unencoded */
};

struct ph_transit *ph_transit_create(const struct ph_transit_options *options);
/* Ends the links first. */
void ph_transit_destroy(struct ph_transit *transit);

/* After a drain: the size and colour of the frames that follow. */
void ph_transit_set_surface(struct ph_transit *transit, uint32_t width,
        uint32_t height, const struct ph_hxfr_colour *colour);
void ph_transit_set_bitrate(struct ph_transit *transit, uint32_t bitrate);

/* Whether a host would take a resource in place of a picture now. */
bool ph_transit_takes_resources(struct ph_transit *transit);

/* A frame, and where it is drawn: picture `index` of the caller's, which stays
 * as it is until free_picture gives it out again. */
struct ph_transit_frame {
    void *frame;
    unsigned index;
    const struct ph_nv12 *picture;
    struct ph_region changed; /* since the frame before */
    int64_t pts;
    bool keyframe; /* asked for */
    /* The same, for a host that can find it; id 0: none. */
    struct ph_link_resource resource;
};

/* Waits until one more may be on its way. False: stopped. */
bool ph_transit_wait_room(struct ph_transit *transit);
/* One of 0..count-1 that no frame on its way needs, and not `besides`. */
unsigned ph_transit_free_picture(
        struct ph_transit *transit, unsigned count, int besides);
/* pixels: where the picture is not drawn yet; kept when this returns. NULL: it
 * is. */
void ph_transit_push(struct ph_transit *transit,
        const struct ph_transit_frame *frame,
        const struct ph_feed_pixels *pixels);
/* Waits until all have left. False: stopped. */
bool ph_transit_drain(struct ph_transit *transit);
/* Drops all that is on its way; what comes next is a keyframe. */
void ph_transit_flush(struct ph_transit *transit);

enum ph_transit_event {
    PH_TRANSIT_UNIT,
    PH_TRANSIT_TROUBLE, /* text: what happened, worth a warning; it goes on */
    PH_TRANSIT_BETTER, /* text: who encodes now */
    PH_TRANSIT_FAILED, /* text: it does not go on */
    PH_TRANSIT_STOPPED,
};

struct ph_transit_out {
    void *frame;
    uint8_t *data; /* Annex B, g_free */
    size_t size;
    bool keyframe;
    char text[256];
};

/* Waits for the next thing; sends what has to be sent meanwhile. The unit
 * before it counts as gone. */
enum ph_transit_event ph_transit_pop(
        struct ph_transit *transit, struct ph_transit_out *out);

/* Everybody who waits returns, until start. */
void ph_transit_stop(struct ph_transit *transit);
void ph_transit_start(struct ph_transit *transit);

struct ph_transit_stats {
    uint64_t frames; /* pushed */
    uint64_t units;
    uint64_t keyframes;
    uint64_t repeats;
    uint64_t resources; /* sent as such */
    uint64_t bytes; /* of units */
    uint64_t bytes_sent; /* to hosts, but for what lay in shared memory */
    uint64_t lost; /* sent again */
    uint32_t switches; /* between hosts */
    uint32_t in_flight;
    bool own; /* encodes now */
    bool shared; /* memory, with the host that encodes now */
    int version; /* of its protocol, 0: none yet */
    char host[PH_HXFR_MAX_NAME + 1];
    /* Of the newest unit, µs: from pushed to received, and in the encoder. */
    uint32_t round_us;
    uint32_t encode_us;
};

void ph_transit_get_stats(
        struct ph_transit *transit, struct ph_transit_stats *out);
