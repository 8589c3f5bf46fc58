/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * XKB compiles layouts in the server (by xkbcomp, which it cannot start
 * without): we only name the components, as the rules "evdev" do for pc105.
 */
#include "deskd/x11_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <xcb/xcbext.h>
#include <xcb/xkb.h>

#include "common/cleanup.h"
#include "common/macros.h"
#define LOG_MODULE "input"
#include "common/log.h"
#include "deskd/keymap.h"

#define RULES_NAME "_XKB_RULES_NAMES"
#define RULES_MAX 512
#define NAME_MAX_LEN 255 /* one byte counts it */
#define KEYSYM_NUM_LOCK 0xFF7F

/* What the request has before the names: as XKB's protocol says; XCB knows
 * the request without them only. */
struct request_head {
    uint8_t major;
    uint8_t minor;
    uint16_t length;
    uint16_t device;
    uint16_t need;
    uint16_t want;
    uint8_t load;
    uint8_t pad;
};

struct request {
    struct request_head head;
    uint8_t names[6 * (1 + NAME_MAX_LEN) + 3];
    size_t used;
};

/* The next name of a list with commas; false: there is none. */
static bool next_name(const char **list, char *out, size_t size)
{
    if (!*list) {
        return false;
    }
    size_t len = strcspn(*list, ",");
    snprintf(out, size, "%.*s", (int)len, *list);
    *list = (*list)[len] ? *list + len + 1 : NULL;
    return true;
}

/* "pc+us(intl)+de:2+inet(evdev)". */
static bool symbols_of(
        const char *layouts, const char *variants, char *out, size_t size)
{
    char layout[PH_KEYMAP_MAX_NAME];
    char variant[PH_KEYMAP_MAX_NAME];
    int used = snprintf(out, size, "pc");
    for (int group = 1; next_name(&layouts, layout, sizeof(layout)); group++) {
        if (!next_name(&variants, variant, sizeof(variant))) {
            variant[0] = '\0';
        }
        int n = snprintf(out + used, size - (size_t)used, "+%s%s%s%s", layout,
                variant[0] ? "(" : "", variant, variant[0] ? ")" : "");
        used += n;
        if ((size_t)used >= size) {
            return false;
        }
        if (group > 1) {
            used += snprintf(out + used, size - (size_t)used, ":%d", group);
        }
        if ((size_t)used >= size) {
            return false;
        }
    }
    used += snprintf(out + used, size - (size_t)used, "+inet(evdev)");
    return (size_t)used < size && used <= NAME_MAX_LEN;
}

static void add_name(struct request *r, const char *name)
{
    size_t len = strlen(name);
    r->names[r->used++] = (uint8_t)len;
    memcpy(r->names + r->used, name, len);
    r->used += len;
}

static bool load(struct ph_x11 *x, const char *symbols)
{
    enum {
        PARTS = XCB_XKB_GBN_DETAIL_TYPES | XCB_XKB_GBN_DETAIL_COMPAT_MAP |
                XCB_XKB_GBN_DETAIL_CLIENT_SYMBOLS |
                XCB_XKB_GBN_DETAIL_SERVER_SYMBOLS |
                XCB_XKB_GBN_DETAIL_INDICATOR_MAPS |
                XCB_XKB_GBN_DETAIL_KEY_NAMES | XCB_XKB_GBN_DETAIL_OTHER_NAMES,
    };
    struct request r = {.head = {.device = XCB_XKB_ID_USE_CORE_KBD,
                                .need = PARTS,
                                .want = PARTS,
                                .load = true}};
    add_name(&r, ""); /* no keymap as a whole */
    add_name(&r, "evdev+aliases(qwerty)");
    add_name(&r, "complete");
    add_name(&r, "complete");
    add_name(&r, symbols);
    add_name(&r, ""); /* geometry */
    r.used = (r.used + 3) & ~(size_t)3;
    const xcb_protocol_request_t kind = {
            .count = 2,
            .ext = &xcb_xkb_id,
            .opcode = XCB_XKB_GET_KBD_BY_NAME,
            .isvoid = 0,
    };
    struct iovec parts[4] = {{0}}; /* XCB wants two before */
    parts[2].iov_base = &r.head;
    parts[2].iov_len = sizeof(r.head);
    parts[3].iov_base = r.names;
    parts[3].iov_len = r.used;
    unsigned sequence =
            xcb_send_request(x->conn, XCB_REQUEST_CHECKED, parts + 2, &kind);
    xcb_generic_error_t *failure = NULL;
    AUTOFREE xcb_xkb_get_kbd_by_name_reply_t *reply =
            xcb_wait_for_reply(x->conn, sequence, &failure);
    free(failure);
    return reply && reply->loaded;
}

