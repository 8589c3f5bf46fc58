/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "deskd/desktop.h"

/* source: a pipeline's description up to where the pictures come out, such as
 * "pipewiresrc path=42 ! video/x-raw". GStreamer is initialised by then. NULL:
 * error[size] says why. */
struct ph_capture *ph_capture_gst_create(const char *source,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size);
