/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The task of the source pad: pushes access units, tells the bus. */
#pragma once

#include "vsockenc/vsockenc.h"

/* Starts it, or lets it go on. */
void ph_output_start(PhVsockenc *self);
