/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_keys.h"

#include <linux/input-event-codes.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#define LOG_MODULE "input"
#include "common/log.h"
#include "deskd/keymap.h"

enum {
    WAKING_MS = 300, /* until applications have heard of a keyboard */
    OFFERED_MS = 100, /* until Mutter has asked for the text for itself */
    ASKED_MS = 150, /* until one that pastes has asked for the text */
    READ_MS = 60, /* and has it */
    MAX_WAITING = 4096,
};

/* One that waits: text, or a key when text is NULL. */
struct event {
    GBytes *text;
    uint16_t code;
    bool pressed;
};

/* How to paste, the most specific first: no application does two of these.
 * Before that Mutter reads what is new, to have it still when we are gone. */
enum paste {
    PASTE_OFFERED,
    PASTE_KEY, /* of old keyboards: foot, Qt, Chromium */
    PASTE_TERMINAL, /* Ctrl+Shift+V */
    PASTE_PLAIN, /* Ctrl+V */
    PASTE_END,
};

struct ph_mutter_keys {
    struct ph_mutter_clipboard *clipboard;
    struct ph_mutter_session *session;
    struct ph_keymap *keymap;
    GQueue waiting; /* struct event */
    guint busy; /* a timer: until then all waits */
    GBytes *pasting; /* NULL: nothing */
    enum paste paste;
    bool asked; /* for what is pasted */
    guint locks_signal;
    bool caps; /* the desktop's, as it says */
    bool num;
};

static void drain(struct ph_mutter_keys *k);

static void call(struct ph_mutter_keys *k, const char *method, GVariant *params)
{
    ph_mutter_session_call(k->session, method, params, NULL, NULL);
}

static void send_key(struct ph_mutter_keys *k, uint16_t code, bool pressed)
{
    call(k, "NotifyKeyboardKeycode",
            g_variant_new("(ub)", (guint32)code, pressed));
}

static void tap(struct ph_mutter_keys *k, uint16_t code)
{
    send_key(k, code, true);
    send_key(k, code, false);
}

static void tap_symbol(struct ph_mutter_keys *k, guint32 symbol)
{
    call(k, "NotifyKeyboardKeysym", g_variant_new("(ub)", symbol, TRUE));
    call(k, "NotifyKeyboardKeysym", g_variant_new("(ub)", symbol, FALSE));
}

static void free_event(struct event *e)
{
    g_clear_pointer(&e->text, g_bytes_unref);
    g_free(e);
}

/* --- text --- */

static bool can_type(const struct ph_mutter_keys *k, const char *text)
{
    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        guint32 symbol = ph_keymap_symbol(g_utf8_get_char(p));
        if (!k->keymap || !ph_keymap_types(k->keymap, symbol)) {
            return false;
        }
    }
    return true;
}

static void press_paste(struct ph_mutter_keys *k)
{
    if (k->paste == PASTE_KEY) {
        tap(k, KEY_PASTE);
        return;
    }
    send_key(k, KEY_LEFTCTRL, true);
    if (k->paste == PASTE_TERMINAL) {
        send_key(k, KEY_LEFTSHIFT, true);
    }
    tap_symbol(k, XKB_KEY_v);
    if (k->paste == PASTE_TERMINAL) {
        send_key(k, KEY_LEFTSHIFT, false);
    }
    send_key(k, KEY_LEFTCTRL, false);
}

static gboolean on_pasted(gpointer data)
{
    struct ph_mutter_keys *k = data;
    k->busy = 0;
    if (!k->asked && ++k->paste < PASTE_END) {
        press_paste(k);
        k->busy = g_timeout_add(ASKED_MS, on_pasted, k);
        return G_SOURCE_REMOVE;
    }
    if (!k->asked) {
        LOG_DBG("no application took the text");
    }
    g_clear_pointer(&k->pasting, g_bytes_unref);
    ph_mutter_clipboard_give_back(k->clipboard);
    drain(k);
    return G_SOURCE_REMOVE;
}

static void on_asked(void *user)
{
    struct ph_mutter_keys *k = user;
    k->asked = k->paste != PASTE_OFFERED;
    if (k->busy) {
        g_source_remove(k->busy);
        k->busy = g_timeout_add(k->asked ? READ_MS : 1, on_pasted, k);
    }
}

static void type(struct ph_mutter_keys *k, GBytes *bytes)
{
    gsize size = 0;
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data, size);
    if (can_type(k, text)) {
        for (const char *p = text; *p; p = g_utf8_next_char(p)) {
            tap_symbol(k, ph_keymap_symbol(g_utf8_get_char(p)));
        }
        return;
    }
    k->pasting = g_bytes_ref(bytes);
    k->asked = false;
    k->paste = PASTE_OFFERED;
    ph_mutter_clipboard_lend(k->clipboard, bytes, on_asked, k);
    k->busy = g_timeout_add(OFFERED_MS, on_pasted, k);
}

