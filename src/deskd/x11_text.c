/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_text.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xkb.h>
#include <xcb/xtest.h>
#include <xkbcommon/xkbcommon.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "input"
#include "common/log.h"

/* Before a free key may mean something else: programs have looked by then. */
#define SETTLE_NS (250 * PH_NS_PER_MS)
#define SETTLE_TICK_MS 20
#define RESTORE_MS 3000

enum {
    MAX_SPARE = 64,
    MAX_QUEUE = 1 << 16, /* characters that wait; more is not typed */
    KEY_TAB = 15 + PH_X11_KEYCODE_OFFSET,
    KEY_RETURN = 28 + PH_X11_KEYCODE_OFFSET,
    KEY_SHIFT = 42 + PH_X11_KEYCODE_OFFSET,
    LAST_TYPING_KEY = 57 + PH_X11_KEYCODE_OFFSET, /* before the keypad */
    KEY_102ND = 86 + PH_X11_KEYCODE_OFFSET,
};

struct spare {
    xcb_keycode_t key;
    xcb_keysym_t keysym; /* 0: free */
    int64_t used_ns;
};

struct ph_x11_text {
    struct ph_x11 *x;
    struct spare spares[MAX_SPARE];
    size_t spare_count;
    xcb_keysym_t plain[256]; /* what a key types alone, by keycode */
    xcb_keysym_t shifted[256];
    GArray *queue; /* of uint32_t: characters */
    guint at; /* the first that waits */
    guint timer; /* to go on, or to restore */
};

static bool is_typing_key(unsigned key)
{
    return key <= LAST_TYPING_KEY || key == KEY_102ND;
}

/* What the layout types, and which keys it leaves free. */
static void look(struct ph_x11_text *t)
{
    const xcb_setup_t *setup = xcb_get_setup(t->x->conn);
    unsigned first = setup->min_keycode;
    unsigned count = setup->max_keycode - first + 1u;
    AUTOFREE xcb_get_keyboard_mapping_reply_t *map =
            xcb_get_keyboard_mapping_reply(t->x->conn,
                    xcb_get_keyboard_mapping(
                            t->x->conn, setup->min_keycode, (uint8_t)count),
                    NULL);
    if (!map) {
        return;
    }
    const xcb_keysym_t *syms = xcb_get_keyboard_mapping_keysyms(map);
    unsigned per_key = map->keysyms_per_keycode;
    for (unsigned i = 0; i < count; i++) {
        const xcb_keysym_t *row = syms + (size_t)i * per_key;
        bool used = false;
        for (unsigned k = 0; k < per_key; k++) {
            used = used || row[k];
        }
        if (!used && t->spare_count < MAX_SPARE) {
            t->spares[t->spare_count++].key = (xcb_keycode_t)(first + i);
        } else if (is_typing_key(first + i) && per_key >= 2) {
            t->plain[first + i] = row[0];
            t->shifted[first + i] = row[1];
        }
    }
    LOG_DBG("%zu keys are free for text", t->spare_count);
}

static void map_key(struct ph_x11_text *t, struct spare *s, xcb_keysym_t keysym)
{
    /* The same with Shift: else the server would make up a capital. */
    const xcb_keysym_t both[] = {keysym, keysym};
    s->keysym = keysym;
    xcb_change_keyboard_mapping(t->x->conn, 1, s->key, 2, both);
}

/* A free key for it; NULL: not yet. */
static struct spare *find_spare(
        struct ph_x11_text *t, xcb_keysym_t keysym, int64_t now)
{
    struct spare *oldest = NULL;
    for (size_t i = 0; i < t->spare_count; i++) {
        struct spare *s = &t->spares[i];
        if (s->keysym == keysym) {
            return s;
        }
        bool may = s->keysym == 0 || now - s->used_ns > SETTLE_NS;
        if (may && (!oldest || s->used_ns < oldest->used_ns)) {
            oldest = s;
        }
    }
    return oldest;
}

static void tap(struct ph_x11_text *t, xcb_keycode_t key, bool shift)
{
    xcb_connection_t *c = t->x->conn;
    if (shift) {
        xcb_test_fake_input(c, XCB_KEY_PRESS, KEY_SHIFT, 0, 0, 0, 0, 0);
    }
    xcb_test_fake_input(c, XCB_KEY_PRESS, key, 0, 0, 0, 0, 0);
    xcb_test_fake_input(c, XCB_KEY_RELEASE, key, 0, 0, 0, 0, 0);
    if (shift) {
        xcb_test_fake_input(c, XCB_KEY_RELEASE, KEY_SHIFT, 0, 0, 0, 0, 0);
    }
}

/* Types it by the layout's own keys. False: it has none for it. */
static bool type_by_layout(struct ph_x11_text *t, xcb_keysym_t keysym)
{
    for (unsigned key = 0; key < G_N_ELEMENTS(t->plain); key++) {
        if (t->plain[key] == keysym || t->shifted[key] == keysym) {
            tap(t, (xcb_keycode_t)key, t->plain[key] != keysym);
            return true;
        }
    }
    return false;
}

