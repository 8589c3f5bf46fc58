/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest's part of beginning a connection on a stream that cannot hang up:
 * docs/protocol.md, "Streams without an end".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Gets both ends out of whatever was on its way, and agrees on a new
 * beginning. False with errno: ETIMEDOUT when nobody answered, ECANCELED as
 * soon as stop_fd (-1: none) can be read. */
bool ph_reset_connect(int fd, int64_t deadline_ns, int stop_fd);