/* --- order --- */

static void drain(struct ph_mutter_keys *k)
{
    while (!k->busy && !g_queue_is_empty(&k->waiting)) {
        struct event *e = g_queue_pop_head(&k->waiting);
        if (!k->session) {
            LOG_DBG("no desktop to type into");
        } else if (e->text) {
            type(k, e->text);
        } else {
            send_key(k, e->code, e->pressed);
        }
        free_event(e);
    }
}

static void add(struct ph_mutter_keys *k, const struct event *e)
{
    if (g_queue_get_length(&k->waiting) >= MAX_WAITING) {
        if (e->text) {
            g_bytes_unref(e->text);
        }
        return;
    }
    g_queue_push_tail(&k->waiting, g_memdup2(e, sizeof(*e)));
    drain(k);
}

void ph_mutter_keys_key(struct ph_mutter_keys *k, uint16_t code, bool pressed)
{
    const struct event e = {NULL, code, pressed};
    add(k, &e);
}

void ph_mutter_keys_text(struct ph_mutter_keys *k, const char *text, size_t len)
{
    if (len > 0) {
        const struct event e = {.text = g_bytes_new(text, len)};
        add(k, &e);
    }
}

/* --- locks --- */

void ph_mutter_keys_locks(struct ph_mutter_keys *k, bool caps, bool num)
{
    if (k->session && k->caps != caps) {
        ph_mutter_keys_key(k, KEY_CAPSLOCK, true);
        ph_mutter_keys_key(k, KEY_CAPSLOCK, false);
    }
    if (k->session && k->num != num) {
        ph_mutter_keys_key(k, KEY_NUMLOCK, true);
        ph_mutter_keys_key(k, KEY_NUMLOCK, false);
    }
    k->caps = caps;
    k->num = num;
}

static void take_locks(struct ph_mutter_keys *k, GVariant *properties)
{
    gboolean on;
    if (g_variant_lookup(properties, "CapsLockState", "b", &on)) {
        k->caps = on;
    }
    if (g_variant_lookup(properties, "NumLockState", "b", &on)) {
        k->num = on;
    }
}

static void on_locks(GDBusConnection *bus, const char *sender, const char *path,
        const char *interface, const char *signal, GVariant *params,
        gpointer data)
{
    if (g_variant_is_of_type(params, G_VARIANT_TYPE("(sa{sv}as)"))) {
        g_autoptr(GVariant) changed = g_variant_get_child_value(params, 1);
        take_locks(data, changed);
    }
}

/* --- life --- */

static gboolean on_awake(gpointer data)
{
    struct ph_mutter_keys *k = data;
    k->busy = 0;
    drain(k);
    return G_SOURCE_REMOVE;
}

static void leave(struct ph_mutter_keys *k)
{
    if (k->busy) {
        g_source_remove(k->busy);
        k->busy = 0;
    }
    if (k->pasting) {
        g_clear_pointer(&k->pasting, g_bytes_unref);
        ph_mutter_clipboard_give_back(k->clipboard);
    }
    g_queue_clear_full(&k->waiting, (GDestroyNotify)free_event);
    if (k->session) {
        g_dbus_connection_signal_unsubscribe(
                ph_mutter_session_bus(k->session), k->locks_signal);
    }
    g_clear_pointer(&k->session, ph_mutter_session_unref);
    k->caps = false;
    k->num = false;
}

void ph_mutter_keys_follow(
        struct ph_mutter_keys *k, struct ph_mutter_session *session)
{
    leave(k);
    if (!session) {
        return;
    }
    k->session = ph_mutter_session_ref(session);
    k->locks_signal = g_dbus_connection_signal_subscribe(
            ph_mutter_session_bus(session), PH_MUTTER_REMOTE,
            "org.freedesktop.DBus.Properties", "PropertiesChanged",
            ph_mutter_session_path(session), PH_MUTTER_REMOTE_SESSION,
            G_DBUS_SIGNAL_FLAGS_NONE, on_locks, k, NULL);
    tap(k, KEY_LEFTSHIFT);
    k->busy = g_timeout_add(WAKING_MS, on_awake, k);
}

struct ph_mutter_keys *ph_mutter_keys_create(
        struct ph_mutter_clipboard *clipboard, const char *layout)
{
    char error[256];
    struct ph_mutter_keys *k = g_new0(struct ph_mutter_keys, 1);
    k->clipboard = clipboard;
    g_queue_init(&k->waiting);
    k->keymap = ph_keymap_create(layout, error, sizeof(error));
    if (!k->keymap) {
        LOG_WARN("%s; text is pasted", error);
    }
    return k;
}

void ph_mutter_keys_destroy(struct ph_mutter_keys *k)
{
    leave(k);
    ph_keymap_destroy(k->keymap);
    g_free(k);
}
