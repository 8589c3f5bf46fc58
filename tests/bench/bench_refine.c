/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a screen that stands still gets sharp, and what repeating it costs:
 *   bench_refine [WIDTH HEIGHT]
 * For text that stood there from the first picture on, text after a second of
 * scrolling and a video that is stopped: luma PSNR in dB and bytes of the last
 * picture, of each step of refinement as deskd asks for them (150 ms, then
 * every 250), and of one more letter with its steps. Then REPEAT at 60 frames
 * a second for 10 s: bits a second, and the share of a core that the encoder
 * uses. A JSON line each.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cli/bench_scene.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "hostd/encoder.h"
#include "integration/decode.h"
#include "video/pixels.h"

enum {
    FPS = 60,
    BITRATE = 8000000,
    STILL_MS = 150,
    STEP_MS = 250,
    REPEATS = 600,
};

struct bench {
    struct ph_scene *scene;
    struct ph_nv12 picture;
    struct ph_encoder *encoder;
    struct decoder *decoder;
    size_t bytes;
};

static const struct ph_region nothing = {.count = 0};

static void pause_ms(int ms)
{
    struct timespec ts = {0, ms * PH_NS_PER_MS};
    nanosleep(&ts, NULL);
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
            (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double psnr(struct bench *b)
{
    const struct ph_nv12 *p = &b->picture;
    double sum = 0;
    for (uint32_t y = 0; y < p->height; y++) {
        for (uint32_t x = 0; x < p->width; x++) {
            uint8_t got[3] = {0};
            decoder_pixel(b->decoder, x, y, got);
            double e = got[0] - p->plane[0][(size_t)y * p->stride[0] + x];
            sum += e * e;
        }
    }
    sum /= (double)p->width * p->height;
    return sum > 0 ? 10 * log10(255 * 255 / sum) : 99;
}

/* Encodes the picture; decodes it where somebody looks at it. */
static bool encode(
        struct bench *b, const struct ph_region *changed, int step, bool decode)
{
    struct ph_encoder_output out = {0};
    struct ph_encoder_input in = {
            .picture = &b->picture, .changed = changed, .refine = step};
    bool ok = b->encoder->ops->encode(b->encoder, &in, &out) == PH_ENCODER_OK;
    b->bytes = ok ? out.size : 0;
    return ok && (!decode || decoder_push(b->decoder, out.data, out.size));
}

static bool paint(struct bench *b, uint32_t n)
{
    const struct ph_scene *s = b->scene;
    struct ph_rgb rgb = {
            s->pixels, s->width * 4, s->width, s->height, PH_HXFR_BGRA};
    struct ph_rect box = {0, 0, (uint16_t)s->width, (uint16_t)s->height};
    struct ph_region changed = {.count = 0};
    if (n > 0 && !ph_scene_step(b->scene, n, &box)) {
        return false;
    }
    ph_region_add(&changed, box);
    ph_region_align(&changed, (uint16_t)s->width, (uint16_t)s->height);
    for (uint16_t i = 0; i < changed.count; i++) {
        ph_pixels_to_nv12(&rgb, &b->picture, changed.rects[i]);
    }
    return encode(b, n > 0 ? &changed : NULL, 0, true);
}

static bool refine(struct bench *b)
{
    for (int step = 1; step <= PH_ENCODER_STEPS; step++) {
        pause_ms(step == 1 ? STILL_MS : STEP_MS);
        if (!encode(b, &nothing, step, true)) {
            return false;
        }
        printf(", {\"step\": %d, \"bytes\": %zu, \"psnr\": %.1f}", step,
                b->bytes, psnr(b));
    }
    return true;
}

static bool change_letter(struct bench *b)
{
    struct ph_rect at = {500, 300, 10, 18};
    struct ph_region changed = {.count = 0};
    struct ph_scene *s = b->scene;
    struct ph_rgb rgb = {
            s->pixels, s->width * 4, s->width, s->height, PH_HXFR_BGRA};
    ph_scene_text(s, &at, at.x, at.y, "W", 1, 0x202020, 0xf0f0f0);
    ph_region_add(&changed, at);
    ph_pixels_to_nv12(&rgb, &b->picture, at);
    return encode(b, &changed, 0, true);
}

static bool repeat(struct bench *b, const char *content)
{
    size_t bytes = 0;
    int64_t due = ph_clock_ns();
    double cpu = cpu_seconds();
    for (int i = 0; i < REPEATS; i++) {
        due += PH_NS_PER_S / FPS;
        int64_t left = PH_MAX(due - ph_clock_ns(), INT64_C(0));
        struct timespec wait = {left / PH_NS_PER_S, left % PH_NS_PER_S};
        nanosleep(&wait, NULL); /* macOS cannot sleep until a time */
        if (!encode(b, &nothing, 0, false)) {
            return false;
        }
        bytes += b->bytes;
    }
    printf("{\"content\": \"%s\", \"repeat_fps\": %d, \"bits_per_second\": "
           "%.0f, \"core_share\": %.3f}\n",
            content, FPS, (double)bytes * 8 * FPS / REPEATS,
            (cpu_seconds() - cpu) * FPS / REPEATS);
    return true;
}

static bool run(struct bench *b, const char *content, uint32_t frames)
{
    bool ok = true;
    for (uint32_t n = 0; n < frames && ok; n++) {
        ok = paint(b, n);
    }
    printf("{\"content\": \"%s\", \"steps\": [{\"step\": 0, \"bytes\": %zu, "
           "\"psnr\": %.1f}",
            content, b->bytes, ok ? psnr(b) : 0);
    ok = ok && refine(b) && change_letter(b);
    printf("], \"letter\": [{\"step\": 0, \"bytes\": %zu, \"psnr\": %.1f}",
            b->bytes, ok ? psnr(b) : 0);
    ok = ok && refine(b);
    puts("]}");
    return ok && repeat(b, content);
}

static bool bench(
        const char *content, uint32_t frames, uint32_t width, uint32_t height)
{
    char error[160] = "";
    struct ph_encoder_config config = {.width = width,
            .height = height,
            .bitrate = BITRATE,
            .fps = FPS,
            .colour = {6, 1, 13, false}};
    const struct ph_encoder_ops *ops = &ph_encoder_x264;
    size_t luma = (size_t)width * height;
    uint8_t *memory = calloc(luma, 2);
    struct bench b = {
            .scene = ph_scene_create(
                    content, width, height, error, sizeof(error)),
            .picture = {{memory, memory + luma}, {width, width}, width, height},
            .encoder = ops->open(ops, &config, error, sizeof(error)),
            .decoder = decoder_create(),
    };
    bool ok = memory && b.scene && b.encoder && b.decoder &&
            run(&b, content, frames);
    if (!ok) {
        fprintf(stderr, "bench_refine: %s: %s\n", content, error);
    }
    if (b.encoder) {
        ops->close(b.encoder);
    }
    ph_scene_destroy(b.scene);
    decoder_destroy(b.decoder);
    free(memory);
    return ok;
}

int main(int argc, char **argv)
{
    uint32_t width = 1920;
    uint32_t height = 1080;
    if ((argc != 1 && argc != 3) ||
            (argc == 3 &&
                    (!ph_parse_u32(argv[1], 640, 8192, &width) ||
                            !ph_parse_u32(argv[2], 480, 8192, &height)))) {
        fprintf(stderr, "usage: bench_refine [WIDTH HEIGHT]\n");
        return 2;
    }
    bool ok = bench("static", 1, width, height) &&
            bench("scroll", FPS, width, height) &&
            bench("video", FPS, width, height);
    return ok ? 0 : 1;
}
