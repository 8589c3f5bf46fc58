/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "clipboard"
#include "deskd/clipboard_hub.h"

#include <glib.h>

#include "common/log.h"
#include "proto/stream_seat.h"

struct ph_clipboard_hub {
    void (*changed)(void *data);
    void *data;
    struct ph_clipboard *clipboard;
    struct ph_clip *clip;
    unsigned readings; /* begun */
};

/* One reading; only the newest counts. */
struct reading {
    struct ph_clipboard_hub *hub;
    unsigned number;
};

static void set(struct ph_clipboard_hub *hub, struct ph_clip *clip)
{
    ph_clip_unref(hub->clip);
    hub->clip = clip;
}

static void on_read(void *user, const char *type, const uint8_t *data,
        size_t size, const char *reason)
{
    struct reading *reading = user;
    struct ph_clipboard_hub *hub = reading->hub;
    if (!data) {
        LOG_INFO("what was copied on the desktop stays there: %s", reason);
    } else if (reading->number == hub->readings && hub->clipboard) {
        set(hub, ph_clip_create(type, data, size));
        if (hub->clip) {
            hub->changed(hub->data);
        }
    }
    g_free(reading);
}

static void on_changed(void *data, const char *const *types, size_t count)
{
    struct ph_clipboard_hub *hub = data;
    const char *type = ph_clip_choose(types, count);
    set(hub, NULL);
    hub->readings++;
    if (type && hub->clipboard) {
        struct reading *reading = g_new(struct reading, 1);
        *reading = (struct reading){hub, hub->readings};
        hub->clipboard->ops->read(hub->clipboard, type, PH_STREAM_MAX_CLIPBOARD,
                on_read, reading);
    }
}

const struct ph_clipboard_events ph_clipboard_hub_events = {
        .changed = on_changed,
};

struct ph_clipboard_hub *ph_clipboard_hub_create(
        void (*changed)(void *data), void *data)
{
    struct ph_clipboard_hub *hub = g_new0(struct ph_clipboard_hub, 1);
    hub->changed = changed;
    hub->data = data;
    return hub;
}

void ph_clipboard_hub_attach(
        struct ph_clipboard_hub *hub, struct ph_clipboard *clipboard)
{
    hub->clipboard = clipboard;
}

void ph_clipboard_hub_destroy(struct ph_clipboard_hub *hub)
{
    if (hub) {
        struct ph_clipboard *clipboard = g_steal_pointer(&hub->clipboard);
        if (clipboard) { /* ends what is being read */
            clipboard->ops->destroy(clipboard);
        }
        ph_clip_unref(hub->clip);
        g_free(hub);
    }
}

struct ph_clip *ph_clipboard_hub_get(const struct ph_clipboard_hub *hub)
{
    return hub->clip;
}

void ph_clipboard_hub_offer(struct ph_clipboard_hub *hub, struct ph_clip *clip)
{
    hub->readings++; /* what is being read is older */
    set(hub, ph_clip_ref(clip));
    if (hub->clipboard) {
        hub->clipboard->ops->offer(
                hub->clipboard, clip->type, clip->data, clip->size);
    }
}
