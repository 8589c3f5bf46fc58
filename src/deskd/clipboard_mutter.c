/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter.h"

#include "common/alloc.h"
#include "common/macros.h"
#include "deskd/mutter_clipboard.h"

struct mutter {
    struct ph_clipboard base;
    struct ph_mutter_clipboard *shared; /* of the desktop */
};

static struct mutter *from_base(struct ph_clipboard *clipboard)
{
    return PH_CONTAINER(clipboard, struct mutter, base);
}

static void changed(void *data, const char *const *types, size_t count)
{
    struct mutter *c = data;
    c->base.events->changed(c->base.data, types, count);
}

static void read_type(struct ph_clipboard *clipboard, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    ph_mutter_clipboard_read(
            from_base(clipboard)->shared, type, most, done, user);
}

static void offer(struct ph_clipboard *clipboard, const char *type,
        const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    ph_mutter_clipboard_offer(from_base(clipboard)->shared, type, bytes);
}

static void destroy(struct ph_clipboard *clipboard)
{
    struct mutter *c = from_base(clipboard);
    const struct ph_mutter_clipboard_events none = {NULL, NULL};
    ph_mutter_clipboard_watch(c->shared, &none);
    ph_mutter_clipboard_end_reads(c->shared);
    free(c);
}

static const struct ph_clipboard_ops ops = {
        .name = "mutter",
        .read = read_type,
        .offer = offer,
        .destroy = destroy,
};

struct ph_clipboard *ph_clipboard_mutter_create(struct ph_mutter *m,
        const struct ph_clipboard_events *events, void *data)
{
    struct mutter *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_clipboard){&ops, events, data};
    c->shared = ph_mutter_clipboard_of(m);
    const struct ph_mutter_clipboard_events watch = {changed, c};
    ph_mutter_clipboard_watch(c->shared, &watch);
    return &c->base;
}
