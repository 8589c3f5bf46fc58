/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "link/link_private.h"
#include "link/region.h"
#include "proto/h264.h"

#define LOG_MODULE "link"
#include "common/log.h"

enum {
    PROGRESS_S = 10
};

bool ph_link_fail(struct ph_link *link, const char *fmt, ...)
{
    va_list ap;
    int err = errno;
    va_start(ap, fmt);
    vsnprintf(link->reason, sizeof(link->reason), fmt, ap);
    va_end(ap);
    errno = err;
    return false;
}

bool ph_link_fail_io(struct ph_link *link, const char *what)
{
    link->hung_up = errno == EPIPE || errno == ECONNRESET;
    return link->hung_up ? ph_link_fail(link, "the host closed the connection")
                         : ph_link_fail(link, "%s: %s", what, strerror(errno));
}

/* What a message of this type may carry at most. */
static uint32_t payload_limit(uint8_t type)
{
    return type == PH_HXFR_ACCESS_UNIT || type == PH_HXFR_FRAME_RESPONSE
            ? PH_HXFR_MAX_ACCESS_UNIT
            : PH_HXFR_MAX_CONTROL;
}

/* Reads into link->in, which grows as bytes arrive. */
static enum ph_net_result read_payload(struct ph_link *link, size_t len)
{
    enum {
        STEP = 256 << 10
    };
    struct ph_net_read how = {ph_deadline_ms(PROGRESS_S * 1000),
            PROGRESS_S * PH_NS_PER_S, NULL, &link->stop[0]};
    size_t done = 0;
    while (done < len) {
        size_t n = PH_MIN(len - done, STEP);
        if (done + n > link->in_cap) {
            size_t cap = PH_MIN(PH_MAX(done + n, link->in_cap * 2),
                    (size_t)PH_HXFR_MAX_ACCESS_UNIT);
            link->in = ph_xrealloc(link->in, cap);
            link->in_cap = cap;
        }
        if (ph_net_read_full(link->fd, link->in + done, n, &how) != PH_NET_OK) {
            return PH_NET_ERROR;
        }
        done += n;
    }
    return PH_NET_OK;
}

bool ph_link_read_message(struct ph_link *link, int64_t deadline_ns,
        struct ph_hxfr_header *header, int *passed_fd)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_net_read how = {deadline_ns, 0, passed_fd, &link->stop[0]};
    switch (ph_net_read_full(link->fd, buf, sizeof(buf), &how)) {
    case PH_NET_OK:
        break;
    case PH_NET_EOF:
        errno = EPIPE;
        return ph_link_fail_io(link, "reading");
    case PH_NET_ERROR:
        return ph_link_fail_io(link, "reading");
    }
    if (!ph_hxfr_parse_header(buf, header) ||
            header->payload > payload_limit(header->type)) {
        errno = EPROTO;
        return ph_link_fail(link, "the host sends no frame protocol");
    }
    if (read_payload(link, header->payload) != PH_NET_OK) {
        ph_link_fail(link, "the host's message broke off: %s", strerror(errno));
        errno = EPROTO;
        return false;
    }
    return true;
}

