/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest for tests of src/hostd: one end of a socket pair, and a thread that
 * serves the other as porthole-hostd does. Messages are written and read one
 * by one, so that a test can send what no proper guest would.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/net.h"
#include "hostd/encoder_fake.h"
#include "hostd/session.h"
#include "proto/hxfr_ext.h"

#include "check.h"

enum {
    PEER_WAIT_MS = 60000, /* nothing takes this long */
    PEER_ROOM = 32 << 20
};

struct peer {
    int fd;
    struct ph_session *session;
    pthread_t thread;
    /* The last message read. */
    struct ph_hxfr_header header;
    uint8_t *payload;
    int passed_fd;
};

static inline void *peer_serve(void *session)
{
    ph_session_run(session);
    return NULL;
}

static inline struct peer peer_begin(const struct ph_session_config *config)
{
    static unsigned number;
    int fds[2];
    if (!ph_net_pair(fds)) {
        perror("socketpair");
        exit(1);
    }
    struct peer p = {.fd = fds[0], .passed_fd = -1};
    p.session = ph_session_create(config, fds[1], ++number);
    pthread_create(&p.thread, NULL, peer_serve, p.session);
    return p;
}

/* Closes this end and waits until the host is done with it. */
static inline void peer_finish(struct peer *p)
{
    close(p->fd);
    pthread_join(p->thread, NULL);
    ph_session_destroy(p->session);
    if (p->passed_fd >= 0) {
        close(p->passed_fd);
    }
    free(p->payload);
}

static inline int peer_write(struct peer *p, const void *data, size_t len)
{
    struct iovec iov = {(void *)data, len};
    return ph_net_write_full(
            p->fd, &iov, 1, -1, ph_deadline_ms(PEER_WAIT_MS), 0);
}

/* Reads a whole message; false at the end of the connection. */
static inline int peer_read(struct peer *p)
{
    uint8_t head[PH_HXFR_HEADER_SIZE];
    int passed = -1;
    struct ph_net_read how = {ph_deadline_ms(PEER_WAIT_MS), 0, &passed};
    if (ph_net_read_full(p->fd, head, sizeof(head), &how) != PH_NET_OK ||
            !CHECK(ph_hxfr_parse_header(head, &p->header)) ||
            !CHECK(p->header.payload <= PEER_ROOM)) {
        return 0;
    }
    if (passed >= 0) {
        if (p->passed_fd >= 0) {
            close(p->passed_fd);
        }
        p->passed_fd = passed;
    }
    how.passed_fd = NULL;
    p->payload = realloc(p->payload, p->header.payload + 1);
    return CHECK_EQ(
            ph_net_read_full(p->fd, p->payload, p->header.payload, &how),
            PH_NET_OK);
}

/* The next message has this type. */
static inline int peer_expect(struct peer *p, uint8_t type)
{
    return CHECK(peer_read(p)) && CHECK_EQ(p->header.type, type);
}

static inline void peer_expect_end(struct peer *p)
{
    uint8_t byte;
    struct ph_net_read how = {ph_deadline_ms(PEER_WAIT_MS), 0, NULL};
    /* What was not read by the host makes its end a reset. */
    enum ph_net_result r = ph_net_read_full(p->fd, &byte, 1, &how);
    CHECK(r == PH_NET_EOF || (r == PH_NET_ERROR && errno == ECONNRESET));
}

/* An ERROR with this code. */
static inline void peer_expect_error(struct peer *p, int32_t code)
{
    struct ph_hxfr_error_message e = {0};
    if (peer_expect(p, PH_HXFR_ERROR)) {
        CHECK(ph_hxfr_parse_error(p->payload, p->header.payload, &e));
        CHECK_EQ(e.code, code);
        CHECK(e.text[0]);
    }
}

static inline void peer_expect_failure(
        struct peer *p, uint32_t sequence, int32_t code)
{
    struct ph_hxfr_failure f = {0};
    if (peer_expect(p, PH_HXFR_FAILURE)) {
        CHECK(ph_hxfr_parse_failure(p->payload, p->header.payload, &f));
        CHECK_EQ(f.sequence, sequence);
        CHECK_EQ(f.code, code);
        CHECK(f.text[0]);
    }
}

/* The access unit of this request; its bytes are behind the fixed part. */
static inline struct ph_hxfr_access_unit peer_expect_unit(
        struct peer *p, uint32_t sequence)
{
    struct ph_hxfr_access_unit au = {0};
    if (peer_expect(p, PH_HXFR_ACCESS_UNIT)) {
        CHECK(p->header.payload > PH_HXFR_ACCESS_UNIT_SIZE);
        CHECK(ph_hxfr_parse_access_unit(p->payload, &au));
        CHECK_EQ(au.sequence, sequence);
    }
    return au;
}

static inline void peer_send(struct peer *p, const struct ph_writer *w)
{
    CHECK(w->ok);
    CHECK(peer_write(p, w->data, w->len));
}

