/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/endpoint.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/parse.h"

static bool set_address(
        struct ph_endpoint *ep, const char *text, size_t len, size_t max)
{
    if (len == 0 || len >= max) {
        return false;
    }
    memcpy(ep->address, text, len);
    ep->address[len] = 0;
    return true;
}

static bool parse_tcp(const char *text, struct ph_endpoint *ep)
{
    size_t len = strcspn(text, ":");
    const char *rest = text + len;
    const char *host = text;
    if (*text == '[') {
        host = text + 1;
        len = strcspn(host, "]");
        if (host[len] != ']') {
            return false;
        }
        rest = host + len + 1;
    }
    uint32_t port = PH_DEFAULT_PORT;
    if (*rest && (*rest != ':' || !ph_parse_u32(rest + 1, 0, 65535, &port))) {
        return false;
    }
    if (strcspn(host, "[]") < len) {
        return false; /* a bracket inside would not survive being formatted */
    }
    ep->kind = PH_ENDPOINT_TCP;
    ep->port = (uint16_t)port;
    return set_address(ep, host, len, sizeof(ep->address));
}

bool ph_endpoint_parse(
        const char *text, struct ph_endpoint *out, char *error, size_t size)
{
    struct ph_endpoint ep = {0};
    if (!strncmp(text, "tcp:", 4)) {
        if (!parse_tcp(text + 4, &ep)) {
            snprintf(error, size, "'%s' is not tcp:HOST:PORT", text);
            return false;
        }
    } else if (!strncmp(text, "unix:", 5)) {
        size_t max = sizeof(((struct sockaddr_un *)0)->sun_path);
        ep.kind = PH_ENDPOINT_UNIX;
        if (!set_address(&ep, text + 5, strlen(text + 5), max)) {
            snprintf(error, size,
                    "'%s': the path must have 1 to %zu characters", text,
                    max - 1);
            return false;
        }
    } else {
        snprintf(error, size, "'%s' is neither tcp:HOST:PORT nor unix:PATH",
                text);
        return false;
    }
    *out = ep;
    return true;
}

void ph_endpoint_format(const struct ph_endpoint *ep, char *out, size_t size)
{
    if (ep->kind == PH_ENDPOINT_UNIX) {
        snprintf(out, size, "unix:%s", ep->address);
        return;
    }
    bool v6 = strchr(ep->address, ':') != NULL;
    snprintf(out, size, "tcp:%s%s%s:%u", v6 ? "[" : "", ep->address,
            v6 ? "]" : "", ep->port);
}
