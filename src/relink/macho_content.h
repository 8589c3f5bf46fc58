/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of ph_macho_parse that reads what load commands say about bytes
 * elsewhere in the slice: segments, sections, link-edit tables, signature.
 * For macho.c only.
 */
#pragma once

#include "relink/macho.h"

/* Reads one LC_SEGMENT_64. */
enum ph_macho_result ph_macho_read_segment(
        struct ph_macho *m, const struct ph_macho_command *c);
/* Reads any other command that refers to bytes of the slice. */
enum ph_macho_result ph_macho_read_content(
        struct ph_macho *m, const struct ph_macho_command *c);
/* What can be said only once all commands are read. */
enum ph_macho_result ph_macho_check_layout(struct ph_macho *m);
