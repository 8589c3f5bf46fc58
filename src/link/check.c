/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CHECKSUM: whether the host holds the picture that it was sent. The sum is
 * taken of the slot while it is certainly ours, and goes out right behind its
 * frame.
 */
#include "common/clock.h"
#include "common/macros.h"
#include "link/link_private.h"

#define LOG_MODULE "link"
#include "common/log.h"

enum {
    FRAMES = 256,
    SECONDS = 5,
};

void ph_link_check_reset(struct ph_link *link)
{
    link->check = (struct ph_link_check){.last_ns = ph_clock_ns()};
}

void ph_link_check_new_surface(struct ph_link *link)
{
    struct ph_link_check *c = &link->check;
    c->frames = 0;
    c->last_ns = ph_clock_ns();
    c->stale = c->awaited;
    c->wrong = false;
}

void ph_link_check_note(
        struct ph_link *link, uint32_t sequence, const struct ph_nv12 *picture)
{
    struct ph_link_check *c = &link->check;
    uint32_t every = link->options.check_every ? link->options.check_every
                                               : (uint32_t)FRAMES;
    int64_t now = ph_clock_ns();
    c->frames++;
    if (c->awaited == PH_LEN(c->own) ||
            (c->frames < every && now - c->last_ns < SECONDS * PH_NS_PER_S)) {
        return;
    }
    c->frames = 0;
    c->last_ns = now;
    c->due = true;
    c->own[(c->head + c->awaited++) % PH_LEN(c->own)] =
            (struct ph_hxfr_checksum){sequence, ph_delta_sum(picture)};
}

void ph_link_check_write(struct ph_link *link, struct ph_writer *w)
{
    struct ph_link_check *c = &link->check;
    c->due = false;
    ph_hxfr_write_checksum(w, PH_LINK_SESSION,
            &c->own[(c->head + c->awaited - 1) % PH_LEN(c->own)]);
}

bool ph_link_check_take(struct ph_link *link, const struct ph_hxfr_header *h)
{
    struct ph_link_check *c = &link->check;
    struct ph_hxfr_checksum host;
    const struct ph_hxfr_checksum *own = &c->own[c->head];
    if (!ph_hxfr_parse_checksum(link->in, h->payload, &host) ||
            c->awaited <= c->due || host.sequence != own->sequence) {
        return ph_link_fail(link, "a checksum that was not asked for");
    }
    bool same = host.sum == own->sum || c->stale > 0;
    c->head = (c->head + 1) % PH_LEN(c->own);
    c->awaited--;
    c->stale -= c->stale > 0;
    c->wrong = c->wrong || !same;
    pthread_mutex_lock(&link->shared.lock);
    link->shared.stats.checks++;
    link->shared.stats.mismatches += !same;
    pthread_mutex_unlock(&link->shared.lock);
    if (!same) {
        LOG_WARN("the host's picture is not ours after frame %u: sending all "
                 "of it",
                host.sequence);
        if (link->events.wrong) {
            link->events.wrong(link->data);
        }
    }
    return true;
}
