/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `porthole doctor`: what is here, what is missing, what installs it. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "common/macros.h"
#include "common/opt.h"
#include "common/program.h"
#ifdef PH_HAVE_RUN
#include "cli/child.h"
#endif

struct need {
    const char *what; /* a program, or the path of a file */
    const char *package; /* on Debian; NULL: of this project */
    const char *what_for;
    bool required;
};

static const struct need needs[] = {
        {"porthole-hostd", NULL, "encodes", true},
#ifdef PH_HAVE_RUN
        {"porthole-deskd", NULL, "serves the desktop", true},
        {"sway", "sway", "the desktop of porthole run", true},
        {"foot", "foot", "the terminal of porthole run", true},
        {"/usr/share/X11/xkb/rules/evdev", "xkb-data", "keyboards", true},
        {"/usr/share/fonts/truetype/dejavu", "fonts-dejavu-core",
                "a font, where there is no other", false},
        {"gnome-shell", "gnome-shell", "porthole run --desktop gnome", false},
        {"mutter", "mutter", "porthole run --desktop mutter", false},
        {"dbus-daemon", "dbus", "the session bus of these", false},
        {"pipewire", "pipewire", "the pictures of these", false},
        {"wireplumber", "wireplumber", "likewise", false},
        {"Xvfb", "xvfb", "porthole run --desktop xvfb", false},
        {"xterm", "xterm", "the terminal of that", false},
        {"xdg-open", "xdg-utils", "porthole run --open", false},
#endif
        {"ffprobe", "ffmpeg", "looks into files of stream --output", false},
};

static const struct ph_opt_usage usage = {
        .name = "porthole doctor",
        .operands = "",
        .summary = "Says what is installed here and what is missing, with the "
                   "command that mends it.",
};

static bool look(const struct need *need)
{
    char path[PATH_MAX] = "";
    bool found = need->what[0] == '/' ? access(need->what, R_OK) == 0
            : need->package ? ph_program_in_path(need->what, path, sizeof(path))
                            : ph_program_find(need->what, path, sizeof(path));
    const char *state = found ? "ok" : need->required ? "MISSING" : "missing";
    const char *detail = found && path[0] ? path : need->what_for;
    printf("%-8s %-32s %s\n", state, need->what, detail);
    return found;
}

/* sway does not run as root: whether there is a way out. */
static bool look_at_user(void)
{
#ifdef PH_HAVE_RUN
    const char *how = ph_child_unroot_way();
    printf("%-8s %-32s %s\n", how ? "ok" : "MISSING", "a user for sway",
            how ? how
                : "root may not become another user here: start porthole "
                  "as a normal user");
    return how != NULL;
#else
    return true;
#endif
}

int ph_doctor_main(int argc, char **argv)
{
    char none;
    int operands;
    int code = ph_opt_main(&usage, argc, argv, &none, &operands);
    if (code >= 0) {
        return code;
    }
    bool missing[PH_LEN(needs)];
    bool mend = false;
    bool whole = true;
    for (size_t i = 0; i < PH_LEN(needs); i++) {
        missing[i] = !look(&needs[i]);
        mend = mend || (missing[i] && needs[i].package);
        whole = whole && !(missing[i] && needs[i].required);
    }
    whole = look_at_user() && whole;
    if (mend) {
        printf("\nTo install what is missing:\n  apt-get install");
        for (size_t i = 0; i < PH_LEN(needs); i++) {
            if (missing[i] && needs[i].package) {
                printf(" %s", needs[i].package);
            }
        }
        printf("\n");
    }
    return whole ? 0 : 1;
}
