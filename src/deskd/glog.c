/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "glib"
#include "deskd/glog.h"

#include <glib.h>
#include <string.h>

#include "common/log.h"

static enum ph_log_level to_level(GLogLevelFlags flags)
{
    if (flags & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
        return PH_LOG_ERROR;
    }
    if (flags & G_LOG_LEVEL_WARNING) {
        return PH_LOG_WARN;
    }
    return flags & G_LOG_LEVEL_MESSAGE ? PH_LOG_INFO : PH_LOG_DEBUG;
}

static GLogWriterOutput write_log(GLogLevelFlags flags, const GLogField *fields,
        gsize count, gpointer data)
{
    enum ph_log_level level = to_level(flags);
    const char *module = LOG_MODULE;
    const char *message = "";
    int length = 0;
    for (gsize i = 0; i < count; i++) {
        if (!strcmp(fields[i].key, "MESSAGE")) {
            message = fields[i].value;
            length = fields[i].length < 0 ? (int)strlen(message)
                                          : (int)fields[i].length;
        } else if (!strcmp(fields[i].key, "GLIB_DOMAIN") &&
                fields[i].length < 0) {
            module = fields[i].value;
        }
    }
    if (ph_log_enabled(level)) {
        ph_log_write(level, module, "%.*s", length, message);
    }
    return G_LOG_WRITER_HANDLED;
}

void ph_glog_init(void)
{
    g_log_set_writer_func(write_log, NULL, NULL);
}
