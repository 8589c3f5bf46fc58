/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checks for unit tests. A check that fails prints where, what and the
 * operands, is counted, and the test goes on; main ends with
 * `return CHECK_DONE();`. Not assert(): these hold in every build type. One
 * translation unit per test program; any thread may check.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static atomic_uint check_failures;
static atomic_uint check_count;

static inline int check_report(int ok, const char *file, int line)
{
    check_count++;
    if (!ok) {
        check_failures++;
        fprintf(stderr, "%s:%d: ", file, line);
    }
    return ok;
}

static inline int check_true(
        int ok, const char *text, const char *file, int line)
{
    if (!check_report(ok, file, line)) {
        fprintf(stderr, "failed: %s\n", text);
    }
    return ok;
}

static inline int check_eq(
        long long a, long long b, const char *text, const char *file, int line)
{
    if (!check_report(a == b, file, line)) {
        fprintf(stderr, "%s: %lld (0x%llx) != %lld (0x%llx)\n", text, a,
                (unsigned long long)a, b, (unsigned long long)b);
    }
    return a == b;
}

static inline int check_str(const char *a, const char *b, const char *text,
        const char *file, int line)
{
    int ok = a && b ? strcmp(a, b) == 0 : a == b;
    if (!check_report(ok, file, line)) {
        fprintf(stderr, "%s:\n  '%s'\n  '%s'\n", text, a ? a : "(null)",
                b ? b : "(null)");
    }
    return ok;
}

static inline int check_mem(const void *a, const void *b, size_t len,
        const char *text, const char *file, int line)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    size_t i = 0;
    while (i < len && x[i] == y[i]) {
        i++;
    }
    if (!check_report(i == len, file, line)) {
        fprintf(stderr, "%s: byte %zu of %zu: 0x%02x != 0x%02x\n", text, i, len,
                x[i], y[i]);
    }
    return i == len;
}

static inline int check_done(void)
{
    unsigned failed = check_failures;
    printf("%u checks, %u failed\n", (unsigned)check_count, failed);
    return failed ? 1 : 0;
}

/* Each gives 1 when it holds, so that a test can stop: if (!CHECK(p)) return */
#define CHECK(cond) check_true(!!(cond), #cond, __FILE__, __LINE__)
/* Integers of any type (compared as long long). */
#define CHECK_EQ(a, b)                                                         \
    check_eq((long long)(a), (long long)(b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_STR(a, b) check_str((a), (b), #a " == " #b, __FILE__, __LINE__)
#define CHECK_MEM(a, b, len)                                                   \
    check_mem((a), (b), (len), #a " == " #b, __FILE__, __LINE__)
#define CHECK_DONE() check_done()
