/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's end of a virtio-serial port. Such ports belong to whoever the
 * machine's owner gave them to (agents of all kinds): only those named
 * org.porthole.hxfr.N are ours, and nothing is ever written to another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PH_SERIAL_PREFIX "org.porthole.hxfr."

/* Opens it, non-blocking and raw. what: a path, or the port's name. -1:
 * why[size] says what is wrong. */
int ph_serial_open(const char *what, char *why, size_t size);
/* The name of one that nobody uses, or of one at all. False, and out empty:
 * this machine has none. */
bool ph_serial_find(char *out, size_t size);
