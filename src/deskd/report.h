/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures of the hub for people and tests. Main thread only. */
#pragma once

#include <glib.h>

#include "deskd/hub.h"

/* JSON without secrets: is it up, how many watch, what size. */
GBytes *ph_report_health(const struct ph_hub *hub);
/* JSON of everything that is counted, for who has a token. */
GBytes *ph_report_stats(const struct ph_hub *hub, struct ph_source *source);
/* A few lines in the log. */
void ph_report_log(const struct ph_hub *hub, struct ph_source *source);
