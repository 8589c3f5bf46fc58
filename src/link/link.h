/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's end of the frame protocol: connects to a host, finds out what
 * it can do, sends what changed of one surface and hands back access units;
 * connects again with back-off when the host goes away. Policy (when to send,
 * what to drop) sits above: acquire answers FULL, the caller decides.
 *
 * A link owns one I/O thread. The calls below may come from any one thread at
 * a time and never wait for the network; the events come from the I/O thread,
 * which must only copy, queue and wake. No event comes after ph_link_stop.
 *
 * Pictures live in slots: shared memory that the host made where that was
 * negotiated, else our own. A slot may be written from ph_link_acquire to
 * ph_link_submit and keeps what was last written into it, so that only what
 * changed since then (the slot's age) needs converting. `generation` changes
 * when all slots are new (connected again, size changed): every slot is then
 * undefined and the first frame is sent whole. So is the frame after one that
 * failed.
 *
 * An idle link sends nothing, not even a ping: a host that went away while
 * nothing was in flight is found out by the hang-up or by the next frame. That
 * a version 1 host closes idle connections is no event.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/endpoint.h"
#include "proto/hxfr_ext.h"

struct ph_link;

/* One encoded frame; data is valid during the event only. */
struct ph_link_unit {
    uint32_t sequence; /* as ph_link_submit or ph_link_repeat gave it */
    int64_t pts; /* ns */
    bool keyframe;
    bool repeat; /* of the surface as it was */
    bool quick; /* made in haste: repeat when no frame follows soon */
    const uint8_t *data; /* Annex B */
    size_t size;
    /* For the latency of each stage: when it was submitted and received
     * (ns, monotonic), what the host measured (µs). */
    int64_t submitted_ns;
    int64_t received_ns;
    uint32_t receive_us;
    uint32_t wait_us;
    uint32_t encode_us;
};

struct ph_link_events {
    /* Frames can be submitted. version is 1 for a host without extensions;
     * name is what it calls itself. */
    void (*ready)(void *data, int version, const char *name);
    /* Not connected (any more): what was in flight is lost. Comes once for
     * each time; the link goes on trying. */
    void (*down)(void *data, const char *reason);
    void (*unit)(void *data, const struct ph_link_unit *unit);
    /* No access unit for this sequence. Code 0: its surface was replaced before
     * it was sent. */
    void (*failed)(
            void *data, uint32_t sequence, int32_t code, const char *text);
    /* After FULL: acquire may succeed now. */
    void (*room)(void *data);
    /* The host's picture is not the one that was sent. What is submitted or
     * repeated next puts that right: see to it that something is. NULL: as
     * it comes. */
    void (*wrong)(void *data);
};

/* LZ4, on ways without shared memory. */
enum ph_link_packing {
    PH_LINK_PACK_AUTO, /* when it saves more time than it takes */
    PH_LINK_PACK_ALWAYS,
    PH_LINK_PACK_NEVER,
};

struct ph_link_options {
    struct ph_endpoint endpoint;
    /* Instead of endpoint when set: returns a connected stream socket (the
     * link closes it) or -1 with errno. On the I/O thread, with
     * connect_data. */
    int (*connect)(void *data, int64_t deadline_ns);
    void *connect_data;
    const char *name; /* of this guest, for the host's log */
    uint32_t window; /* requests in flight, 1..PH_HXFR_MAX_WINDOW */
    uint32_t bitrate; /* bit/s; 0: the host's default */
    uint32_t timeout_ms; /* for an answer; 0: 5000 */
    enum ph_link_packing packing;
    bool no_sharing; /* of memory, to measure what it is worth */
    /* Frames after which the host's picture is compared with ours, where no
     * memory is shared; 0: 256, or 5 s. */
    uint32_t check_every;
    /* What a version 1 host gets: PH_HXFR_NV12, or 0: BGRA, which harms none
     * of them. */
    uint32_t v1_format;
    bool resources; /* ph_link_submit_resource may be used */
    /* Small changes on a still screen may come back as units that are `quick`:
     * sooner, but the same again with the next one. */
    bool quick;
};

struct ph_link *ph_link_create(const struct ph_link_options *options,
        const struct ph_link_events *events, void *data);
bool ph_link_start(struct ph_link *link);
/* Ends the I/O thread and the connection; destroy implies it. */
void ph_link_stop(struct ph_link *link);
void ph_link_destroy(struct ph_link *link);

/* The size and colour of what follows: NV12, even sides. A new generation. */
void ph_link_set_surface(struct ph_link *link, uint32_t width, uint32_t height,
        const struct ph_hxfr_colour *colour);

enum ph_link_result {
    PH_LINK_OK,
    PH_LINK_FULL, /* as much in flight as is allowed: wait for `room` */
    PH_LINK_DOWN, /* not ready: wait for `ready` */
};

/* A slot to draw the next frame into, one at a time. NV12 for a host with
 * extensions; format says what the host wants (PH_HXFR_BGRA: plane[0] only). */
struct ph_link_picture {
    uint8_t slot;
    uint32_t generation;
    uint32_t format; /* enum ph_hxfr_format */
    uint32_t width;
    uint32_t height;
    uint8_t *plane[2];
    uint32_t stride[2];
};

enum ph_link_result ph_link_acquire(
        struct ph_link *link, struct ph_link_picture *out);
/* Gives an acquired slot back unused: with what was in it before. */
void ph_link_release(struct ph_link *link, const struct ph_link_picture *p);

/* Sends an acquired slot. rects: what changed since the frame submitted
 * before this one (up to PH_HXFR_MAX_RECTS, even for NV12); ignored, and
 * everything sent, where the frame must be whole. flags: enum
 * ph_hxfr_frame_flag. *sequence names it in the events. On DOWN the slot is
 * released: not ready, or the surface was set anew since acquire. */
enum ph_link_result ph_link_submit(struct ph_link *link,
        const struct ph_link_picture *picture, int64_t pts, uint32_t flags,
        const struct ph_rect *rects, size_t rect_count, uint32_t *sequence);

/* Asks for the surface as the host holds it once more. DOWN also before the
 * first frame and on a host that cannot. An acquired slot counts as in flight:
 * with a window of 1 release it first. */
enum ph_link_result ph_link_repeat(
        struct ph_link *link, int64_t pts, uint32_t flags, uint32_t *sequence);

/* Whether repeats may be flagged PH_HXFR_FRAME_REFINE, on this connection. */
bool ph_link_can_refine(struct ph_link *link);

/* A picture that the host can find by itself: a virtio-gpu resource of this
 * machine, never a GEM handle. */
struct ph_link_resource {
    uint32_t id;
    uint32_t width;
    uint32_t height;
    uint32_t format; /* enum ph_hxfr_format */
    uint32_t stride;
};

/* Whether the host that is connected said that it takes them. */
bool ph_link_takes_resources(struct ph_link *link);
/* Sends one in place of a slot; it must stay as it is until its answer. The
 * picture after it that comes in a slot is of a new generation. DOWN also on
 * a host that takes none. */
enum ph_link_result ph_link_submit_resource(struct ph_link *link,
        const struct ph_link_resource *resource, int64_t pts, uint32_t flags,
        uint32_t *sequence);

/* Takes effect at the host with the next frame. Any thread. */
void ph_link_set_bitrate(struct ph_link *link, uint32_t bitrate);

/* Counted since ph_link_create, or as it is now. */
struct ph_link_stats {
    uint64_t bytes_sent;
    uint64_t moved; /* frames with moves */
    uint64_t packed; /* frames that were packed */
    uint64_t checks; /* pictures that the host compared with ours */
    uint64_t mismatches;
    bool shared; /* pictures are in memory that the host shares */
    uint32_t window; /* frames that may be in flight */
    double bytes_per_s; /* of the way; 0: not known */
    uint32_t rtt_us; /* of the way; 0: not known */
};

void ph_link_get_stats(struct ph_link *link, struct ph_link_stats *out);
