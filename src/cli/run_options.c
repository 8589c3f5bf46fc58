/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run.h"

#include <stdio.h>
#include <string.h>

#include "common/macros.h"
#include "proto/hxfr.h"
#include "proto/stream.h"

const struct ph_run_options ph_run_defaults = {
        .desktop = "sway",
        .size = {1920, 1080},
        .outputs = 1,
        .fps = 60,
        .layout = "us",
        .host = "local",
};

#define ROW(short_name, name, arg, type, field, min, max, help)                \
    {                                                                          \
        short_name, name, arg, type, offsetof(struct ph_run_options, field),   \
                min, max, NULL, help                                           \
    }

static const struct ph_opt rows[] = {
        ROW('d', "desktop", "NAME", PH_OPT_STRING, desktop, 0, 0,
                "what draws the windows: sway, gnome, mutter,\n"
                "xvfb"),
        ROW('s', "size", "WxH", PH_OPT_SIZE, size, 1, PH_HXFR_MAX_SIDE,
                "of the screen, in pixels (1920x1080)"),
        ROW(0, "outputs", "N", PH_OPT_U32, outputs, 1, 16,
                "so many screens of that size, each shown by itself;\n"
                "sway only (1)"),
        ROW('f', "fps", "N", PH_OPT_U32, fps, 1, PH_STREAM_MAX_FPS,
                "at most so many frames a second (60)"),
        ROW('b', "bitrate", "B", PH_OPT_QUANTITY, bitrate, 100000, 1000000000,
                "at most so many bits a second, for example 8M"),
        ROW('e', "encoder", "NAME", PH_OPT_STRING, encoder, 0, 0,
                "which encoder the host should take"),
        ROW('l', "layout", "XKB", PH_OPT_STRING, layout, 0, 0,
                "of the keyboard: us, de, fr(bepo) (us)"),
        ROW(0, "cursor", "auto|embedded|client", PH_OPT_CHOICE, cursor, 0, 0,
                "who draws the pointer: the browser, or the desktop into\n"
                "the picture (auto: the browser where that works)"),
        ROW(0, "keepalive", "none|pointer", PH_OPT_CHOICE, keepalive, 0, 0,
                "pointer: step it aside by a pixel and back while somebody\n"
                "watches, so that a still gnome or mutter draws (none)"),
        ROW(0, "downloads", "DIR|none", PH_OPT_STRING, downloads, 0, 0,
                "where files go that are dropped on the page (the\n"
                "user's download folder); none: they are refused"),
        ROW(0, "http", "HOST:PORT", PH_OPT_STRING, http, 0, 0,
                "where browsers connect to\n"
                "(127.0.0.1, the first free port of 8080 to 8099)"),
        ROW(0, "host", "ENDPOINT", PH_OPT_STRING, host, 0, 0,
                "who encodes: a porthole-hostd at tcp:HOST:PORT,\n"
                "unix:PATH, vsock:CID:PORT, virtio-serial:PATH, or\n"
                "auto in a virtual machine; local starts one here (local);\n"
                "none leaves it to porthole-deskd to start one"),
        ROW('n', "name", "NAME", PH_OPT_STRING, name, 0, 0,
                "of the desktop, as the page shows it"),
        ROW('o', "open", NULL, PH_OPT_FLAG, open, 0, 0,
                "open the page in a browser here"),
        ROW('1', "once", NULL, PH_OPT_FLAG, once, 0, 0,
                "end when PROGRAM ends, with its success or failure;\n"
                "without it PROGRAM is started again"),
};

const struct ph_opt_usage ph_run_usage = {
        .name = "porthole run",
        .operands = "[-- PROGRAM ARGS]",
        .summary = "Starts a desktop without a screen with PROGRAM in it (a "
                   "terminal), and\n"
                   "serves it to browsers. Prints the link to open; Ctrl-C "
                   "ends it all.",
        .examples = "  porthole run\n"
                    "  porthole run --size 1280x720 -- firefox-esr"
                    " https://debian.org\n"
                    "  porthole run --host tcp:192.168.64.1:15937    encode on"
                    " the Mac outside",
        .opts = rows,
        .count = PH_LEN(rows),
};

bool ph_run_parse_http(
        const char *text, struct ph_endpoint *out, char *error, size_t size)
{
    char endpoint[PH_ENDPOINT_TEXT_MAX];
    int n = snprintf(endpoint, sizeof(endpoint), "tcp:%s", text);
    const char *colon = strrchr(text, ':');
    /* The endpoint's default port is the frame protocol's, not HTTP's. */
    bool has_port = colon && colon[1] && !strchr(colon, ']');
    if (n < 0 || (size_t)n >= sizeof(endpoint) || !has_port ||
            !ph_endpoint_parse(endpoint, out, error, size)) {
        snprintf(error, size, "--http: '%s' is not HOST:PORT", text);
        return false;
    }
    if (out->port == 0) {
        snprintf(error, size,
                "--http: port 0 will not do: leave --http out for a free port");
        return false;
    }
    return true;
}

bool ph_run_check_pointer(const struct ph_run_options *opts,
        const char *capture, char *error, size_t size)
{
    bool client = opts->cursor && !strcmp(opts->cursor, "client");
    bool steps = opts->keepalive && !strcmp(opts->keepalive, "pointer");
    if (client && !strcmp(capture, "wlr")) {
        snprintf(error, size,
                "--cursor client: %s always draws the pointer into the picture",
                opts->desktop);
        return false;
    }
    if (steps && strncmp(capture, "mutter", 6) != 0) {
        snprintf(error, size, "--keepalive pointer: %s needs none",
                opts->desktop);
        return false;
    }
    if (steps && client) {
        snprintf(error, size,
                "--keepalive pointer needs it in the picture: not with "
                "--cursor client");
        return false;
    }
    return true;
}

bool ph_run_check_host(
        const struct ph_run_options *opts, char *error, size_t size)
{
    struct ph_endpoint host;
    char why[128];
    if (!strcmp(opts->host, "local") || !strcmp(opts->host, "none")) {
        return true;
    }
    if (!ph_endpoint_parse(opts->host, &host, why, sizeof(why))) {
        snprintf(error, size, "--host: %s; or local, or none", why);
        return false;
    }
    if (opts->encoder) {
        snprintf(error, size,
                "--encoder: %s runs already; give it to that porthole-hostd",
                opts->host);
        return false;
    }
    return true;
}
