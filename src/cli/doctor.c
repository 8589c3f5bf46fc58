/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `porthole doctor`: what is here, what is missing, what installs it. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "common/macros.h"
#include "common/opt.h"
#include "common/program.h"

struct need {
    const char *program;
    const char *package; /* NULL: of this project */
    const char *what_for;
    bool required;
};

static const struct need needs[] = {
        {"porthole-hostd", NULL, "encodes", true},
        {"porthole-deskd", NULL, "serves the desktop", true},
        {"sway", "sway", "the desktop of porthole run", true},
        {"foot", "foot", "the terminal of porthole run", true},
        {"fc-match", "fontconfig", "finds fonts", false},
        {"xdg-open", "xdg-utils", "porthole run --open", false},
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
    char path[PATH_MAX];
    bool found = need->package
            ? ph_program_in_path(need->program, path, sizeof(path))
            : ph_program_find(need->program, path, sizeof(path));
    const char *state = found ? "ok" : need->required ? "MISSING" : "missing";
    printf("%-8s %-16s %s\n", state, need->program,
            found ? path : need->what_for);
    return found;
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
