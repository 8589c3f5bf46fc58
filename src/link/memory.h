/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that another process made: the part that systems do differently. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether ph_memory_map can work on this system. */
bool ph_memory_supported(void);

/* Maps size bytes for reading and writing. NULL with errno; EPERM when the
 * file could still shrink under us, EINVAL when it is smaller. */
uint8_t *ph_memory_map(int fd, size_t size);
void ph_memory_unmap(uint8_t *memory, size_t size);
