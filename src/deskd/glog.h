/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GLib's and libsoup's messages into the one log. */
#pragma once

void ph_glog_init(void);
