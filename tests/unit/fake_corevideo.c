/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CoreFoundation, CoreVideo and CoreMedia as far as they are used. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

#include "fake_videotoolbox.h"

#define X(symbol)                                                              \
    static struct object object_##symbol = {                                   \
            .type = FAKE_STRING, .name = #symbol};                             \
    const void *(symbol) = &object_##symbol;
PH_VT_CONSTANTS(X)
#undef X
#define X(symbol) const char(symbol)[8] = "struct";
PH_VT_STRUCTS(X)
#undef X

static pthread_mutex_t refs_lock = PTHREAD_MUTEX_INITIALIZER;

/* --- CoreFoundation --- */

static struct object *new_object(enum fake_type type)
{
    struct object *o = ph_xcalloc(1, sizeof(*o));
    o->type = type;
    o->refs = 1;
    return o;
}

struct object *fake_retain(const void *object)
{
    struct object *o = (struct object *)object;
    pthread_mutex_lock(&refs_lock);
    o->refs += o->type != FAKE_STRING;
    pthread_mutex_unlock(&refs_lock);
    return o;
}

void CFRelease(const void *object)
{
    struct object *o = (struct object *)object;
    pthread_mutex_lock(&refs_lock);
    bool last = o->type != FAKE_STRING && --o->refs == 0;
    pthread_mutex_unlock(&refs_lock);
    if (!last) {
        return;
    }
    for (long i = 0; i < o->count; i++) {
        CFRelease(o->entries[i]);
    }
    if (o->finish) {
        o->finish(o);
    }
    free(o->memory);
    free(o);
}

const void *CFNumberCreate(const void *allocator, long type, const void *value)
{
    struct object *o = new_object(FAKE_NUMBER);
    if (type == PH_VT_DOUBLE) {
        memcpy(&o->real, value, sizeof(o->real));
    } else if (type == PH_VT_SINT64) {
        memcpy(&o->integer, value, sizeof(o->integer));
    } else {
        int32_t small = 0;
        memcpy(&small, value, sizeof(small));
        o->integer = small;
    }
    return o;
}

const void *CFArrayCreate(const void *allocator, const void **values,
        long count, const void *callbacks)
{
    struct object *o = new_object(FAKE_LIST);
    for (long i = 0; i < count && callbacks == kCFTypeArrayCallBacks; i++) {
        o->entries[o->count++] = fake_retain(values[i]);
    }
    return o;
}

const void *CFDictionaryCreate(const void *allocator, const void **keys,
        const void **values, long count, const void *key_callbacks,
        const void *value_callbacks)
{
    struct object *o = new_object(FAKE_LIST);
    for (long i = 0; i < count; i++) {
        o->entries[o->count++] = fake_retain(keys[i]);
        o->entries[o->count++] = fake_retain(values[i]);
    }
    return o;
}

const struct object *fake_lookup(const void *dictionary, const void *key)
{
    const struct object *o = dictionary;
    for (long i = 0; o && i < o->count; i += 2) {
        if (o->entries[i] == key) {
            return o->entries[i + 1];
        }
    }
    return NULL;
}

/* --- CoreVideo --- */

static struct object object_colour[3][32];

static const void *colour(int kind, int code)
{
    bool known = code > 0 && code != 2 && code < 19;
    object_colour[kind][code & 31].integer = code;
    return known ? &object_colour[kind][code & 31] : NULL;
}

const void *CVColorPrimariesGetStringForIntegerCodePoint(int code)
{
    return colour(0, code);
}

const void *CVTransferFunctionGetStringForIntegerCodePoint(int code)
{
    return colour(1, code);
}

const void *CVYCbCrMatrixGetStringForIntegerCodePoint(int code)
{
    return colour(2, code);
}

size_t fake_stride(const struct object *image)
{
    return (image->width + 63) / 64 * 64 + 64;
}

int32_t CVPixelBufferCreate(const void *allocator, size_t width, size_t height,
        uint32_t format, const void *attributes, void **out)
{
    struct object *o = new_object(FAKE_IMAGE);
    o->width = width;
    o->height = height;
    o->memory = ph_xcalloc(fake_stride(o), height / 2 * 3);
    *out = o;
    return 0;
}

int32_t CVPixelBufferPoolCreatePixelBuffer(
        const void *allocator, void *pool, void **out)
{
    const struct object *o = pool;
    return CVPixelBufferCreate(
            NULL, o->width, o->height, PH_VT_NV12, NULL, out);
}

int32_t CVPixelBufferLockBaseAddress(void *image, uint64_t flags)
{
    struct object *o = image;
    o->integer++;
    return 0;
}

int32_t CVPixelBufferUnlockBaseAddress(void *image, uint64_t flags)
{
    struct object *o = image;
    o->integer--;
    return 0;
}

void *CVPixelBufferGetBaseAddressOfPlane(void *image, size_t plane)
{
    struct object *o = image;
    return o->integer == 1 ? o->memory + plane * fake_stride(o) * o->height
                           : NULL;
}

size_t CVPixelBufferGetBytesPerRowOfPlane(void *image, size_t plane)
{
    return fake_stride(image);
}

void CVBufferSetAttachment(
        void *image, const void *key, const void *value, uint32_t mode)
{
    struct object *o = image;
    const void *const keys[] = {kCVImageBufferColorPrimariesKey,
            kCVImageBufferTransferFunctionKey, kCVImageBufferYCbCrMatrixKey};
    for (size_t i = 0; i < PH_LEN(keys); i++) {
        if (key == keys[i] && mode == PH_VT_PROPAGATE) {
            o->colour[i] = fake_retain(value);
        }
    }
}

/* --- CoreMedia --- */

void *CMSampleBufferGetFormatDescription(void *sample)
{
    return sample;
}

void *CMSampleBufferGetDataBuffer(void *sample)
{
    return sample;
}

size_t CMBlockBufferGetDataLength(void *sample)
{
    return ((struct sample *)sample)->size;
}

int32_t CMBlockBufferCopyDataBytes(
        void *sample, size_t offset, size_t size, void *to)
{
    const struct sample *s = sample;
    if (offset > s->size || size > s->size - offset) {
        return FAKE_BAD_PARAMETER;
    }
    memcpy(to, s->data + offset, size);
    return 0;
}

int32_t CMVideoFormatDescriptionGetH264ParameterSetAtIndex(void *format,
        size_t index, const uint8_t **set, size_t *size, size_t *count,
        int *length_size)
{
    const struct sample *s = format;
    if (index >= 2) {
        return FAKE_BAD_PARAMETER;
    }
    *set = s->sets[index];
    *size = s->set_size[index];
    *count = 2;
    *length_size = FAKE_LENGTH_SIZE;
    return 0;
}
