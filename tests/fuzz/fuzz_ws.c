/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WebSocket frames of a client: the same events come out however the bytes
 * are cut into pieces, and nothing outgrows its buffer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deskd/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct summary {
    uint64_t events[PH_WS_FAILED + 1];
    uint64_t bytes; /* of messages and pings */
    uint64_t sum;
    uint64_t code;
};

static void add(struct summary *s, const uint8_t *data, size_t len)
{
    s->bytes += len;
    for (size_t i = 0; i < len; i++) {
        s->sum = s->sum * 31 + data[i];
    }
}

static void note(
        struct summary *s, const struct ph_ws_parser *p, enum ph_ws_event event)
{
    if (p->message_len > sizeof(p->message) ||
            p->control_len > sizeof(p->control)) {
        abort();
    }
    s->events[event]++;
    if (event == PH_WS_GOT_MESSAGE) {
        add(s, p->message, p->message_len);
    } else if (event == PH_WS_GOT_PING) {
        add(s, p->control, p->control_len);
    } else if (event == PH_WS_FAILED) {
        s->code = p->code;
    }
}

static struct summary run(const uint8_t *data, size_t size, size_t step)
{
    struct ph_ws_parser parser = {0};
    struct summary s = {0};
    enum ph_ws_event event = PH_WS_GOT_NOTHING;
    for (size_t pos = 0; pos < size && event != PH_WS_FAILED;) {
        size_t n = size - pos < step ? size - pos : step;
        size_t used = 0;
        event = ph_ws_parse(&parser, data + pos, n, &used);
        if (used > n || (event == PH_WS_GOT_NOTHING && used != n)) {
            abort();
        }
        pos += used;
        if (event != PH_WS_GOT_NOTHING) {
            note(&s, &parser, event);
        }
    }
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct summary whole = run(data, size, size);
    struct summary single = run(data, size, 1);
    struct summary threes = run(data, size, 3);
    if (memcmp(&whole, &single, sizeof(whole)) != 0 ||
            memcmp(&whole, &threes, sizeof(whole)) != 0) {
        abort();
    }
    return 0;
}
