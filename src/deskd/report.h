/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures for people and tests: of all outputs together, and of each. Main
 * thread only. */
#pragma once

#include <glib.h>

#include "deskd/screen.h"

/* JSON without secrets: is one up, how many watch, what size is the first. */
GBytes *ph_report_health(const struct ph_screens *screens);
/* JSON of what is counted, and of which outputs there are: for who has a
 * token. */
GBytes *ph_report_stats(const struct ph_screens *screens);
GBytes *ph_report_outputs(const struct ph_screens *screens);
/* A few lines in the log. */
void ph_report_log(const struct ph_screens *screens);
