/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/macros.h"

enum {
    MAX_SIDE = 8192,
    MAX_FPS = 240,
    MAX_VIEWERS = 4096,
};

#define ROW(member) offsetof(struct ph_deskd_options, member)

static const struct ph_opt rows[] = {
        {0, "http", "HOST:PORT", PH_OPT_STRING, ROW(http), 0, 0, NULL,
                "where browsers come; port 0 picks one (127.0.0.1:8080)"},
        {0, "host", "ENDPOINT|local", PH_OPT_STRING, ROW(host), 0, 0, NULL,
                "the porthole-hostd that encodes: tcp:HOST:PORT,\n"
                "unix:PATH, vsock:CID:PORT, virtio-serial:PATH; auto\n"
                "looks for the host of this virtual machine; local\n"
                "starts one here (local)"},
        {0, "display", "NAME", PH_OPT_STRING, ROW(display), 0, 0,
                "WAYLAND_DISPLAY",
                "the compositor's Wayland socket, or the X display"},
        {0, "output", "NAME|all", PH_OPT_LIST, ROW(output), 0, 0, NULL,
                "which of its outputs, as it names them (repeatable; the\n"
                "first); all: each that there is at the start"},
        {0, "capture", "KIND", PH_OPT_STRING, ROW(capture), 0, 0, NULL,
                "wlr: a wlroots compositor, also wlr:ext, wlr:screencopy;\n"
                "mutter: GNOME Shell or Mutter, also mutter:virtual for\n"
                "a monitor of its own;\n"
                "x11: an X server, also x11:DISPLAY; gst:SOURCE: what\n"
                "GStreamer has; test: a moving picture (wlr)"},
        {0, "size", "WxH", PH_OPT_SIZE, ROW(size), 1, MAX_SIDE, NULL,
                "of the test picture or virtual monitor (1920x1080)"},
        {0, "fps", "N", PH_OPT_U32, ROW(fps), 1, MAX_FPS, NULL,
                "frames a second at most (60)"},
        {0, "bitrate", "B", PH_OPT_QUANTITY, ROW(bitrate), 100000, 1000000000,
                NULL, "bits a second at most, e.g. 8M (the host decides)"},
        {0, "encoder", "NAME", PH_OPT_STRING, ROW(encoder), 0, 0, NULL,
                "of the local host, see porthole-hostd --help (auto)"},
        {0, "layout", "XKB", PH_OPT_STRING, ROW(layout), 0, 0, NULL,
                "keyboard layout, e.g. de, us(intl), de,us (us)"},
        {0, "cursor", "auto|embedded|client", PH_OPT_CHOICE, ROW(cursor), 0, 0,
                NULL,
                "who draws the pointer: the browser (client), the\n"
                "desktop into the picture (embedded), or the browser\n"
                "where the desktop allows it (auto)"},
        {0, "keepalive", "none|pointer", PH_OPT_CHOICE, ROW(keepalive), 0, 0,
                NULL,
                "pointer: step it aside by a pixel and back while watched,\n"
                "so that a still Mutter draws; none: no need, the\n"
                "last picture is repeated (none)"},
        {0, "downloads", "DIR|none", PH_OPT_STRING, ROW(downloads), 0, 0, NULL,
                "where files go that are dropped on the page (the\n"
                "user's download folder); none: they are refused"},
        {0, "token-file", "PATH", PH_OPT_STRING, ROW(token_file), 0, 0, NULL,
                "the secret that lets a browser see and drive; written\n"
                "(0600) when there is none (a new one, printed)"},
        {0, "view-token-file", "PATH", PH_OPT_STRING, ROW(view_token_file), 0,
                0, NULL, "likewise a secret that only lets it see (none)"},
        {0, "name", "TEXT", PH_OPT_STRING, ROW(name), 0, 0, NULL,
                "of the desktop, for the page's title (the machine's name)"},
        {0, "max-viewers", "N", PH_OPT_U32, ROW(max_viewers), 1, MAX_VIEWERS,
                NULL, "how many browsers may watch at the same time (256)"},
        {0, "allow-host", "NAME[:PORT]", PH_OPT_LIST, ROW(allow_host), 0, 0,
                NULL,
                "a name that browsers reach this server by (repeatable);\n"
                "127.0.0.1, localhost, [::1] and --http's are allowed"},
        {0, "allow-origin", "ORIGIN", PH_OPT_LIST, ROW(allow_origin), 0, 0,
                NULL,
                "scheme://host[:port] of a page of yours that may connect\n"
                "(repeatable)"},
        {0, "web", "DIR", PH_OPT_STRING, ROW(web), 0, 0, NULL,
                "serve the page from there, for work on it (built in)"},
        {0, "stats", NULL, PH_OPT_FLAG, ROW(stats), 0, 0, NULL,
                "log figures once a minute; SIGUSR1 does it at any time"},
};