void ph_link_install_slots(
        struct ph_link *link, struct ph_slots *slots, uint32_t generation)
{
    struct ph_link_shared *s = &link->shared;
    bool wanted = false;
    pthread_mutex_lock(&s->lock);
    if (generation == s->generation) {
        ph_slots_unref(s->slots);
        s->slots = slots;
        wanted = s->room_wanted;
        s->room_wanted = false;
        slots = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    ph_slots_unref(slots);
    if (wanted) {
        link->events.room(link->data);
    }
}

/* The host has room for tiles' pixels in a file of the folder, or none: then
 * they travel on the stream. */
static bool take_stage(struct ph_link *link, const struct ph_hxfr_slots *layout)
{
    const char *folder = link->options.endpoint.share;
    link->stage_slot_size = layout->slot_size;
    if (layout->place == PH_HXFR_SLOTS_FILE) {
        link->stage = ph_region_open_slots(folder, layout->nonce);
        if (link->stage < 0) {
            LOG_WARN("%s: the host's file: %s", folder, strerror(errno));
        }
    }
    link->slots_deadline_ns = PH_NEVER;
    return ph_link_use_tiles(link);
}

static bool take_slots(
        struct ph_link *link, const struct ph_hxfr_header *h, int fd)
{
    struct ph_hxfr_slots layout;
    if (link->slots_deadline_ns == PH_NEVER ||
            !ph_hxfr_parse_slots(
                    link->in, h->payload, &link->announced, &layout) ||
            layout.sequence != link->announced.sequence || layout.count < 2) {
        return ph_link_fail(link, "the host sends slots that do not fit");
    }
    if (layout.place == PH_HXFR_SLOTS_FILE ||
            layout.place == PH_HXFR_SLOTS_NONE) {
        return take_stage(link, &layout);
    }
    int from = layout.place == PH_HXFR_SLOTS_IVSHMEM ? link->bar : fd;
    if (from < 0) {
        return ph_link_fail(link, "the host sends slots without their memory");
    }
    struct ph_slots *slots = layout.place == PH_HXFR_SLOTS_IVSHMEM
            ? ph_slots_map_range(&link->announced, &layout, from)
            : ph_slots_map(&link->announced, &layout, from);
    if (!slots) {
        return ph_link_fail(
                link, "cannot map the host's slots: %s", strerror(errno));
    }
    link->slots_deadline_ns = PH_NEVER;
    ph_link_install_slots(link, slots, link->announced_generation);
    return true;
}

/* Takes the oldest written request, which this answers, out of the ring. For
 * a version 1 host, and for a resource, sequence is 0: there is none. */
static bool complete(struct ph_link *link, uint32_t sequence,
        struct ph_link_unit *unit, bool *wanted)
{
    struct ph_link_shared *s = &link->shared;
    bool ok = false;
    pthread_mutex_lock(&s->lock);
    struct ph_link_request *r = ph_link_request(s, 0);
    /* Its pixels are being read as long as it is not wholly written. */
    uint32_t sending = link->out.request && ph_link_is_sending(link);
    if (s->written > sending &&
            (link->version == 1 || r->sequence == sequence ||
                    (sequence == 0 && r->type == PH_HXFR_FRAME_REQUEST))) {
        ok = true;
        unit->sequence = r->sequence;
        unit->pts = r->pts;
        unit->repeat = r->type == PH_HXFR_REPEAT;
        unit->submitted_ns = r->submitted_ns;
        link->answered_bytes = r->bytes;
        link->answered_begun_ns = r->begun_ns;
        if (r->type == PH_HXFR_SLOT_FRAME && r->generation == s->generation) {
            s->states[r->slot] = PH_LINK_SLOT_FREE;
        }
        s->head = (s->head + 1) % PH_HXFR_MAX_WINDOW;
        s->count--;
        s->written--;
        *wanted = s->room_wanted;
        s->room_wanted = false;
    }
    pthread_mutex_unlock(&s->lock);
    link->resent &= !ok;
    link->doubtful &= !ok;
    return ok || ph_link_fail(link, "an answer that nothing asked for");
}

/* Ends a request without a unit. */
static void fail_completed(struct ph_link *link,
        const struct ph_link_unit *unit, int32_t code, const char *text)
{
    pthread_mutex_lock(&link->shared.lock);
    link->shared.whole = true;
    pthread_mutex_unlock(&link->shared.lock);
    link->events.failed(link->data, unit->sequence, code, text);
}

/* What no decoder could begin with is no keyframe. */
static const char *find_fault(const struct ph_link_unit *unit)
{
    if (unit->size == 0) {
        return "the host sent an empty access unit";
    }
    if (unit->keyframe && !ph_h264_is_entry(unit->data, unit->size)) {
        return "the host sent a keyframe without its parameter sets";
    }
    return NULL;
}

/* Learns from an answer how many frames should be in flight. */
static void note_answer(
        struct ph_link *link, const struct ph_hxfr_access_unit *au)
{
    struct ph_link_shared *s = &link->shared;
    struct ph_flow *flow = &link->flow;
    struct ph_flow_sample sample = {
            .bytes = link->answered_bytes,
            .total = ph_clock_ns() - link->answered_begun_ns,
            .receive = au->receive_us * PH_NS_PER_US,
            .wait = au->wait_us * PH_NS_PER_US,
            .encode = au->encode_us * PH_NS_PER_US,
    };
    if (link->capabilities & PH_HXFR_CAP_MEMFD) {
        return; /* there is no way between the two */
    }
    ph_flow_answered(flow, &sample);
    pthread_mutex_lock(&s->lock);
    s->allowed = ph_flow_window(flow, s->window);
    s->stats.rtt_us = (uint32_t)(flow->rtt / (double)PH_NS_PER_US);
    s->stats.bytes_per_s =
            flow->per_byte > 0 ? (double)PH_NS_PER_S / flow->per_byte : 0;
    pthread_mutex_unlock(&s->lock);
}

/* The caller hears of the unit first, then that there is room. */
static void deliver(struct ph_link *link, struct ph_link_unit *unit,
        const uint8_t *data, size_t size, bool wanted)
{
    unit->data = data;
    unit->size = size;
    unit->received_ns = ph_clock_ns();
    const char *fault = find_fault(unit);
    if (fault) {
        fail_completed(link, unit, PH_HXFR_ERR_ENCODE, fault);
    } else {
        link->events.unit(link->data, unit);
    }
    if (wanted) {
        link->events.room(link->data);
    }
}

/* What the host says of itself is not longer than we waited, whatever it says:
 * others add it up. */
static void bound_durations(
        struct ph_hxfr_access_unit *au, const struct ph_link_unit *unit)
{
    int64_t us = (ph_clock_ns() - unit->submitted_ns) / PH_NS_PER_US;
    uint32_t left = (uint32_t)PH_MIN(PH_MAX(us, 0), (int64_t)UINT32_MAX);
    au->encode_us = PH_MIN(au->encode_us, left);
    left -= au->encode_us;
    au->wait_us = PH_MIN(au->wait_us, left);
    left -= au->wait_us;
    au->receive_us = PH_MIN(au->receive_us, left);
}

static bool take_access_unit(
        struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_hxfr_access_unit au;
    struct ph_link_unit unit = {0};
    bool wanted = false;
    if (h->payload < PH_HXFR_ACCESS_UNIT_SIZE ||
            !ph_hxfr_parse_access_unit(link->in, &au)) {
        return ph_link_fail(link, "a short access unit");
    }
    if (!complete(link, au.sequence, &unit, &wanted)) {
        return false;
    }
    bound_durations(&au, &unit);
    note_answer(link, &au);
    unit.keyframe = au.flags & PH_HXFR_FRAME_KEYFRAME;
    unit.quick = au.flags & PH_HXFR_FRAME_QUICK;
    unit.receive_us = au.receive_us;
    unit.wait_us = au.wait_us;
    unit.encode_us = au.encode_us;
    deliver(link, &unit, link->in + PH_HXFR_ACCESS_UNIT_SIZE,
            h->payload - PH_HXFR_ACCESS_UNIT_SIZE, wanted);
    return true;
}

static bool take_v1_response(
        struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_hxfr_frame_response resp;
    struct ph_link_unit unit = {0};
    bool wanted = false;
    if (h->payload < PH_HXFR_FRAME_RESPONSE_SIZE ||
            !ph_hxfr_parse_frame_response(link->in, &resp)) {
        return ph_link_fail(link, "a bad frame response");
    }
    if (!complete(link, 0, &unit, &wanted)) {
        return false;
    }
    uint8_t *nals = link->in + PH_HXFR_FRAME_RESPONSE_SIZE;
    size_t size = ph_hxfr_join_nals(
            nals, h->payload - PH_HXFR_FRAME_RESPONSE_SIZE, resp.nal_count);
    unit.keyframe = resp.keyframe;
    deliver(link, &unit, nals, size, wanted);
    return true;
}

static bool fail_request(
        struct ph_link *link, uint32_t sequence, int32_t code, const char *text)
{
    struct ph_link_unit unit = {0};
    bool wanted = false;
    if (!complete(link, sequence, &unit, &wanted)) {
        return false;
    }
    /* What the host holds now is not known: the next frame is whole. */
    pthread_mutex_lock(&link->shared.lock);
    link->shared.newest = -1;
    pthread_mutex_unlock(&link->shared.lock);
    fail_completed(link, &unit, code, text);
    if (wanted) {
        link->events.room(link->data);
    }
    return true;
}

static bool take_failure(struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_hxfr_failure f;
    if (!ph_hxfr_parse_failure(link->in, h->payload, &f)) {
        return ph_link_fail(link, "a bad failure message");
    }
    if (f.sequence == link->announced.sequence) {
        return ph_link_fail(link, "the host refuses %ux%u: %.100s",
                link->announced.width, link->announced.height, f.text);
    }
    return fail_request(link, f.sequence, f.code, f.text);
}

/* Whether the oldest request is one that ERROR can answer. */
static bool awaits_resource(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    bool yes = s->written > 0 &&
            ph_link_request(s, 0)->type == PH_HXFR_FRAME_REQUEST;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

/* An ERROR answers the request in flight of a version 1 host; one without a
 * request is late, or the answer to our PING. */
static bool take_error(struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_hxfr_error_message e;
    if (!ph_hxfr_parse_error(link->in, h->payload, &e)) {
        return ph_link_fail(link, "a bad error message");
    }
    if (link->version != 1 && !awaits_resource(link)) {
        return ph_link_fail(link, "the host says: %.120s", e.text);
    }
    if (link->doubtful && e.code == PH_HXFR_ERR_INVALID) {
        link->doubtful = false;
        return true;
    }
    pthread_mutex_lock(&link->shared.lock);
    bool in_flight = link->shared.written > 0;
    pthread_mutex_unlock(&link->shared.lock);
    return !in_flight || fail_request(link, 0, e.code, e.text);
}

bool ph_link_receive(struct ph_link *link)
{
    struct ph_hxfr_header h;
    AUTOCLOSE int passed = -1;
    if (!ph_link_read_message(
                link, ph_deadline_ms(PROGRESS_S * 1000), &h, &passed)) {
        return false;
    }
    bool extended = link->version == 2;
    switch (h.type) {
    case PH_HXFR_ACCESS_UNIT:
        if (extended) {
            return take_access_unit(link, &h);
        }
        break;
    case PH_HXFR_FAILURE:
        if (extended) {
            return take_failure(link, &h);
        }
        break;
    case PH_HXFR_CHECKSUM:
        if (extended) {
            return ph_link_check_take(link, &h);
        }
        break;
    case PH_HXFR_SLOTS:
        if (extended) {
            return take_slots(link, &h, passed);
        }
        break;
    case PH_HXFR_FRAME_RESPONSE:
        if (!extended || link->options.resources) {
            return take_v1_response(link, &h);
        }
        break;
    case PH_HXFR_ERROR:
        return take_error(link, &h);
    case PH_HXFR_RESET:
        return ph_link_fail(link, "the host began anew");
    case PH_HXFR_HELLO_RESP:
        link->version = 0; /* slower than we waited: ask again */
        return ph_link_fail(link, "the host speaks the extensions after all");
    default:
        return true; /* PONG, CONFIG_RESP, and what we do not know */
    }
    return ph_link_fail(link, "unexpected message 0x%02x", h.type);
}
