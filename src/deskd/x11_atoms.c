/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_atoms.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

#define TEXT "text/plain;charset=utf-8"

static const struct {
    const char *name;
    const char *type;
} table[PH_X11_ATOM_COUNT] = {
        [PH_X11_ATOM_CLIPBOARD] = {"CLIPBOARD", NULL},
        [PH_X11_ATOM_TARGETS] = {"TARGETS", NULL},
        [PH_X11_ATOM_TIMESTAMP] = {"TIMESTAMP", NULL},
        [PH_X11_ATOM_INCR] = {"INCR", NULL},
        [PH_X11_ATOM_DATA] = {"_PORTHOLE_DATA", NULL},
        [PH_X11_ATOM_UTF8_STRING] = {"UTF8_STRING", TEXT},
        [PH_X11_ATOM_TEXT_UTF8] = {TEXT, TEXT},
        [PH_X11_ATOM_TEXT_PLAIN] = {"text/plain", TEXT},
        [PH_X11_ATOM_STRING] = {"STRING", TEXT},
        [PH_X11_ATOM_HTML] = {"text/html", "text/html"},
        [PH_X11_ATOM_PNG] = {"image/png", "image/png"},
        [PH_X11_ATOM_URI_LIST] = {"text/uri-list", "text/uri-list"},
};

bool ph_x11_atoms_get(struct ph_x11_atoms *atoms, struct ph_x11 *x)
{
    xcb_intern_atom_cookie_t cookies[PH_X11_ATOM_COUNT];
    bool ok = true;
    for (size_t i = 0; i < PH_X11_ATOM_COUNT; i++) {
        cookies[i] = xcb_intern_atom(
                x->conn, false, (uint16_t)strlen(table[i].name), table[i].name);
    }
    for (size_t i = 0; i < PH_X11_ATOM_COUNT; i++) {
        AUTOFREE xcb_intern_atom_reply_t *reply =
                xcb_intern_atom_reply(x->conn, cookies[i], NULL);
        ok = ok && reply;
        atoms->atom[i] = reply ? reply->atom : XCB_NONE;
    }
    return ok;
}

const char *ph_x11_atoms_type(enum ph_x11_atom target)
{
    return table[target].type;
}
