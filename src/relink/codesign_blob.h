/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layout of an embedded signature, shared by its reader and its writer. */
#pragma once

enum {
    CS_MAGIC_REQUIREMENTS = (int)0xfade0c01u,
    CS_MAGIC_DIRECTORY = (int)0xfade0c02u,
    CS_MAGIC_SUPERBLOB = (int)0xfade0cc0u,
    CS_MAGIC_WRAPPER = (int)0xfade0b01u,
    CS_MAGIC_ENTITLEMENTS = (int)0xfade7171u,
    CS_MAGIC_ENTITLEMENTS_DER = (int)0xfade7172u,

    CS_SLOT_DIRECTORY = 0,
    CS_SLOT_INFO = 1,
    CS_SLOT_REQUIREMENTS = 2,
    CS_SLOT_RESOURCES = 3,
    CS_SLOT_ENTITLEMENTS = 5,
    CS_SLOT_ENTITLEMENTS_DER = 7,
    CS_SLOT_SPECIAL_MAX = 11,
    CS_SLOT_ALTERNATE = 0x1000, /* and the next four: more directories */
    CS_SLOT_ALTERNATE_END = 0x1005,
    CS_SLOT_WRAPPER = 0x10000,

    CS_SUPERBLOB_HEADER = 12,
    CS_INDEX_ENTRY = 8,
    CS_BLOB_HEADER = 8,
    CS_BLOBS_MAX = 64,

    CS_HASH_SHA1 = 1,
    CS_HASH_SHA256 = 2,
    CS_HASH_SHA256_TRUNCATED = 3,

    CS_VERSION_SCATTER = 0x20100, /* each brings fields behind the last */
    CS_VERSION_TEAM = 0x20200,
    CS_VERSION_LIMIT64 = 0x20300,
    CS_VERSION_EXEC = 0x20400,
    CS_VERSION_RUNTIME = 0x20500,

    CS_DIRECTORY_MIN = 44, /* of the fields that every version has */
    CS_DIRECTORY_EXEC = 88,
    CS_DIRECTORY_RUNTIME = 96,
};
