/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What we use of Apple's CoreFoundation, CoreMedia, CoreVideo and
 * VideoToolbox, opened when the program runs: declared here after Apple's
 * public documentation, so that it compiles without their headers, anywhere.
 * Members have the names of the symbols that they stand for. All objects are
 * void *, their constants const void *.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* CMTime. Apple packs the structs of these headers to 4 bytes. */
#pragma pack(push, 4)
struct ph_vt_time {
    int64_t value;
    int32_t timescale;
    uint32_t flags; /* 1: valid */
    int64_t epoch;
};
#pragma pack(pop)

typedef void ph_vt_callback(void *context, void *frame, int32_t status,
        uint32_t flags, void *sample);

enum {
    PH_VT_H264 = 0x61766331, /* 'avc1' */
    PH_VT_NV12 = 0x34323076, /* '420v' */
    PH_VT_NV12_FULL = 0x34323066, /* '420f' */
    PH_VT_SINT32 = 3, /* CFNumberType */
    PH_VT_SINT64 = 4,
    PH_VT_DOUBLE = 6,
    PH_VT_PROPAGATE = 1, /* CVAttachmentMode */
    PH_VT_DROPPED = 2, /* VTEncodeInfoFlags */
};

/* X(type, name, parameters) */
#define PH_VT_FUNCTIONS(X)                                                     \
    X(void, CFRelease, (const void *))                                         \
    X(const void *, CFNumberCreate, (const void *, long, const void *))        \
    X(const void *, CFArrayCreate,                                             \
            (const void *, const void **, long, const void *))                 \
    X(const void *, CFDictionaryCreate,                                        \
            (const void *, const void **, const void **, long, const void *,   \
                    const void *))                                             \
    X(void *, CMSampleBufferGetFormatDescription, (void *))                    \
    X(void *, CMSampleBufferGetDataBuffer, (void *))                           \
    X(size_t, CMBlockBufferGetDataLength, (void *))                            \
    X(int32_t, CMBlockBufferCopyDataBytes, (void *, size_t, size_t, void *))   \
    X(int32_t, CMVideoFormatDescriptionGetH264ParameterSetAtIndex,             \
            (void *, size_t, const uint8_t **, size_t *, size_t *, int *))     \
    X(int32_t, CVPixelBufferCreate,                                            \
            (const void *, size_t, size_t, uint32_t, const void *, void **))   \
    X(int32_t, CVPixelBufferPoolCreatePixelBuffer,                             \
            (const void *, void *, void **))                                   \
    X(int32_t, CVPixelBufferLockBaseAddress, (void *, uint64_t))               \
    X(int32_t, CVPixelBufferUnlockBaseAddress, (void *, uint64_t))             \
    X(void *, CVPixelBufferGetBaseAddressOfPlane, (void *, size_t))            \
    X(size_t, CVPixelBufferGetBytesPerRowOfPlane, (void *, size_t))            \
    X(void, CVBufferSetAttachment,                                             \
            (void *, const void *, const void *, uint32_t))                    \
    X(const void *, CVColorPrimariesGetStringForIntegerCodePoint, (int))       \
    X(const void *, CVTransferFunctionGetStringForIntegerCodePoint, (int))     \
    X(const void *, CVYCbCrMatrixGetStringForIntegerCodePoint, (int))          \
    X(int32_t, VTCompressionSessionCreate,                                     \
            (const void *, int32_t, int32_t, uint32_t, const void *,           \
                    const void *, const void *, ph_vt_callback *, void *,      \
                    void **))                                                  \
    X(int32_t, VTSessionSetProperty, (void *, const void *, const void *))     \
    X(int32_t, VTCompressionSessionPrepareToEncodeFrames, (void *))            \
    X(void *, VTCompressionSessionGetPixelBufferPool, (void *))                \
    X(int32_t, VTCompressionSessionEncodeFrame,                                \
            (void *, void *, struct ph_vt_time, struct ph_vt_time,             \
                    const void *, void *, uint32_t *))                         \
    X(int32_t, VTCompressionSessionCompleteFrames,                             \
            (void *, struct ph_vt_time))                                       \
    X(void, VTCompressionSessionInvalidate, (void *))

/* X(name): variables that hold an object. */
#define PH_VT_CONSTANTS(X)                                                     \
    X(kCFBooleanTrue)                                                          \
    X(kCFBooleanFalse)                                                         \
    X(kCVPixelBufferPixelFormatTypeKey)                                        \
    X(kCVImageBufferColorPrimariesKey)                                         \
    X(kCVImageBufferTransferFunctionKey)                                       \
    X(kCVImageBufferYCbCrMatrixKey)                                            \
    X(kVTCompressionPropertyKey_RealTime)                                      \
    X(kVTCompressionPropertyKey_AllowFrameReordering)                          \
    X(kVTCompressionPropertyKey_ExpectedFrameRate)                             \
    X(kVTCompressionPropertyKey_AverageBitRate)                                \
    X(kVTCompressionPropertyKey_DataRateLimits)                                \
    X(kVTCompressionPropertyKey_MaxKeyFrameInterval)                           \
    X(kVTCompressionPropertyKey_ProfileLevel)                                  \
    X(kVTCompressionPropertyKey_ColorPrimaries)                                \
    X(kVTCompressionPropertyKey_TransferFunction)                              \
    X(kVTCompressionPropertyKey_YCbCrMatrix)                                   \
    X(kVTProfileLevel_H264_Baseline_AutoLevel)                                 \
    X(kVTProfileLevel_H264_Main_AutoLevel)                                     \
    X(kVTProfileLevel_H264_High_AutoLevel)                                     \
    X(kVTEncodeFrameOptionKey_ForceKeyFrame)

/* X(name): structs, of which we only pass the address on. */
#define PH_VT_STRUCTS(X)                                                       \
    X(kCFTypeArrayCallBacks)                                                   \
    X(kCFTypeDictionaryKeyCallBacks)                                           \
    X(kCFTypeDictionaryValueCallBacks)

struct ph_vt {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define X(type, name, parameters) type(*(name)) parameters;
    PH_VT_FUNCTIONS(X)
#undef X
#define X(name) const void *(name);
    PH_VT_CONSTANTS(X)
    PH_VT_STRUCTS(X)
#undef X
};

/* Loaded once and kept. NULL: error[size] says what is missing. `library`
 * (tests) has all of it; NULL: the frameworks of macOS. */
const struct ph_vt *ph_vt_load(const char *library, char *error, size_t size);
