/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kinds of desktop that `porthole run` can start: one row each. A desktop
 * writes its configuration and says which process to keep running; the
 * supervisor does the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/supervisor.h"
#include "common/opt.h"

struct ph_desktop_wish {
    struct ph_size size;
    uint32_t outputs; /* of that size, side by side; at least 1 */
    const char *layout; /* XKB, "us" or "de(nodeadkeys)" */
    const char *dir; /* an empty folder of its own: its XDG_RUNTIME_DIR */
};

/* What our scripts say when they are ready. */
#define PH_DESKTOP_READY "porthole: ready"

#define PH_DESKTOP_TEXT 192
#define PH_DESKTOP_ENV 16
#define PH_DESKTOP_ARGS 16
#define PH_DESKTOP_HELPERS 3

struct ph_desktop {
    const struct ph_desktop_kind *kind;
    /* Started before the compositor, in this order, as far as named. */
    struct ph_service helpers[PH_DESKTOP_HELPERS];
    struct ph_service compositor;
    struct ph_service manager; /* of windows; without a name: there is none */
    /* How clients come to it: for the program shown, and for deskd. */
    const char *env[PH_DESKTOP_ENV]; /* "NAME=VALUE", NULL at the end */
    const char *deskd_env[4]; /* more for deskd alone, likewise */
    const char *helper_env[4];
    char display[PH_DESKTOP_TEXT]; /* deskd's --display, once it is ready */
    /* "", or a file that is there once programs may start: where it is deskd
     * that makes the monitor, some end without one. */
    char begun[PH_DESKTOP_TEXT];

    /* What the strings above point into. */
    char runtime_env[PH_DESKTOP_TEXT];
    char display_env[PH_DESKTOP_TEXT];
    char config[PH_DESKTOP_TEXT];
    char socket[PH_DESKTOP_TEXT];
    char socket_env[PH_DESKTOP_TEXT];
    char bus_argument[PH_DESKTOP_TEXT];
    char bus_env[PH_DESKTOP_TEXT];
    char system_bus_env[PH_DESKTOP_TEXT];
    char schema_env[PH_DESKTOP_TEXT];
    const char *argv[PH_DESKTOP_ARGS];
    const char *compositor_env[PH_DESKTOP_ENV];
    const char *manager_argv[6];
    struct ph_size size;
    char size_text[32];
    char outputs_env[32];
    uint8_t cookie[16];
};

struct ph_desktop_need {
    const char *program;
    const char *package; /* that has it, on Debian */
};

struct ph_desktop_kind {
    const char *name;
    const char *capture; /* deskd's --capture */
    uint32_t max_outputs; /* 0: like 1 */
    const char *program; /* without which it cannot start */
    const char *package; /* that has it, on Debian */
    const struct ph_desktop_need *needs; /* more of that; program NULL ends */
    /* What is shown where the user names no program: NULL at the end. NULL:
     * foot, with a configuration. */
    const char *const *terminal;
    /* Whether the wish can be fulfilled; nothing is started yet. */
    bool (*check)(const struct ph_desktop_wish *wish, char *error, size_t size);
    /* Fills in *out (zeroed, kept where it is until the end). */
    bool (*prepare)(struct ph_desktop *out, const struct ph_desktop_wish *wish,
            char *error, size_t size);
    /* After the compositor said that it is ready: fills in env, display. */
    bool (*ready)(struct ph_desktop *out, char *error, size_t size);
};

/* NULL: there is none of that name. */
const struct ph_desktop_kind *ph_desktop_find(const char *name);
/* Whether it can have as many outputs as are wished for. */
bool ph_desktop_has_outputs(const struct ph_desktop_kind *kind,
        const struct ph_desktop_wish *wish, char *error, size_t size);
/* The names of all: "sway, xvfb". */
void ph_desktop_names(char *out, size_t size);

extern const struct ph_desktop_kind ph_desktop_gnome;
extern const struct ph_desktop_kind ph_desktop_mutter;
extern const struct ph_desktop_kind ph_desktop_sway;
extern const struct ph_desktop_kind ph_desktop_xvfb;

/* Adds what makes toolkits take Wayland; returns how many. */
size_t ph_desktop_wayland_env(const char **env);

/* Variables of the session we were started in that would lead a program to
 * that one's display instead of ours. NULL at the end. */
extern const char *const ph_desktop_leaks[];
