/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One log for the whole program, on stderr, one line an event:
 *   12:34:56.789 porthole-hostd warn session: guest 3: ...
 * A file defines LOG_MODULE above its #include of this header. Any thread may
 * log. Nothing logs per frame above LOG_DBG.
 *
 * The level is info, or what $PORTHOLE_LOG says (error, warn, info, debug).
 */
#pragma once

#include <stdbool.h>

#include "common/macros.h"

enum ph_log_level {
    PH_LOG_ERROR,
    PH_LOG_WARN,
    PH_LOG_INFO,
    PH_LOG_DEBUG,
};

/* Names the program and reads $PORTHOLE_LOG. program must stay valid. */
void ph_log_init(const char *program);
void ph_log_set_level(enum ph_log_level level);
/* Takes every line from now on, of any thread, instead of stderr: where we are
 * a part of somebody else's program. */
void ph_log_set_sink(void (*sink)(
        enum ph_log_level level, const char *module, const char *text));
bool ph_log_enabled(enum ph_log_level level);

void ph_log_write(enum ph_log_level level, const char *module, const char *fmt,
        ...) PH_PRINTF(3, 4);

#define PH_LOG(level, ...)                                                     \
    do {                                                                       \
        if (ph_log_enabled(level)) {                                           \
            ph_log_write((level), LOG_MODULE, __VA_ARGS__);                    \
        }                                                                      \
    } while (0)

#define LOG_ERR(...) PH_LOG(PH_LOG_ERROR, __VA_ARGS__)
#define LOG_WARN(...) PH_LOG(PH_LOG_WARN, __VA_ARGS__)
#define LOG_INFO(...) PH_LOG(PH_LOG_INFO, __VA_ARGS__)
#define LOG_DBG(...) PH_LOG(PH_LOG_DEBUG, __VA_ARGS__)
/* An error with the text of errno behind it: LOG_ERRNO("open %s", path). */
#define LOG_ERRNO(fmt, ...) LOG_ERR(fmt ": %m", ##__VA_ARGS__)
