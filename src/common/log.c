/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *program_name = "porthole";
static enum ph_log_level max_level = PH_LOG_INFO;
static void (*log_sink)(enum ph_log_level, const char *, const char *);
static const char *const level_names[] = {"error", "warn", "info", "debug"};

void ph_log_init(const char *program)
{
    program_name = program;
    const char *env = getenv("PORTHOLE_LOG");
    for (size_t i = 0; env && i < PH_LEN(level_names); i++) {
        if (strcmp(env, level_names[i]) == 0) {
            max_level = (enum ph_log_level)i;
        }
    }
}

void ph_log_set_level(enum ph_log_level level)
{
    max_level = level;
}

void ph_log_set_sink(void (*sink)(
        enum ph_log_level level, const char *module, const char *text))
{
    log_sink = sink;
}

bool ph_log_enabled(enum ph_log_level level)
{
    return level <= max_level;
}

/* macOS has no %m; put the text of errno in its place. */
static void expand_errno(char *out, size_t size, const char *fmt, int err)
{
    const char *m = strstr(fmt, ": %m");
    if (!m) {
        snprintf(out, size, "%s", fmt);
        return;
    }
    snprintf(
            out, size, "%.*s: %s%s", (int)(m - fmt), fmt, strerror(err), m + 4);
}

static void print_line(
        enum ph_log_level level, const char *module, const char *text)
{
    struct timespec ts;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &ts);
    localtime_r(&ts.tv_sec, &tm);
    fprintf(stderr, "%02d:%02d:%02d.%03ld %s %s %s: %s\n", tm.tm_hour,
            tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000, program_name,
            level_names[level], module, text);
}

void ph_log_write(
        enum ph_log_level level, const char *module, const char *fmt, ...)
{
    int err = errno;
    char expanded[512];
    expand_errno(expanded, sizeof(expanded), fmt, err);
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof(text), expanded, ap);
#pragma GCC diagnostic pop
    va_end(ap);
    for (char *c = text; *c; c++) { /* one event, one line */
        if ((unsigned char)*c < 0x20) {
            *c = ' ';
        }
    }
    if (log_sink) {
        log_sink(level, module, text);
    } else {
        print_line(level, module, text);
    }
    errno = err;
}