static xcb_keysym_t keysym_of(uint32_t character)
{
    xkb_keysym_t keysym = xkb_utf32_to_keysym(character);
    return keysym != XKB_KEY_NoSymbol ? keysym : 0x01000000u | character;
}

/* What is in effect while text is typed. */
struct state {
    /* A modifier is held or another group locked: then the keys of the layout
     * mean something else. */
    bool modified;
    bool caps; /* makes capitals of all letters, also of free keys */
};

static struct state get_state(struct ph_x11_text *t)
{
    enum {
        HARMFUL = XCB_MOD_MASK_SHIFT | XCB_MOD_MASK_CONTROL | XCB_MOD_MASK_1 |
                XCB_MOD_MASK_4 | XCB_MOD_MASK_5, /* not NumLock */
    };
    AUTOFREE xcb_xkb_get_state_reply_t *state = xcb_xkb_get_state_reply(
            t->x->conn, xcb_xkb_get_state(t->x->conn, XCB_XKB_ID_USE_CORE_KBD),
            NULL);
    return (struct state){
            .modified = !state || state->group != 0 || state->mods & HARMFUL,
            .caps = state && state->lockedMods & XCB_MOD_MASK_LOCK,
    };
}

static void lock_caps(struct ph_x11_text *t, bool locked)
{
    xcb_xkb_latch_lock_state(t->x->conn, XCB_XKB_ID_USE_CORE_KBD,
            XCB_MOD_MASK_LOCK, locked ? XCB_MOD_MASK_LOCK : 0, false, 0, 0, 0,
            0);
}

/* Types one character. False: it has to wait. */
static bool type_one(
        struct ph_x11_text *t, uint32_t character, bool modified, int64_t now)
{
    if (character == '\n' || character == '\t') {
        tap(t, character == '\n' ? KEY_RETURN : KEY_TAB, false);
        return true;
    }
    xcb_keysym_t keysym = keysym_of(character);
    if (!modified && type_by_layout(t, keysym)) {
        return true;
    }
    struct spare *s = find_spare(t, keysym, now);
    if (!s) {
        return t->spare_count == 0; /* there will never be one */
    }
    if (s->keysym != keysym) {
        map_key(t, s, keysym);
    }
    s->used_ns = now;
    tap(t, s->key, false);
    return true;
}

static void restore(struct ph_x11_text *t)
{
    for (size_t i = 0; i < t->spare_count; i++) {
        if (t->spares[i].keysym) {
            map_key(t, &t->spares[i], 0);
        }
    }
    xcb_flush(t->x->conn);
}

static gboolean on_timer(gpointer data);

static void go_on(struct ph_x11_text *t)
{
    int64_t now = ph_clock_ns();
    struct state state = get_state(t);
    if (state.caps) {
        lock_caps(t, false);
    }
    while (t->at < t->queue->len &&
            type_one(t, g_array_index(t->queue, uint32_t, t->at),
                    state.modified, now)) {
        t->at++;
    }
    if (state.caps) {
        lock_caps(t, true);
    }
    xcb_flush(t->x->conn);
    if (t->timer) {
        g_source_remove(t->timer);
    }
    bool waits = t->at < t->queue->len;
    if (!waits) {
        g_array_set_size(t->queue, 0);
        t->at = 0;
    }
    t->timer = g_timeout_add(waits ? SETTLE_TICK_MS : RESTORE_MS, on_timer, t);
}

static gboolean on_timer(gpointer data)
{
    struct ph_x11_text *t = data;
    t->timer = 0;
    if (t->queue->len > 0) {
        go_on(t);
    } else {
        restore(t);
    }
    return G_SOURCE_REMOVE;
}

void ph_x11_text_type(struct ph_x11_text *t, const char *utf8, size_t len)
{
    const char *end = utf8 + len;
    for (; utf8 < end; utf8 = g_utf8_next_char(utf8)) {
        uint32_t character = g_utf8_get_char(utf8);
        if (t->queue->len - t->at >= MAX_QUEUE) {
            LOG_WARN("more text than can be typed: the rest is left out");
            break;
        }
        g_array_append_val(t->queue, character);
    }
    if (t->at == 0 || !t->timer) {
        go_on(t);
    }
}

struct ph_x11_text *ph_x11_text_create(struct ph_x11 *x)
{
    struct ph_x11_text *t = ph_xcalloc(1, sizeof(*t));
    t->x = x;
    t->queue = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    look(t);
    return t;
}

void ph_x11_text_destroy(struct ph_x11_text *t)
{
    if (!t) {
        return;
    }
    if (t->timer) {
        g_source_remove(t->timer);
    }
    if (!xcb_connection_has_error(t->x->conn)) {
        restore(t);
    }
    g_array_unref(t->queue);
    free(t);
}
