/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The names that X programs pass the clipboard by. */
#pragma once

#include "x11/x11.h"

enum ph_x11_atom {
    PH_X11_ATOM_CLIPBOARD,
    PH_X11_ATOM_TARGETS,
    PH_X11_ATOM_TIMESTAMP,
    PH_X11_ATOM_INCR,
    PH_X11_ATOM_DATA, /* a property of our window */
    /* Kinds of contents: what we read first is first. */
    PH_X11_ATOM_FIRST_TARGET,
    PH_X11_ATOM_UTF8_STRING = PH_X11_ATOM_FIRST_TARGET,
    PH_X11_ATOM_TEXT_UTF8,
    PH_X11_ATOM_TEXT_PLAIN,
    PH_X11_ATOM_STRING, /* Latin-1 */
    PH_X11_ATOM_HTML,
    PH_X11_ATOM_PNG,
    PH_X11_ATOM_URI_LIST,
    PH_X11_ATOM_COUNT,
};

struct ph_x11_atoms {
    xcb_atom_t atom[PH_X11_ATOM_COUNT];
};

/* Waits for the server. False: it is gone. */
bool ph_x11_atoms_get(struct ph_x11_atoms *atoms, struct ph_x11 *x);
/* The MIME type that a target stands for, NULL for none. */
const char *ph_x11_atoms_type(enum ph_x11_atom target);