/* Capabilities that the host granted. */
static inline uint32_t peer_hello(
        struct peer *p, uint32_t capabilities, uint16_t window)
{
    uint8_t buf[128];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_hello hello = {.version = 1,
            .max_window = window,
            .capabilities = capabilities,
            .nonce = UINT64_C(0x1122334455667788),
            .name = "test"};
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO, 1, &hello);
    peer_send(p, &w);
    memset(&hello, 0, sizeof(hello));
    if (peer_expect(p, PH_HXFR_HELLO_RESP)) {
        CHECK(ph_hxfr_parse_hello(p->payload, p->header.payload, &hello));
        CHECK_EQ(hello.nonce, UINT64_C(0x1122334455667788));
    }
    return hello.capabilities;
}

static inline struct ph_hxfr_surface peer_surface(struct peer *p,
        uint32_t sequence, uint32_t format, uint32_t width, uint32_t height)
{
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_surface surface = {.sequence = sequence,
            .width = width,
            .height = height,
            .format = format,
            .colour = {6, 1, 13, false}};
    ph_hxfr_write_surface(&w, 1, &surface);
    peer_send(p, &w);
    return surface;
}

/* TILES with all pixels of this value, SLOT_FRAME of this slot, or REPEAT. */
static inline void peer_frame(struct peer *p, uint8_t type,
        const struct ph_hxfr_surface *surface, uint32_t sequence,
        const struct ph_rect *rects, uint16_t count, uint32_t flags,
        uint8_t value)
{
    size_t pixels = 0;
    for (uint16_t i = 0; type == PH_HXFR_TILES && i < count; i++) {
        pixels += ph_hxfr_rect_size(&rects[i], surface->format);
    }
    size_t cap = PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL + pixels;
    uint8_t *buf = malloc(cap);
    struct ph_writer w = ph_writer(buf, cap);
    struct ph_hxfr_frame frame = {.sequence = sequence,
            .pts = 1000 * (int64_t)sequence,
            .flags = flags,
            .slot = type == PH_HXFR_SLOT_FRAME ? value : 0,
            .rect_count = count};
    ph_hxfr_write_frame(&w, type, 1, &frame, rects, pixels);
    uint8_t *room = pixels ? ph_write_room(&w, pixels) : NULL;
    if (room) {
        memset(room, value, pixels);
    }
    peer_send(p, &w);
    free(buf);
}

/* FRAME_REQUEST with a picture of one value, its rows as short as possible. */
static inline void peer_picture(struct peer *p, uint32_t format, uint32_t width,
        uint32_t height, int64_t pts, uint8_t value)
{
    uint32_t row = format == PH_HXFR_NV12 ? (width + 1) & ~1u : width * 4;
    struct ph_hxfr_frame_request q = {.width = width,
            .height = height,
            .format = format,
            .stride = row,
            .pts = pts,
            .duration = -1,
            .has_pixels = true};
    CHECK(ph_hxfr_layout(format, width, height, row, &q.layout));
    size_t cap =
            PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE + q.layout.size;
    uint8_t *buf = malloc(cap);
    struct ph_writer w = ph_writer(buf, cap);
    ph_hxfr_write_frame_request(&w, 1, &q);
    uint8_t *room = ph_write_room(&w, q.layout.size);
    if (room) {
        memset(room, value, q.layout.size);
    }
    peer_send(p, &w);
    free(buf);
}

/* --- for a session with a fake encoder --- */

/* What the fake encoder says it was given for the message read last. */
static inline struct ph_fake_picture peer_seen(
        const struct peer *p, size_t fixed)
{
    struct ph_fake_picture pic = {0};
    CHECK(p->header.payload > fixed &&
            ph_fake_parse(p->payload + fixed, p->header.payload - fixed, &pic));
    return pic;
}

static inline struct ph_fake_picture peer_expect_picture(
        struct peer *p, int64_t pts, bool keyframe)
{
    struct ph_hxfr_frame_response resp = {0};
    if (!peer_expect(p, PH_HXFR_FRAME_RESPONSE)) {
        return (struct ph_fake_picture){0};
    }
    CHECK(ph_hxfr_parse_frame_response(p->payload, &resp));
    CHECK_EQ(resp.pts, pts);
    CHECK_EQ(resp.dts, pts);
    CHECK_EQ(resp.keyframe, keyframe);
    CHECK_EQ(resp.nal_count, 1);
    CHECK_EQ(ph_load_u32(p->payload + PH_HXFR_FRAME_RESPONSE_SIZE),
            p->header.payload - PH_HXFR_FRAME_RESPONSE_SIZE - 4);
    return peer_seen(p, PH_HXFR_FRAME_RESPONSE_SIZE + 4);
}

static inline struct ph_fake_picture peer_expect_fake(
        struct peer *p, uint32_t sequence, bool keyframe)
{
    struct ph_hxfr_access_unit au = peer_expect_unit(p, sequence);
    CHECK_EQ(au.pts, 1000 * (int64_t)sequence);
    CHECK_EQ(au.flags, keyframe ? PH_HXFR_FRAME_KEYFRAME : 0);
    return peer_seen(p, PH_HXFR_ACCESS_UNIT_SIZE);
}

static inline void peer_header(struct peer *p, uint8_t type, uint32_t payload)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_header h = {type, 0, 1, payload};
    ph_hxfr_write_header(&w, &h);
    peer_send(p, &w);
}
