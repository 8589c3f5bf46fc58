/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libavutil/log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/macros.h"
#include "common/net.h"
#include "hostd/options.h"
#include "hostd/server.h"

#define LOG_MODULE "main"
#include "common/log.h"

enum {
    PROGRESS_MS = 10000,
    IDLE_MS = 60000
};

static struct ph_server *server;

static void on_signal(int number)
{
    ph_server_stop(server);
}

static void on_av_log(void *context, int level, const char *fmt, va_list ap)
{
    if (level > AV_LOG_WARNING || !ph_log_enabled(PH_LOG_WARN)) {
        return;
    }
    char text[512];
    int prefix = 1;
    av_log_format_line2(context, level, fmt, ap, text, sizeof(text), &prefix);
    LOG_WARN("%s", text);
}

static int list_encoders(void)
{
    bool any = false;
    for (size_t i = 0; i < ph_encoder_table_size; i++) {
        char why[160];
        const struct ph_encoder_ops *ops = ph_encoder_table[i];
        bool ok = ph_encoder_probe(ops, why, sizeof(why));
        any |= ok;
        printf("%-14s %s: %s\n", ops->name, ops->what, ok ? "works" : why);
    }
    return any ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool listen_on(const struct ph_hostd_options *options)
{
    struct ph_opt_list list = options->listen;
    if (!list.count) {
        list.items[list.count++] = "tcp:127.0.0.1";
    }
    for (size_t i = 0; i < list.count; i++) {
        struct ph_endpoint ep;
        char text[PH_ENDPOINT_TEXT_MAX];
        char error[320];
        if (!ph_endpoint_parse(list.items[i], &ep, error, sizeof(error))) {
            LOG_ERR("--listen: %s", error);
            return false;
        }
        if (!ph_server_listen(server, &ep)) {
            return false;
        }
        ph_endpoint_format(&ep, text, sizeof(text));
        printf("listening %s\n", text);
        fflush(stdout);
    }
    return true;
}

static bool begin(const struct ph_hostd_options *options)
{
    if (options->fd == UINT32_MAX) {
        return listen_on(options);
    }
    if (!ph_net_adopt((int)options->fd)) {
        LOG_ERRNO("--fd %u", options->fd);
        return false;
    }
    return ph_server_adopt(server, (int)options->fd);
}

static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct ph_hostd_options options = ph_hostd_defaults;
    int operands = 0;
    ph_log_init("porthole-hostd");
    int code = ph_opt_main(&ph_hostd_usage, argc, argv, &options, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands) {
        fprintf(stderr, "porthole-hostd: what is '%s'? Try --help.\n", argv[0]);
        return 2;
    }
    av_log_set_callback(on_av_log);
    if (options.list_encoders) {
        return list_encoders();
    }
    char error[256];
    const struct ph_encoder_ops *encoder = ph_encoder_pick(ph_encoder_table,
            ph_encoder_table_size, options.encoder, error, sizeof(error));
    if (!encoder) {
        LOG_ERR("%s", error);
        return EXIT_FAILURE;
    }
    struct ph_budget budget = {.limit = options.memory};
    struct ph_server_config config = {
            .session = {encoder, (uint32_t)options.bitrate, &budget,
                    PROGRESS_MS, IDLE_MS},
            .max_guests = options.max_guests,
    };
    server = ph_server_create(&config);
    catch_signals();
    bool ok = begin(&options);
    if (ok) {
        ph_server_run(server);
    }
    ph_server_destroy(server);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
