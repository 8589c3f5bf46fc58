/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

typedef void write_fn(struct ph_json *j);

/* What `write` emits, as a string that the caller frees. */
static char *emit(write_fn *write, int indent)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct ph_json j;
    ph_json_init(&j, out, indent);
    write(&j);
    CHECK(ph_json_finish(&j));
    fclose(out);
    return text;
}

static void expect(write_fn *write, int indent, const char *want)
{
    char *got = emit(write, indent);
    CHECK_STR(got, want);
    free(got);
}

static void scalars(struct ph_json *j)
{
    ph_json_open_object(j, NULL);
    ph_json_u64(j, "u", UINT64_MAX);
    ph_json_i64(j, "i", INT64_MIN);
    ph_json_bool(j, "t", true);
    ph_json_bool(j, "f", false);
    ph_json_null(j, "n");
    ph_json_string(j, "s", NULL);
    ph_json_double(j, "d", 1.005, 2);
    ph_json_double(j, "nan", (double)NAN, 2);
    ph_json_double(j, "inf", -(double)INFINITY, 2);
    ph_json_close(j);
}

static void escapes(struct ph_json *j)
{
    ph_json_open_array(j, NULL);
    ph_json_string(j, NULL, "");
    ph_json_string(j, NULL, "a\"b\\c\n\r\t\b\f\x01\x7f/");
    ph_json_string(j, NULL, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    ph_json_close(j);
}

/* One replacement for each byte that belongs to no sequence. */
static void not_utf8(struct ph_json *j)
{
    ph_json_open_array(j, NULL);
    ph_json_string(j, NULL, "x\xffy");
    ph_json_string(j, NULL, "\xc3"); /* cut short */
    ph_json_string(j, NULL, "\xc0\xaf"); /* overlong */
    ph_json_string(j, NULL, "\xe0\x80z"); /* overlong, then text */
    ph_json_string(j, NULL, "\xed\xa0\x80"); /* surrogate */
    ph_json_string(j, NULL, "\xf4\x90\x80\x80"); /* over U+10FFFF */
    ph_json_close(j);
}

static void nested(struct ph_json *j)
{
    ph_json_open_object(j, NULL);
    ph_json_open_array(j, "list");
    ph_json_open_object(j, NULL);
    ph_json_close(j);
    ph_json_u64(j, NULL, 1);
    ph_json_close(j);
    ph_json_open_array(j, "none");
    ph_json_close(j);
    ph_json_string(j, "k\"", "v");
    ph_json_close(j);
}

static void deepest(struct ph_json *j)
{
    for (int i = 0; i < PH_JSON_DEPTH_MAX; i++) {
        ph_json_open_array(j, NULL);
    }
    for (int i = 0; i < PH_JSON_DEPTH_MAX; i++) {
        ph_json_close(j);
    }
}

static void test_write_error(void)
{
    char small[4];
    FILE *out = fmemopen(small, sizeof(small), "w");
    if (!CHECK(out)) {
        return;
    }
    struct ph_json j;
    ph_json_init(&j, out, 0);
    ph_json_string(&j, NULL, "does not fit");
    CHECK(!ph_json_finish(&j));
    fclose(out);
}

#define BAD "\xef\xbf\xbd"

int main(void)
{
    expect(scalars, 0,
            "{\"u\":18446744073709551615,\"i\":-9223372036854775808,"
            "\"t\":true,\"f\":false,\"n\":null,\"s\":null,\"d\":1.00,"
            "\"nan\":null,\"inf\":null}\n");
    expect(escapes, 0,
            "[\"\",\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u007f/\","
            "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]\n");
    expect(not_utf8, 0,
            "[\"x" BAD "y\",\"" BAD "\",\"" BAD BAD "\",\"" BAD BAD
            "z\",\"" BAD BAD BAD "\",\"" BAD BAD BAD BAD "\"]\n");
    expect(nested, 0, "{\"list\":[{},1],\"none\":[],\"k\\\"\":\"v\"}\n");
    expect(nested, 2,
            "{\n  \"list\": [\n    {},\n    1\n  ],\n  \"none\": [],\n"
            "  \"k\\\"\": \"v\"\n}\n");
    expect(deepest, 0, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n");
    test_write_error();
    return CHECK_DONE();
}
