#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes the ELF file out of a compressed x86 kernel image.

usage: vmlinux.py IMAGE OUT. Fails when there is none that it can unpack.
"""
import lzma
import sys
import zlib

UNPACKERS = (
    (b"\xfd7zXZ\0", lzma.LZMADecompressor),
    (b"\x1f\x8b\x08", lambda: zlib.decompressobj(zlib.MAX_WBITS | 16)),
)


def find(image):
    for magic, unpacker in UNPACKERS:
        at = image.find(magic)
        while at >= 0:
            try:
                kernel = unpacker().decompress(image[at:])
            except (lzma.LZMAError, zlib.error):
                kernel = b""
            if kernel.startswith(b"\x7fELF"):
                return kernel
            at = image.find(magic, at + 1)
    return None


def main():
    with open(sys.argv[1], "rb") as image:
        kernel = find(image.read())
    if kernel is None:
        return 1
    with open(sys.argv[2], "wb") as out:
        out.write(kernel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
