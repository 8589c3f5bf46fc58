/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/plist.h"

#include <stdio.h>
#include <string.h>

static const char *find(const struct ph_plist_text *t, const char *what)
{
    size_t len = strlen(what);
    for (const char *p = t->at; (size_t)(t->end - p) >= len; p++) {
        p = memchr(p, what[0], (size_t)(t->end - p));
        if (!p || (size_t)(t->end - p) < len) {
            return NULL;
        }
        if (memcmp(p, what, len) == 0) {
            return p;
        }
    }
    return NULL;
}

/* Behind the next `what`; false when it is not there. */
static bool skip_past(struct ph_plist_text *t, const char *what)
{
    const char *p = find(t, what);
    if (p) {
        t->at = p + strlen(what);
    }
    return p != NULL;
}

static bool starts_with(const struct ph_plist_text *t, const char *what)
{
    size_t len = strlen(what);
    return (size_t)(t->end - t->at) >= len && memcmp(t->at, what, len) == 0;
}

static void skip_space(struct ph_plist_text *t)
{
    while (t->at < t->end && strchr(" \t\r\n", *t->at) && *t->at) {
        t->at++;
    }
}

/* At the opening tag of a dict: its inside, with *t moved behind it. */
static bool take_dict(struct ph_plist_text *t, struct ph_plist_text *out)
{
    int depth = 0;
    const char *start = t->at + strlen("<dict>");
    do {
        if (!skip_past(t, "<")) {
            return false;
        }
        if (starts_with(t, "dict>")) {
            depth++;
        } else if (starts_with(t, "/dict>")) {
            depth--;
        }
    } while (depth > 0);
    *out = (struct ph_plist_text){start, t->at - 1};
    return true;
}

bool ph_plist_find_dict(const struct ph_plist_text *text, const char *name,
        struct ph_plist_text *out)
{
    struct ph_plist_text t = *text;
    char key[64];
    snprintf(key, sizeof(key), "<key>%s</key>", name);
    if (!skip_past(&t, key)) {
        return false;
    }
    skip_space(&t);
    return starts_with(&t, "<dict>") && take_dict(&t, out);
}

static size_t unescape(const char *from, const char *end, char *out)
{
    static const struct {
        const char *entity;
        char c;
    } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'},
            {"&quot;", '"'}, {"&apos;", '\''}};
    size_t n = 0;
    while (from < end) {
        size_t skip = 1;
        out[n] = *from;
        for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
            size_t len = strlen(entities[i].entity);
            if ((size_t)(end - from) >= len &&
                    memcmp(from, entities[i].entity, len) == 0) {
                out[n] = entities[i].c;
                skip = len;
            }
        }
        from += skip;
        n++;
    }
    return n;
}

bool ph_plist_next(struct ph_plist_text *dict, char *key, size_t size,
        struct ph_plist_text *value)
{
    if (!skip_past(dict, "<key>")) {
        return false;
    }
    const char *name = dict->at;
    const char *name_end = find(dict, "</key>");
    if (!name_end || (size_t)(name_end - name) >= size) {
        return false;
    }
    key[unescape(name, name_end, key)] = 0;
    dict->at = name_end + strlen("</key>");
    skip_space(dict);
    if (starts_with(dict, "<dict>")) {
        return take_dict(dict, value);
    }
    const char *next = find(dict, "<key>");
    *value = (struct ph_plist_text){dict->at, next ? next : dict->end};
    return true;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrs"
                                 "tuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

bool ph_plist_has(const struct ph_plist_text *entry, const char *name)
{
    char key[64];
    snprintf(key, sizeof(key), "<key>%s</key>", name);
    return find(entry, key) != NULL;
}

size_t ph_plist_data(const struct ph_plist_text *entry, const char *name,
        uint8_t *out, size_t cap)
{
    struct ph_plist_text t = *entry;
    char key[64];
    snprintf(key, sizeof(key), "<key>%s</key>", name);
    if (!skip_past(&t, key) || !skip_past(&t, "<data>")) {
        return 0;
    }
    uint32_t bits = 0;
    int have = 0;
    size_t n = 0;
    for (; t.at < t.end && *t.at != '<'; t.at++) {
        int v = base64_value(*t.at);
        if (v < 0) {
            continue; /* white space, and = at the end */
        }
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (n == cap) {
                return 0;
            }
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    return n;
}
