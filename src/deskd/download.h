/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file that a viewer sends, on its way into a folder. It is not to be seen
 * there before it is whole, never in place of another, and under no name that
 * leads elsewhere. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_download;

#define PH_DOWNLOAD_MAX_NAME 255

/* "../../a/b\n.txt" becomes "b_.txt": the last part, at most
 * PH_DOWNLOAD_MAX_NAME bytes, cut inside no character. Always a name. */
void ph_download_safe_name(
        const char *name, char out[PH_DOWNLOAD_MAX_NAME + 1]);

/* Begins one; makes the folder when it is not there. NULL: error[size] says
 * why. */
struct ph_download *ph_download_create(const char *folder, const char *name,
        uint64_t total, char *error, size_t size);
/* False: error[size] says why; destroy is what is left to do. */
bool ph_download_write(struct ph_download *download, const uint8_t *data,
        size_t len, char *error, size_t size);
/* All of it was written: gives it its name, which may have " (1)" in it and
 * is put into name. False: as above, or it is not whole. */
bool ph_download_finish(struct ph_download *download,
        char name[PH_DOWNLOAD_MAX_NAME + 1], char *error, size_t size);
/* What is not finished is removed. NULL is fine. */
void ph_download_destroy(struct ph_download *download);
