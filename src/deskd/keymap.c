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

static bool write_text(struct ph_keymap *k)
{
    AUTOFREE char *text =
            xkb_keymap_get_as_string(k->keymap, XKB_KEYMAP_FORMAT_TEXT_V1);
    if (!text) {
        errno = ENOMEM;
        return false;
    }
    k->size = (uint32_t)strlen(text) + 1;
    k->fd = memfd_create("porthole-keymap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (k->fd < 0) {
        return false;
    }
    for (size_t done = 0; done < k->size;) {
        ssize_t n = write(k->fd, text + done, k->size - done);
        if (n < 0) {
            return false;
        }
        done += (size_t)n;
    }
    return fcntl(k->fd, F_ADD_SEALS,
                   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) ==
            0;
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
    if (!k->state || !write_text(k)) {
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