const struct ph_opt_usage ph_deskd_usage = {
        .name = "porthole-deskd",
        .operands = "",
        .summary = "Shows one desktop in web browsers: captures it, has a "
                   "porthole-hostd encode it,\nserves the page and takes its "
                   "input. Prints `listening URL` when it is ready.",
        .examples = "  porthole-deskd --display wayland-1\n"
                    "  porthole-deskd --host tcp:10.0.2.2:15937 --http "
                    "127.0.0.1:9000\n"
                    "  porthole-deskd --capture test --size 1280x720",
        .opts = rows,
        .count = PH_LEN(rows),
};

const struct ph_deskd_options ph_deskd_defaults = {
        .http = "127.0.0.1:8080",
        .host = "local",
        .capture = "wlr",
        .cursor = "auto",
        .keepalive = "none",
        .size = {1920, 1080},
        .fps = 60,
        .max_viewers = 256,
};

static bool check_http(struct ph_deskd_options *o, char *error, size_t size)
{
    char text[PH_ENDPOINT_TEXT_MAX];
    char why[128];
    snprintf(text, sizeof(text), "tcp:%s", o->http);
    /* An endpoint without a port would get the host's. */
    const char *colon = strrchr(o->http, ':');
    if (colon && strchr(colon, ']')) {
        colon = NULL;
    }
    if (!colon ||
            !ph_endpoint_parse(text, &o->http_endpoint, why, sizeof(why))) {
        snprintf(error, size, "--http: '%s' is not HOST:PORT", o->http);
        return false;
    }
    return true;
}

/* Who draws the pointer, and who moves it. */
static bool check_pointer(struct ph_deskd_options *o, char *error, size_t size)
{
    bool embedded = strcmp(o->cursor, "embedded") == 0;
    bool client = strcmp(o->cursor, "client") == 0;
    bool steps = strcmp(o->keepalive, "pointer") == 0;
    if (steps && !ph_desktop_find(o->capture)->steps_pointer) {
        snprintf(error, size,
                "--keepalive pointer is for --capture mutter: '%s' needs none",
                o->capture);
        return false;
    }
    if (steps && client) {
        snprintf(error, size,
                "--keepalive pointer needs it in the picture: use --cursor "
                "embedded, or auto");
        return false;
    }
    o->keepalive_kind =
            steps ? PH_DESKTOP_KEEPALIVE_POINTER : PH_DESKTOP_KEEPALIVE_NONE;
    o->cursor_kind = client     ? PH_DESKTOP_CURSOR_CLIENT
            : embedded || steps ? PH_DESKTOP_CURSOR_EMBEDDED
                                : PH_DESKTOP_CURSOR_AUTO;
    return true;
}

static bool check_outputs(struct ph_deskd_options *o, char *error, size_t size)
{
    const struct ph_opt_list *list = &o->output;
    const struct ph_desktop_ops *ops = ph_desktop_find(o->capture);
    static_assert(PH_OPT_LIST_MAX <= PH_DESKTOP_MAX_OUTPUTS, "has room");
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i];
        bool twice = false;
        for (size_t before = 0; before < i; before++) {
            twice = twice || strcmp(name, list->items[before]) == 0;
        }
        o->all_outputs = o->all_outputs || strcmp(name, "all") == 0;
        if (!name[0] || strlen(name) >= PH_DESKTOP_OUTPUT_TEXT || twice) {
            snprintf(error, size, "--output: '%s' is %s", name,
                    twice ? "named twice" : "not the name of an output");
            return false;
        }
    }
    if (o->all_outputs && list->count > 1) {
        snprintf(error, size, "--output: all has the others in it");
        return false;
    }
    if ((o->all_outputs || list->count > 1) && !ops->outputs) {
        snprintf(error, size,
                "--output: --capture %s shows one at a time: name no more than "
                "that one",
                ops->name);
        return false;
    }
    return true;
}

bool ph_deskd_options_check(
        struct ph_deskd_options *o, char *error, size_t size)
{
    char why[128];
    if (!check_http(o, error, size)) {
        return false;
    }
    o->local_host = strcmp(o->host, "local") == 0;
    if (!o->local_host &&
            !ph_endpoint_parse(o->host, &o->host_endpoint, why, sizeof(why))) {
        snprintf(error, size, "--host: %s", why);
        return false;
    }
    if (!ph_desktop_find(o->capture)) {
        ph_desktop_names(why, sizeof(why));
        snprintf(error, size, "--capture: there is no '%s' (%s)", o->capture,
                why);
        return false;
    }
    return check_pointer(o, error, size) && check_outputs(o, error, size);
}
