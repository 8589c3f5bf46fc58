/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes JSON to a stream, value by value; a reader is not in here. Escapes
 * strings, puts the commas, and replaces bytes that are not UTF-8 (a file name
 * may hold any) by U+FFFD, so that what comes out always parses.
 *
 * Every value takes a key: the member's name inside an object, NULL inside an
 * array and at the top. One thread per struct; it owns nothing.
 *
 *   struct ph_json j;
 *   ph_json_init(&j, stdout, 2);
 *   ph_json_open_object(&j, NULL);
 *   ph_json_string(&j, "name", name);
 *   ph_json_close(&j);
 *   ok = ph_json_finish(&j);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PH_JSON_DEPTH_MAX 16

struct ph_json {
    FILE *out;
    int indent; /* spaces a level; 0: everything on one line */
    int depth;
    char closers[PH_JSON_DEPTH_MAX]; /* ']' or '}' of the open levels */
    bool filled[PH_JSON_DEPTH_MAX + 1]; /* the level has a value already */
};

/* The stream stays the caller's. */
void ph_json_init(struct ph_json *j, FILE *out, int indent);
/* Ends the document with a newline and flushes; false if a write failed
 * anywhere (errno of the flush). All levels must be closed. */
bool ph_json_finish(struct ph_json *j);

/* Nesting deeper than PH_JSON_DEPTH_MAX is a bug of the caller (assert). */
void ph_json_open_object(struct ph_json *j, const char *key);
void ph_json_open_array(struct ph_json *j, const char *key);
void ph_json_close(struct ph_json *j);

/* A NULL value writes null. */
void ph_json_string(struct ph_json *j, const char *key, const char *value);
void ph_json_u64(struct ph_json *j, const char *key, uint64_t value);
void ph_json_i64(struct ph_json *j, const char *key, int64_t value);
void ph_json_bool(struct ph_json *j, const char *key, bool value);
/* `decimals` digits (0-9) behind the point; NaN and infinity write null. */
void ph_json_double(
        struct ph_json *j, const char *key, double value, int decimals);
void ph_json_null(struct ph_json *j, const char *key);
