/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/macros.h"
#include "common/net.h"
#include "hostd/options.h"
#include "hostd/server.h"
#include "hostd/vhost_user.h"

#define LOG_MODULE "main"
#include "common/log.h"

enum {
    PROGRESS_MS = 10000,
    IDLE_MS = 60000,
    REOPEN_MS = 5000,
    STATS_S = 60
};

static struct ph_server *server;

static void on_signal(int number)
{
    if (number == SIGUSR1) {
        ph_server_report(server);
    } else {
        ph_server_stop(server);
    }
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

/* The endpoints of --listen, or 2 for what is none. */
static int parse_endpoints(const struct ph_hostd_options *options,
        struct ph_endpoint *endpoints, size_t *count)
{
    struct ph_opt_list list = options->listen;
    char error[320];
    if (!list.count) {
        list.items[list.count++] = "tcp:127.0.0.1";
    }
    for (size_t i = 0; i < list.count; i++) {
        if (!ph_endpoint_parse(
                    list.items[i], &endpoints[i], error, sizeof(error))) {
            fprintf(stderr, "porthole-hostd: --listen: %s\n", error);
            return 2;
        }
        if (endpoints[i].kind == PH_ENDPOINT_AUTO) {
            fprintf(stderr, "porthole-hostd: --listen: 'auto' is for guests\n");
            return 2;
        }
    }
    *count = list.count;
    return 0;
}

static bool listen_on(struct ph_endpoint *endpoints, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[PH_ENDPOINT_TEXT_MAX];
        if (!ph_server_listen(server, &endpoints[i])) {
            return false;
        }
        ph_endpoint_format(&endpoints[i], text, sizeof(text));
        printf("listening %s\n", text);
        fflush(stdout);
    }
    return true;
}

static bool adopt(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || !S_ISSOCK(st.st_mode) || !ph_net_adopt(fd)) {
        LOG_ERR("--fd %d: no socket was inherited as that", fd);
        return false;
    }
    return ph_server_adopt(server, fd);
}

/* The vsock devices of --vhost-user-vsock, into devices[]. */
static bool be_devices(
        const struct ph_opt_list *paths, struct ph_vhost_user **devices)
{
    for (size_t i = 0; i < paths->count; i++) {
        devices[i] = ph_vhost_user_create(server, paths->items[i]);
        if (!devices[i]) {
            return false;
        }
        printf("listening vhost-user:%s\n", paths->items[i]);
        fflush(stdout);
    }
    return true;
}

static bool add_shares(
        const struct ph_hostd_options *options, struct ph_shares *shares)
{
    for (size_t i = 0; i < options->ivshmem.count; i++) {
        if (!ph_shares_add_ivshmem(shares, options->ivshmem.items[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < options->share.count; i++) {
        if (!ph_shares_add_folder(shares, options->share.items[i])) {
            return false;
        }
    }
    return true;
}

static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct ph_hostd_options options = ph_hostd_defaults;
    int operands = 0;
    ph_log_init("porthole-hostd");
    signal(SIGUSR1, SIG_IGN); /* until there is something to report */
    int code = ph_opt_main(&ph_hostd_usage, argc, argv, &options, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands) {
        fprintf(stderr, "porthole-hostd: what is '%s'? Try --help.\n", argv[0]);
        return 2;
    }
    if (options.list_encoders) {
        return list_encoders();
    }
    struct ph_endpoint endpoints[PH_OPT_LIST_MAX];
    size_t count = 0;
    code = parse_endpoints(&options, endpoints, &count);
    if (code) {
        return code;
    }
    char error[256];
    const struct ph_encoder_ops *encoder = ph_encoder_pick(ph_encoder_table,
            ph_encoder_table_size, options.encoder, error, sizeof(error));
    if (!encoder) {
        LOG_ERR("%s", error);
        return EXIT_FAILURE;
    }
    if (options.stats == UINT32_MAX) {
        options.stats = options.fd == UINT32_MAX ? STATS_S : 0;
    }
    struct ph_budget budget = {.limit = options.memory};
    struct ph_shares shares = {.count = 0};
    struct ph_server_config config = {
            .session = {encoder, (uint32_t)options.bitrate, &budget,
                    PROGRESS_MS, IDLE_MS, REOPEN_MS, &shares},
            .max_guests = options.max_guests,
            .stats_s = options.stats,
            .json = options.json,
    };
    server = ph_server_create(&config);
    catch_signals();
    bool ok = add_shares(&options, &shares) &&
            (options.fd == UINT32_MAX ? listen_on(endpoints, count)
                                      : adopt((int)options.fd));
    struct ph_vhost_user *devices[PH_OPT_LIST_MAX] = {NULL};
    if (ok && (ok = be_devices(&options.vhost_user_vsock, devices))) {
        ph_server_run(server);
    }
    for (size_t i = 0; i < PH_LEN(devices); i++) {
        ph_vhost_user_destroy(devices[i]);
    }
    /* It ends already, and their handler would find the server gone. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    ph_server_destroy(server);
    ph_shares_finish(&shares);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
