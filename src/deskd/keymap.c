/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/keymap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xkbcommon/xkbcommon.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#define LOG_MODULE "keymap"
#include "common/log.h"

/* XKB numbers keys as X does: evdev + 8. */
#define XKB_OFFSET 8

struct ph_keymap {
    struct xkb_context *context;
    struct xkb_keymap *keymap;
    struct xkb_state *state;
    int fd;
    uint32_t size;
};

/* Appends len bytes of text and a comma, when it is not the first. */
static bool append(char *list, bool first, const char *text, size_t len)
{
    size_t used = strlen(list);
    int n = snprintf(list + used, PH_KEYMAP_MAX_NAME - used, "%s%.*s",
            first ? "" : ",", (int)len, text);
    return n >= 0 && (size_t)n < PH_KEYMAP_MAX_NAME - used;
}

bool ph_keymap_split(const char *layout, char *layouts, char *variants)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    layouts[0] = '\0';
    variants[0] = '\0';
    for (bool first = true;; first = false) {
        size_t len = strspn(layout, name);
        size_t variant_len = 0;
        const char *variant = "";
        if (len == 0 || !append(layouts, first, layout, len)) {
            return false;
        }
        layout += len;
        if (*layout == '(') {
            variant = layout + 1;
            variant_len = strspn(variant, name);
            if (variant_len == 0 || variant[variant_len] != ')') {
                return false;
            }
            layout = variant + variant_len + 1;
        }
        if (!append(variants, first, variant, variant_len)) {
            return false;
        }
        if (*layout == '\0') {
            return true;
        }
        if (*layout++ != ',') {
            return false;
        }
    }
}

/* libxkbcommon's own complaints: for us they are detail. */
static void log_xkb(struct xkb_context *context, enum xkb_log_level level,
        const char *fmt, va_list args) PH_PRINTF(3, 0);
static void log_xkb(struct xkb_context *context, enum xkb_log_level level,
        const char *fmt, va_list args)
{
    char text[256];
    int n = vsnprintf(text, sizeof(text), fmt, args);
    size_t len = n < 0 ? 0 : strcspn(text, "\n");
    LOG_DBG("libxkbcommon: %.*s", (int)len, text);
}

