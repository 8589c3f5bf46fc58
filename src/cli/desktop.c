/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/desktop.h"

#include <stdio.h>
#include <string.h>

#include "common/macros.h"

static const struct ph_desktop_kind *const kinds[] = {
        &ph_desktop_sway,
#ifdef PH_HAVE_X11
        &ph_desktop_xvfb,
#endif
};

const char *const ph_desktop_leaks[] = {
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "WAYLAND_SOCKET",
        "SWAYSOCK",
        "I3SOCK",
        "DBUS_SESSION_BUS_ADDRESS",
        "XAUTHORITY",
        "XDG_SESSION_ID",
        "XDG_SEAT",
        "XDG_VTNR",
        "DESKTOP_STARTUP_ID",
        "XDG_ACTIVATION_TOKEN",
        NULL,
};

const struct ph_desktop_kind *ph_desktop_find(const char *name)
{
    for (size_t i = 0; i < PH_LEN(kinds); i++) {
        if (!strcmp(kinds[i]->name, name)) {
            return kinds[i];
        }
    }
    return NULL;
}

void ph_desktop_names(char *out, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < PH_LEN(kinds) && (size_t)used < size; i++) {
        used += snprintf(out + used, size - (size_t)used, "%s%s", i ? ", " : "",
                kinds[i]->name);
    }
}