static xcb_atom_t rules_atom(struct ph_x11 *x)
{
    AUTOFREE xcb_intern_atom_reply_t *reply = xcb_intern_atom_reply(x->conn,
            xcb_intern_atom(x->conn, false, strlen(RULES_NAME), RULES_NAME),
            NULL);
    return reply ? reply->atom : XCB_NONE;
}

/* Where toolkits look which layout it is: five strings. */
static size_t rules_text(
        const char *layouts, const char *variants, char *out, size_t size)
{
    const char *const parts[] = {"evdev", "pc105", layouts, variants, ""};
    size_t used = 0;
    for (size_t i = 0; i < PH_LEN(parts); i++) {
        size_t len = strlen(parts[i]) + 1;
        if (len > size - used) {
            return 0;
        }
        memcpy(out + used, parts[i], len);
        used += len;
    }
    return used;
}

static bool is_loaded(
        struct ph_x11 *x, xcb_atom_t atom, const char *rules, size_t len)
{
    AUTOFREE xcb_get_property_reply_t *p = xcb_get_property_reply(x->conn,
            xcb_get_property(x->conn, false, x->root, atom, XCB_ATOM_STRING, 0,
                    RULES_MAX / 4),
            NULL);
    return p && (size_t)xcb_get_property_value_length(p) == len &&
            memcmp(xcb_get_property_value(p), rules, len) == 0;
}

bool ph_x11_layout_load(
        struct ph_x11 *x, const char *layout, char *error, size_t size)
{
    char layouts[PH_KEYMAP_MAX_NAME];
    char variants[PH_KEYMAP_MAX_NAME];
    char symbols[NAME_MAX_LEN + 1];
    char rules[RULES_MAX];
    if (!ph_keymap_split(layout, layouts, variants) ||
            !symbols_of(layouts, variants, symbols, sizeof(symbols))) {
        snprintf(error, size,
                "keyboard layout %s is not of the form us, us(intl) or us,de",
                layout);
        return false;
    }
    size_t len = rules_text(layouts, variants, rules, sizeof(rules));
    xcb_atom_t atom = rules_atom(x);
    if (is_loaded(x, atom, rules, len)) {
        return true;
    }
    if (!load(x, symbols)) {
        snprintf(error, size,
                "the X server does not load the keyboard layout %s; is it "
                "spelt as XKB does, and is xkb-data installed?",
                layout);
        return false;
    }
    xcb_change_property(x->conn, XCB_PROP_MODE_REPLACE, x->root, atom,
            XCB_ATOM_STRING, 8, (uint32_t)len, rules);
    LOG_DBG("keyboard layout %s", symbols);
    return true;
}

/* The keycode that has the key symbol; 0: none. */
static xcb_keycode_t find_key(struct ph_x11 *x, xcb_keysym_t keysym)
{
    const xcb_setup_t *setup = xcb_get_setup(x->conn);
    xcb_keycode_t first = setup->min_keycode;
    AUTOFREE xcb_get_keyboard_mapping_reply_t *map =
            xcb_get_keyboard_mapping_reply(x->conn,
                    xcb_get_keyboard_mapping(x->conn, first,
                            (uint8_t)(setup->max_keycode - first + 1)),
                    NULL);
    int count = map ? xcb_get_keyboard_mapping_keysyms_length(map) : 0;
    const xcb_keysym_t *syms = map ? xcb_get_keyboard_mapping_keysyms(map) : 0;
    for (int i = 0; i < count; i++) {
        if (syms[i] == keysym) {
            return (xcb_keycode_t)(first + i / map->keysyms_per_keycode);
        }
    }
    return 0;
}

uint8_t ph_x11_layout_num_mod(struct ph_x11 *x)
{
    xcb_keycode_t key = find_key(x, KEYSYM_NUM_LOCK);
    AUTOFREE xcb_get_modifier_mapping_reply_t *map =
            xcb_get_modifier_mapping_reply(
                    x->conn, xcb_get_modifier_mapping(x->conn), NULL);
    if (!map || key == 0) {
        return 0;
    }
    const xcb_keycode_t *keys = xcb_get_modifier_mapping_keycodes(map);
    for (int i = 0; i < 8 * map->keycodes_per_modifier; i++) {
        if (keys[i] == key) {
            return (uint8_t)(1u << (i / map->keycodes_per_modifier));
        }
    }
    return 0;
}

void ph_x11_layout_lock(struct ph_x11 *x, bool caps, bool num, uint8_t num_mod)
{
    xcb_xkb_latch_lock_state(x->conn, XCB_XKB_ID_USE_CORE_KBD,
            PH_X11_MOD_LOCK | num_mod,
            (uint8_t)((caps ? PH_X11_MOD_LOCK : 0) | (num ? num_mod : 0)),
            false, 0, 0, 0, 0);
}