/* -1 with errno. */
static int seal_text(const char *text, uint32_t *size)
{
    AUTOCLOSE int fd =
            memfd_create("porthole-keymap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    *size = (uint32_t)strlen(text) + 1;
    for (size_t done = 0; fd >= 0 && done < *size;) {
        ssize_t n = write(fd, text + done, *size - done);
        if (n < 0) {
            return -1;
        }
        done += (size_t)n;
    }
    if (fd < 0 ||
            fcntl(fd, F_ADD_SEALS,
                    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) <
                    0) {
        return -1;
    }
    return ph_steal_fd(&fd);
}

static int write_keymap(struct xkb_keymap *keymap, uint32_t *size)
{
    AUTOFREE char *text =
            xkb_keymap_get_as_string(keymap, XKB_KEYMAP_FORMAT_TEXT_V1);
    if (!text) {
        errno = ENOMEM;
        return -1;
    }
    return seal_text(text, size);
}

struct ph_keymap *ph_keymap_create(const char *layout, char *error, size_t size)
{
    char layouts[PH_KEYMAP_MAX_NAME];
    char variants[PH_KEYMAP_MAX_NAME];
    struct ph_keymap *k = ph_xcalloc(1, sizeof(*k));
    k->fd = -1;
    layout = layout ? layout : "us";
    struct xkb_rule_names names = {
            .rules = "evdev",
            .model = "pc105",
            .layout = layouts,
            .variant = variants,
    };
    if (!ph_keymap_split(layout, layouts, variants)) {
        snprintf(error, size,
                "keyboard layout %s is not of the form us, us(intl) or us,de",
                layout);
        goto fail;
    }
    k->context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    if (k->context) {
        xkb_context_set_log_fn(k->context, log_xkb);
        k->keymap = xkb_keymap_new_from_names(
                k->context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
    }
    if (!k->keymap) {
        snprintf(error, size,
                "no keyboard layout %s; is it spelt as XKB does, and is "
                "xkb-data installed?",
                layout);
        goto fail;
    }
    k->state = xkb_state_new(k->keymap);
    k->fd = write_keymap(k->keymap, &k->size);
    if (!k->state || k->fd < 0) {
        snprintf(error, size, "cannot make a keymap: %s", strerror(errno));
        goto fail;
    }
    return k;
fail:
    ph_keymap_destroy(k);
    return NULL;
}

void ph_keymap_destroy(struct ph_keymap *k)
{
    if (k) {
        ph_close(&k->fd);
        xkb_state_unref(k->state);
        xkb_keymap_unref(k->keymap);
        xkb_context_unref(k->context);
        free(k);
    }
}

int ph_keymap_fd(const struct ph_keymap *k, uint32_t *size)
{
    *size = k->size;
    return k->fd;
}

bool ph_keymap_update(struct ph_keymap *k, uint16_t code, bool pressed)
{
    return xkb_state_update_key(k->state, code + XKB_OFFSET,
                   pressed ? XKB_KEY_DOWN : XKB_KEY_UP) != 0;
}

void ph_keymap_get_modifiers(
        const struct ph_keymap *k, struct ph_keymap_modifiers *out)
{
    struct xkb_state *s = k->state;
    out->depressed = xkb_state_serialize_mods(s, XKB_STATE_MODS_DEPRESSED);
    out->latched = xkb_state_serialize_mods(s, XKB_STATE_MODS_LATCHED);
    out->locked = xkb_state_serialize_mods(s, XKB_STATE_MODS_LOCKED);
    out->group = xkb_state_serialize_layout(s, XKB_STATE_LAYOUT_EFFECTIVE);
}

static xkb_mod_mask_t modifier(const struct ph_keymap *k, const char *name)
{
    xkb_mod_index_t index = xkb_keymap_mod_get_index(k->keymap, name);
    return index == XKB_MOD_INVALID ? 0 : 1U << index;
}

bool ph_keymap_lock(struct ph_keymap *k, bool caps, bool num)
{
    struct xkb_state *s = k->state;
    xkb_mod_mask_t caps_mask = modifier(k, XKB_MOD_NAME_CAPS);
    xkb_mod_mask_t num_mask = modifier(k, XKB_MOD_NAME_NUM);
    xkb_mod_mask_t locked = xkb_state_serialize_mods(s, XKB_STATE_MODS_LOCKED);
    locked &= ~(caps_mask | num_mask);
    locked |= (caps ? caps_mask : 0) | (num ? num_mask : 0);
    return xkb_state_update_mask(s,
                   xkb_state_serialize_mods(s, XKB_STATE_MODS_DEPRESSED),
                   xkb_state_serialize_mods(s, XKB_STATE_MODS_LATCHED), locked,
                   xkb_state_serialize_layout(s, XKB_STATE_LAYOUT_DEPRESSED),
                   xkb_state_serialize_layout(s, XKB_STATE_LAYOUT_LATCHED),
                   xkb_state_serialize_layout(s, XKB_STATE_LAYOUT_LOCKED)) != 0;
}

uint32_t ph_keymap_symbol(uint32_t character)
{
    switch (character) {
    case '\n':
        return XKB_KEY_Return;
    case '\t':
        return XKB_KEY_Tab;
    default:
        return xkb_utf32_to_keysym(character);
    }
}

int ph_keymap_of_characters(const struct ph_keymap *k,
        const uint32_t *characters, size_t count, uint32_t *size)
{
    char text[PH_KEYMAP_CHARACTERS * 96 + 512];
    FILE *out = fmemopen(text, sizeof(text), "w");
    if (!out) {
        LOG_ERRNO("make a keymap");
        return -1;
    }
    fprintf(out, "xkb_keymap { xkb_keycodes { minimum = 8; maximum = 255; ");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "<C%zu> = %zu; ", i,
                PH_KEYMAP_FIRST_CODE + XKB_OFFSET + i);
    }
    fprintf(out,
            "}; xkb_types { include \"complete\" }; "
            "xkb_compatibility { include \"complete\" }; xkb_symbols { ");
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "key <C%zu> { [ 0x%x ] }; ", i,
                ph_keymap_symbol(characters[i]));
    }
    fprintf(out, "}; };");
    bool whole = fclose(out) == 0;
    struct xkb_keymap *keymap = xkb_keymap_new_from_string(k->context, text,
            XKB_KEYMAP_FORMAT_TEXT_V1, XKB_KEYMAP_COMPILE_NO_FLAGS);
    int fd = whole && keymap ? write_keymap(keymap, size) : -1;
    xkb_keymap_unref(keymap);
    if (fd < 0) {
        LOG_ERR("cannot make a keymap of %zu characters", count);
    }
    return fd;
}

struct search {
    xkb_keysym_t symbol;
    bool found;
};

static void look_at_key(
        struct xkb_keymap *keymap, xkb_keycode_t key, void *data)
{
    enum {
        LEVELS = 3, /* none, Shift, AltGr */
    };
    struct search *search = data;
    xkb_level_index_t levels = xkb_keymap_num_levels_for_key(keymap, key, 0);
    for (xkb_level_index_t i = 0; i < levels && i < LEVELS; i++) {
        const xkb_keysym_t *symbols;
        int count =
                xkb_keymap_key_get_syms_by_level(keymap, key, 0, i, &symbols);
        search->found =
                search->found || (count == 1 && symbols[0] == search->symbol);
    }
}

bool ph_keymap_types(const struct ph_keymap *keymap, uint32_t symbol)
{
    struct search search = {symbol, false};
    xkb_keymap_key_for_each(keymap->keymap, look_at_key, &search);
    return search.found;
}
