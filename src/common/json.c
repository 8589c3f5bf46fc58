/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

void ph_json_init(struct ph_json *j, FILE *out, int indent)
{
    *j = (struct ph_json){.out = out, .indent = indent};
}

static void new_line(struct ph_json *j)
{
    if (j->indent > 0) {
        fprintf(j->out, "\n%*s", j->depth * j->indent, "");
    }
}

/* Length of the UTF-8 sequence at s (RFC 3629: no overlong form, surrogate or
 * value over U+10FFFF), or 0. s ends with a NUL, which stops every look. */
static int utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80) {
        return 1;
    }
    int n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    bool bad = s[0] < 0xc2 || s[0] > 0xf4 || (s[0] == 0xe0 && s[1] < 0xa0) ||
            (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
            (s[0] == 0xf4 && s[1] > 0x8f);
    for (int i = 1; !bad && i < n; i++) {
        bad = (s[i] & 0xc0) != 0x80;
    }
    return bad ? 0 : n;
}

static void put_escaped(FILE *out, unsigned char c)
{
    static const char from[] = "\"\\\n\t\r\b\f";
    static const char to[] = "\"\\ntrbf";
    for (int i = 0; from[i]; i++) {
        if ((unsigned char)from[i] == c) {
            fprintf(out, "\\%c", to[i]);
            return;
        }
    }
    if (c < 0x20 || c == 0x7f) {
        fprintf(out, "\\u%04x", (unsigned)c);
    } else {
        fputc(c, out);
    }
}

static void put_string(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    fputc('"', out);
    while (*s) {
        int n = utf8_length(s);
        if (n == 0) {
            fputs("\xef\xbf\xbd", out);
            s++;
        } else if (n == 1) {
            put_escaped(out, *s++);
        } else {
            fwrite(s, 1, (size_t)n, out);
            s += n;
        }
    }
    fputc('"', out);
}

/* What stands before a value: the comma, the line break and the key. */
static void begin(struct ph_json *j, const char *key)
{
    bool in_object = j->depth > 0 && j->closers[j->depth - 1] == '}';
    assert(in_object == (key != NULL));
    if (j->filled[j->depth]) {
        fputc(',', j->out);
    }
    if (j->depth > 0) {
        new_line(j);
    }
    j->filled[j->depth] = true;
    if (in_object && key) {
        put_string(j->out, key);
        fputs(j->indent > 0 ? ": " : ":", j->out);
    }
}

static void open_level(
        struct ph_json *j, const char *key, char opener, char closer)
{
    assert(j->depth < PH_JSON_DEPTH_MAX);
    begin(j, key);
    fputc(opener, j->out);
    j->closers[j->depth++] = closer;
    j->filled[j->depth] = false;
}

void ph_json_open_object(struct ph_json *j, const char *key)
{
    open_level(j, key, '{', '}');
}

void ph_json_open_array(struct ph_json *j, const char *key)
{
    open_level(j, key, '[', ']');
}

void ph_json_close(struct ph_json *j)
{
    assert(j->depth > 0);
    bool filled = j->filled[j->depth--];
    if (filled) {
        new_line(j);
    }
    fputc(j->closers[j->depth], j->out);
}

bool ph_json_finish(struct ph_json *j)
{
    assert(j->depth == 0);
    fputc('\n', j->out);
    return fflush(j->out) == 0 && !ferror(j->out);
}

void ph_json_string(struct ph_json *j, const char *key, const char *value)
{
    if (!value) {
        ph_json_null(j, key);
        return;
    }
    begin(j, key);
    put_string(j->out, value);
}

void ph_json_u64(struct ph_json *j, const char *key, uint64_t value)
{
    begin(j, key);
    fprintf(j->out, "%" PRIu64, value);
}

void ph_json_i64(struct ph_json *j, const char *key, int64_t value)
{
    begin(j, key);
    fprintf(j->out, "%" PRId64, value);
}

void ph_json_bool(struct ph_json *j, const char *key, bool value)
{
    begin(j, key);
    fputs(value ? "true" : "false", j->out);
}

void ph_json_double(
        struct ph_json *j, const char *key, double value, int decimals)
{
    if (!isfinite(value)) {
        ph_json_null(j, key);
        return;
    }
    begin(j, key);
    fprintf(j->out, "%.*f", decimals, value);
}

void ph_json_null(struct ph_json *j, const char *key)
{
    begin(j, key);
    fputs("null", j->out);
}
