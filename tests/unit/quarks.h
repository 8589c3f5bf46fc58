/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For tests that load many GStreamer plugins: GLib's table of quarks grows,
 * and GLib never frees the one before, since somebody may read it; to the leak
 * checker that is one. One translation unit a program.
 */
#pragma once

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libglib-2.0";
}
