/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/endpoint.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/parse.h"

#define SHARE ",share="

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

static bool parse_vsock(const char *text, struct ph_endpoint *ep)
{
    char cid[16];
    size_t len = strcspn(text, ":");
    if (len == 0 || len >= sizeof(cid)) {
        return false;
    }
    memcpy(cid, text, len);
    cid[len] = 0;
    ep->kind = PH_ENDPOINT_VSOCK;
    ep->port = PH_DEFAULT_PORT;
    if (strcmp(cid, "any") == 0) {
        ep->cid = PH_ENDPOINT_CID_ANY;
    } else if (!ph_parse_u32(cid, 0, PH_ENDPOINT_CID_ANY - 1, &ep->cid)) {
        return false;
    }
    text += len;
    return !*text || ph_parse_u32(text + 1, 0, UINT32_MAX - 1, &ep->port);
}

/* PATH of unix and, as its own end is one on the host, virtio-serial. */
static bool parse_path(const char *text, const char *path,
        struct ph_endpoint *ep, char *error, size_t size)
{
    size_t max = sizeof(((struct sockaddr_un *)0)->sun_path);
    if (set_address(ep, path, strlen(path), max)) {
        return true;
    }
    snprintf(error, size, "'%s': the path must have 1 to %zu characters", text,
            max - 1);
    return false;
}

static bool parse_plain(
        const char *text, struct ph_endpoint *out, char *error, size_t size)
{
    struct ph_endpoint ep = {0};
    if (!strncmp(text, "tcp:", 4)) {
        if (!parse_tcp(text + 4, &ep)) {
            snprintf(error, size, "'%s' is not tcp:HOST:PORT", text);
            return false;
        }
    } else if (!strncmp(text, "unix:", 5)) {
        ep.kind = PH_ENDPOINT_UNIX;
        if (!parse_path(text, text + 5, &ep, error, size)) {
            return false;
        }
    } else if (!strncmp(text, "vsock:", 6)) {
        if (!parse_vsock(text + 6, &ep)) {
            snprintf(error, size, "'%s' is not vsock:CID:PORT", text);
            return false;
        }
    } else if (!strncmp(text, "virtio-serial:", 14)) {
        ep.kind = PH_ENDPOINT_SERIAL;
        if (!parse_path(text, text + 14, &ep, error, size)) {
            return false;
        }
    } else if (!strcmp(text, "auto")) {
        ep.kind = PH_ENDPOINT_AUTO;
    } else {
        snprintf(error, size,
                "'%s' is none of tcp:HOST:PORT, unix:PATH, vsock:CID:PORT, "
                "virtio-serial:PATH, auto",
                text);
        return false;
    }
    *out = ep;
    return true;
}

/* The last ",share=" and what follows. */
static const char *find_share(const char *text)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, SHARE)) != NULL; at++) {
        found = at;
    }
    return found;
}

bool ph_endpoint_parse(
        const char *text, struct ph_endpoint *out, char *error, size_t size)
{
    char plain[PH_ENDPOINT_TEXT_MAX];
    const char *share = find_share(text);
    if (!share) {
        return parse_plain(text, out, error, size);
    }
    size_t len = (size_t)(share - text);
    share += strlen(SHARE);
    if (len >= sizeof(plain) || *share != '/' ||
            strlen(share) >= sizeof(out->share)) {
        snprintf(error, size,
                "'%s': a share is a folder's absolute path, of up to %zu "
                "characters",
                text, sizeof(out->share) - 1);
        return false;
    }
    memcpy(plain, text, len);
    plain[len] = 0;
    if (!parse_plain(plain, out, error, size)) {
        return false;
    }
    memcpy(out->share, share, strlen(share) + 1);
    return true;
}

void ph_endpoint_format(const struct ph_endpoint *ep, char *out, size_t size)
{
    bool v6 = strchr(ep->address, ':') != NULL;
    switch (ep->kind) {
    case PH_ENDPOINT_TCP:
        snprintf(out, size, "tcp:%s%s%s:%u", v6 ? "[" : "", ep->address,
                v6 ? "]" : "", (unsigned)ep->port);
        break;
    case PH_ENDPOINT_UNIX:
        snprintf(out, size, "unix:%s", ep->address);
        break;
    case PH_ENDPOINT_VSOCK:
        if (ep->cid == PH_ENDPOINT_CID_ANY) {
            snprintf(out, size, "vsock:any:%u", (unsigned)ep->port);
        } else {
            snprintf(out, size, "vsock:%u:%u", (unsigned)ep->cid,
                    (unsigned)ep->port);
        }
        break;
    case PH_ENDPOINT_SERIAL:
        snprintf(out, size, "virtio-serial:%s", ep->address);
        break;
    case PH_ENDPOINT_AUTO:
        snprintf(out, size, "auto");
        break;
    }
    size_t len = strlen(out);
    if (ep->share[0]) {
        snprintf(out + len, size - len, SHARE "%s", ep->share);
    }
}
