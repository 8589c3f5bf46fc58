/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "clipboard"
#include "deskd/clipboard_hub.h"

#include <glib.h>

#include "common/log.h"
#include "deskd/viewer.h"
#include "proto/stream_seat.h"

struct ph_clipboard_hub {
    struct ph_clipboard *clipboard;
    struct ph_viewer *driver; /* who drove last; NULL: nobody, or it left */
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

static void give(struct ph_clipboard_hub *hub)
{
    if (hub->clip && hub->driver && ph_viewer_joined(hub->driver)) {
        ph_viewer_clipboard(hub->driver, hub->clip);
    }
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
        give(hub);
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

struct ph_clipboard_hub *ph_clipboard_hub_create(void)
{
    return g_new0(struct ph_clipboard_hub, 1);
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

bool ph_clipboard_hub_works(const struct ph_clipboard_hub *hub)
{
    return hub && hub->clipboard;
}

void ph_clipboard_hub_drove(
        struct ph_clipboard_hub *hub, struct ph_viewer *viewer)
{
    if (hub && hub->driver != viewer) {
        hub->driver = viewer;
        give(hub);
    }
}

void ph_clipboard_hub_offer(struct ph_clipboard_hub *hub,
        struct ph_viewer *viewer, struct ph_clip *clip)
{
    if (!hub) {
        return;
    }
    hub->readings++; /* what is being read is older */
    set(hub, ph_clip_ref(clip));
    hub->driver = viewer; /* has it already */
    if (hub->clipboard) {
        hub->clipboard->ops->offer(
                hub->clipboard, clip->type, clip->data, clip->size);
    }
}

void ph_clipboard_hub_leave(
        struct ph_clipboard_hub *hub, const struct ph_viewer *viewer)
{
    if (hub && hub->driver == viewer) {
        hub->driver = NULL;
    }
}
