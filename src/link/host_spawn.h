/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An encoding host of our own: a porthole-hostd that is started on a socket
 * pair when the link connects, and again when it has died. It ends by itself
 * when the socket closes, so it never outlives this process.
 *
 *   options.link.connect = ph_host_spawn_connect;
 *   options.link.connect_data = spawn;
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ph_host_spawn;

/* args: more options for it ("--encoder", "x264"), NULL-terminated, or NULL;
 * copied. program: its path, or NULL to look where ph_program_find does. NULL
 * when there is none: error[size] says where it was looked for. */
struct ph_host_spawn *ph_host_spawn_create(const char *program,
        const char *const args[], char *error, size_t size);

/* For ph_link_options, on the link's thread: ends the host before, if any,
 * starts one and returns our end of the socket; -1 with errno. */
int ph_host_spawn_connect(void *spawn, int64_t deadline_ns);

/* Of the host that runs now, 0: none. Any thread. */
pid_t ph_host_spawn_pid(const struct ph_host_spawn *spawn);

/* Ends the host. After ph_link_stop. */
void ph_host_spawn_destroy(struct ph_host_spawn *spawn);
