/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/desktop.h"

#include <stdio.h>
#include <string.h>

#include "common/macros.h"

static const struct ph_desktop_kind *const kinds[] = {
        &ph_desktop_sway,
        &ph_desktop_gnome,
        &ph_desktop_mutter,
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

size_t ph_desktop_wayland_env(const char **env)
{
    static const char *const toolkits[] = {
            "XDG_SESSION_TYPE=wayland",
            "MOZ_ENABLE_WAYLAND=1",
            "QT_QPA_PLATFORM=wayland",
            "GDK_BACKEND=wayland",
            "SDL_VIDEODRIVER=wayland",
            "ELECTRON_OZONE_PLATFORM_HINT=wayland",
    };
    memcpy(env, toolkits, sizeof(toolkits));
    return PH_LEN(toolkits);
}

const struct ph_desktop_kind *ph_desktop_find(const char *name)
{
    for (size_t i = 0; i < PH_LEN(kinds); i++) {
        if (!strcmp(kinds[i]->name, name)) {
            return kinds[i];
        }
    }
    return NULL;
}

bool ph_desktop_has_outputs(const struct ph_desktop_kind *kind,
        const struct ph_desktop_wish *wish, char *error, size_t size)
{
    uint32_t most = PH_MAX(kind->max_outputs, 1U);
    if (wish->outputs > most) {
        snprintf(error, size, "--outputs: %s can have %u here", kind->name,
                most);
        return false;
    }
    return true;
}

void ph_desktop_names(char *out, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < PH_LEN(kinds) && (size_t)used < size; i++) {
        used += snprintf(out + used, size - (size_t)used, "%s%s", i ? ", " : "",
                kinds[i]->name);
    }
}
