/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An H.264 decoder that gives each picture at once, for tests. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decoder;

struct decoder *decoder_create(void);
/* One that keeps pictures back for as long as the stream allows that a later
 * one is shown before them, as those of browsers do. */
struct decoder *decoder_create_patient(void);
void decoder_destroy(struct decoder *decoder);

/* Decodes one access unit. False: it gave no picture. */
bool decoder_push(struct decoder *decoder, const uint8_t *data, size_t size);
/* Of the picture decoded last: a pixel as Y, Cb, Cr. */
bool decoder_pixel(
        struct decoder *decoder, uint32_t x, uint32_t y, uint8_t out[3]);
/* Its size. */
void decoder_size(struct decoder *decoder, uint32_t *width, uint32_t *height);
