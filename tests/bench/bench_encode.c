/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What encoding takes, backend beside backend, on the same frames in turns:
 *   bench_encode FILE WIDTH HEIGHT [ROUNDS]
 * FILE: raw NV12 frames (as many as there are). Prints a JSON line for each
 * backend: ms per P-frame p50, p95, p99, and bytes per P-frame.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "hostd/encoder.h"
#include "video/damage.h"

enum {
    MAX_SAMPLES = 1 << 16,
    MAX_BACKENDS = 8
};

struct samples {
    double ms[MAX_SAMPLES];
    size_t count;
    uint64_t bytes;
};

static struct samples samples[MAX_BACKENDS];
static uint32_t width;
static uint32_t height;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The luma plane, four pixels for one, compared as a capture would. */
static void find_changes(
        uint8_t *before, uint8_t *now, struct ph_region *changed)
{
    struct ph_damage_pictures p = {
            before, now, width, (uint16_t)(width / 4), (uint16_t)height};
    struct ph_region quarter = {.count = 0};
    ph_damage_compare(&p,
            (struct ph_rect){0, 0, (uint16_t)(width / 4), (uint16_t)height},
            &quarter);
    ph_region_clear(changed);
    for (uint16_t i = 0; i < quarter.count; i++) {
        struct ph_rect r = quarter.rects[i];
        r.x = (uint16_t)(r.x * 4);
        r.width = (uint16_t)(r.width * 4);
        ph_region_add(changed, r);
    }
}

static bool encode_all(const struct ph_encoder_ops *ops, uint8_t *data,
        size_t frames, struct samples *s)
{
    char error[160];
    size_t size = (size_t)width * height * 3 / 2;
    struct ph_encoder_config config = {.width = width,
            .height = height,
            .bitrate = 8000000,
            .fps = 60,
            .colour = {6, 1, 13, false}};
    struct ph_encoder *e = ops->open(ops, &config, error, sizeof(error));
    if (!e) {
        fprintf(stderr, "%s: %s\n", ops->name, error);
        return false;
    }
    for (size_t i = 0; i < frames; i++) {
        uint8_t *at = data + i * size;
        struct ph_region changed;
        struct ph_nv12 picture = {{at, at + (size_t)width * height},
                {width, width}, width, height};
        struct ph_encoder_input in = {.picture = &picture, .keyframe = i == 0};
        struct ph_encoder_output out = {0};
        if (i > 0) {
            find_changes(at - size, at, &changed);
            in.changed = &changed;
        }
        int64_t begin = ph_clock_ns();
        if (ops->encode(e, &in, &out) != PH_ENCODER_OK) {
            fprintf(stderr, "%s: frame %zu failed\n", ops->name, i);
            break;
        }
        if (i > 0 && s->count < MAX_SAMPLES) {
            s->ms[s->count++] = (double)(ph_clock_ns() - begin) / PH_NS_PER_MS;
            s->bytes += out.size;
        }
    }
    ops->close(e);
    return true;
}

static void report(const char *name, struct samples *s)
{
    if (s->count == 0) {
        return;
    }
    qsort(s->ms, s->count, sizeof(s->ms[0]), compare);
    printf("{\"encoder\": \"%s\", \"frames\": %zu, \"ms\": {\"p50\": %.2f, "
           "\"p95\": %.2f, \"p99\": %.2f}, \"bytes\": %.0f}\n",
            name, s->count, s->ms[s->count / 2], s->ms[s->count * 95 / 100],
            s->ms[s->count * 99 / 100], (double)s->bytes / (double)s->count);
}

int main(int argc, char **argv)
{
    uint32_t rounds = 2;
    struct stat st;
    if (argc < 4 || !ph_parse_u32(argv[2], 16, 8192, &width) ||
            !ph_parse_u32(argv[3], 16, 8192, &height) ||
            (argc > 4 && !ph_parse_u32(argv[4], 1, 100, &rounds))) {
        fprintf(stderr, "usage: bench_encode FILE WIDTH HEIGHT [ROUNDS]\n");
        return 2;
    }
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    size_t frame = (size_t)width * height * 3 / 2;
    if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size < 2 * frame) {
        fprintf(stderr, "bench_encode: %s has not two frames\n", argv[1]);
        return 1;
    }
    uint8_t *data =
            mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        perror("bench_encode");
        return 1;
    }
    size_t frames = (size_t)st.st_size / frame;
    size_t backends = PH_MIN(ph_encoder_table_size, (size_t)MAX_BACKENDS);
    for (uint32_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < backends; i++) {
            encode_all(ph_encoder_table[i], data, frames, &samples[i]);
        }
    }
    for (size_t i = 0; i < backends; i++) {
        report(ph_encoder_table[i]->name, &samples[i]);
    }
    return 0;
}
