/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of the web page: built into the program, or read from a folder
 * (for those who work on the page). Main thread only.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct ph_web_file {
    GBytes *data; /* the caller unrefs it */
    const char *type; /* for Content-Type */
    char etag[40]; /* of the content, with its quotes */
};

/* path: of the URL, decoded ("/", "/main.js"). folder: NULL for the built-in
 * page. False: there is no such file. */
bool ph_web_find(const char *folder, const char *path, struct ph_web_file *out);
