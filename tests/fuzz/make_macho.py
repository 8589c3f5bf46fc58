#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seeds of fuzz_macho and fuzz_relink_rewrite: sound images of each
kind, and one for each thing that can be wrong with one. They are fixtures of
tests/unit/test_macho.c and test_rewrite.c too. usage: make_macho.py CORPUS"""
import hashlib
import os
import struct
import sys

ARM64, X86_64 = 0x0100000C, 0x01000007
EXECUTE, DYLIB, BUNDLE = 2, 6, 8
TEXT = 1024  # file size of __TEXT: header, room, 64 bytes of "code"


def named(cmd, name, dylib=True):
    fixed = 24 if dylib else 12
    body = name + b'\0'
    size = (fixed + len(body) + 7) & ~7
    head = struct.pack('<3I', cmd, size, fixed)
    if dylib:
        head += struct.pack('<3I', 2, 0x10000, 0x10000)
    return (head + body).ljust(size, b'\0')


def segment(name, address, vmsize, offset, size, sections=()):
    out = struct.pack('<II16s4Q4I', 0x19, 72 + 80 * len(sections), name,
                      address, vmsize, offset, size, 5, 5, len(sections), 0)
    for section, start, length in sections:
        out += struct.pack('<16s16sQQ8I', section, name, address + start,
                           length, start, 2, 0, 0, 0, 0, 0, 0)
    return out


def blob(magic, content):
    return struct.pack('>II', magic, 8 + len(content)) + content


def directory(code, special, identifier, flags, kind=2, page_shift=12):
    hash_of = {1: hashlib.sha1, 2: hashlib.sha256}[kind]
    size = hash_of().digest_size
    count = max(special) if special else 0
    slots = [hash_of(special[n]).digest() if n in special else bytes(size)
             for n in range(count, 0, -1)]
    pages = [hash_of(code[i:i + (1 << page_shift)]).digest()
             for i in range(0, len(code), 1 << page_shift)]
    fixed = 96 if flags & 0x10000 else 88
    hashes = fixed + len(identifier) + 1 + size * count
    body = struct.pack('>7I4B4I3Q', 0x20500 if fixed == 96 else 0x20400, flags,
                       hashes, fixed, count, len(pages), len(code), size, kind,
                       0, page_shift, 0, 0, 0, 0, 0, 0, TEXT)
    body = body.ljust(72, b'\0') + struct.pack('>Q', 1)
    if fixed == 96:
        body += struct.pack('>II', 0x000B0000, 0)
    return blob(0xFADE0C02, body + identifier + b'\0' + b''.join(slots) +
                b''.join(pages))


def superblob(blobs):
    at = 12 + 8 * len(blobs)
    index, content = b'', b''
    for slot, data in blobs:
        index += struct.pack('>II', slot, at + len(content))
        content += data
    out = struct.pack('>3I', 0xFADE0CC0, at + len(content), len(blobs))
    return out + index + content


def signature(code, identifier, flags, special=None):
    if not special:
        return superblob([(0, directory(code, {}, identifier, flags))])
    blobs = [(n, special[n]) for n in sorted(special) if n != 1]
    return superblob(
        [(0, directory(code, special, identifier, flags, 1))] + blobs +
        [(0x1000, directory(code, special, identifier, flags, 2)),
         (0x10000, blob(0xFADE0B01, b''))])


def image(kind=DYLIB, cpu=ARM64, sign=None, room=300, extra=b'', plist=b'',
          special=None, name=b'/b/lib/libone.dylib', two=b'/b/lib/libtwo.dylib',
          three=b'@rpath/libthree.dylib', tail=b''):
    """A whole image; sign: (identifier, flags) or None."""
    strings = b' \0_one\0'.ljust(16, b'\0')
    symbols = struct.pack('<IBBHQ', 2, 0xF, 1, 0, TEXT - 64)
    edit = symbols + strings
    sections = [(b'__text', TEXT - 64, 64)]
    if plist:
        sections.append((b'__info_plist', TEXT - 64, len(plist)))

    def commands(edit_size, signature_size):
        out = [segment(b'__TEXT', 0, 0x4000, 0, TEXT, sections),
               segment(b'__LINKEDIT', 0x4000, 0x4000, TEXT, edit_size)]
        if kind == DYLIB:
            out.append(named(0xD, name))
        out += [struct.pack('<6I', 2, 24, TEXT, 1, TEXT + 16, 16),
                struct.pack('<IIQ', 0x2A, 16, 1),
                struct.pack('<8I', 0x32, 32, 1, 0xB0000, 0xB0000, 1, 3, 1),
                named(0xC, b'/usr/lib/libSystem.B.dylib'),
                named(0xC, two),
                named(0x80000018, three),
                named(0x8000001C, b'/b/lib', False), extra]
        if sign:
            out.append(struct.pack('<4I', 0x1D, 16, TEXT + len(edit),
                                   signature_size))
        out = [c for c in out if c]
        count = len(out)
        body = b''.join(out)
        header = struct.pack('<8I', 0xFEEDFACF, cpu, 3 if cpu == X86_64 else 0,
                             kind, count, len(body), 0x85, 0)
        return header + body

    def build(signature_size):
        size = len(edit) + signature_size
        head = commands(size, signature_size)
        gap = TEXT - 64 - len(head)
        fill = bytes(min(gap, room)) + b'\xff' * max(0, gap - room)
        code = (plist or bytes(range(64))).ljust(64, b'\x90')
        return head + fill + code + edit

    if not sign:
        return build(0) + tail
    probe = signature(build(0), sign[0], sign[1], special)
    size = (len(probe) + 15) & ~15
    made = signature(build(size), sign[0], sign[1], special)
    return build(size) + made.ljust(size, b'\0') + tail


def fat(*images, wide=False, align=12):
    out = struct.pack('>II', 0xCAFEBABF if wide else 0xCAFEBABE, len(images))
    at, body = 1 << align, b''
    for data in images:
        cpu, subtype = struct.unpack_from('<II', data, 4)
        row = (cpu, subtype, at, len(data), align)
        out += struct.pack('>IIQQII', *row, 0) if wide else \
            struct.pack('>5I', *row)
        body = body.ljust(at - (1 << align), b'\0') + data
        at = (at + len(data) + (1 << align) - 1) >> align << align
    return out.ljust(1 << align, b'\0') + body


def patched(data, at, fmt, *values):
    out = bytearray(data)
    struct.pack_into(fmt, out, at, *values)
    return bytes(out)


def find_command(data, cmd, nth=0):
    at = 32
    while True:
        found, size = struct.unpack_from('<II', data, at)
        if found == cmd:
            if nth == 0:
                return at
            nth -= 1
        at += size


def sound():
    plist = b'<plist><dict/></plist>'
    entitlements = blob(0xFADE7171, b'<plist><dict><key>com.apple.security.cs.'
                        b'disable-library-validation</key><true/></dict>'
                        b'</plist>')
    special = {1: plist, 2: blob(0xFADE0C01, struct.pack('>I', 0)),
               5: entitlements, 7: blob(0xFADE7172, b'\x70\x00')}
    signed = image(sign=(b'libone', 0x20002))
    return {
        'dylib': image(),
        'dylib-signed': signed,
        'dylib-intel': image(cpu=X86_64),
        'bundle-intel-no-room': image(BUNDLE, X86_64, room=0),
        'dylib-no-room': image(sign=(b'libone', 0x20002), room=0),
        'dylib-room-40': image(sign=(b'libone', 0x20002), room=40),
        'program-entitled': image(EXECUTE, sign=(b'org.example.one', 0x10000),
                                  plist=plist, special=special),
        'fat': fat(signed, image(cpu=X86_64)),
        'fat64': fat(signed, image(cpu=X86_64), wide=True, align=10),
        'encrypted': image(extra=struct.pack('<6I', 0x2C, 24, 0, 64, 1, 0)),
    }


def hostile(good):
    dylib, signed, both = good['dylib'], good['dylib-signed'], good['fat']
    load = find_command(dylib, 0xC)
    text = find_command(dylib, 0x19)
    edit = find_command(signed, 0x19, 1)
    sig = find_command(signed, 0x1D)
    start = struct.unpack_from('<I', signed, sig + 8)[0]
    top = 0xFFFFFFFFFFFFFFFF
    return {
        'cut-commands': dylib[:200],
        'cut-linkedit': dylib[:TEXT + 8],
        'no-commands': patched(dylib, 16, '<II', 0, 0),
        'count-large': patched(dylib, 16, '<I', 0x7FFFFFFF),
        'size-large': patched(dylib, 20, '<I', 0xFFFFFFF8),
        'command-size-0': patched(dylib, load + 4, '<I', 0),
        'command-size-odd': patched(dylib, load + 4, '<I', 49),
        'command-size-large': patched(dylib, load + 4, '<I', 0xFFFFFFF8),
        'name-before': patched(dylib, load + 8, '<I', 4),
        'name-behind': patched(dylib, load + 8, '<I', 0xFFFFFFFF),
        'name-open': patched(dylib, load + 24, '<32s', b'x' * 32),
        'name-empty': patched(dylib, load + 24, '<B', 0),
        'id-twice': patched(dylib, load, '<I', 0xD),
        'id-missing': patched(dylib, find_command(dylib, 0xD), '<I', 0xC),
        'segment-behind': patched(dylib, text + 40, '<QQ', 0, 1 << 40),
        'segment-wraps': patched(dylib, text + 40, '<QQ', top - 8, 64),
        'address-wraps': patched(signed, edit + 24, '<QQ', top - 8, 64),
        'sections-large': patched(dylib, text + 64, '<I', 0x33333334),
        'section-behind': patched(dylib, text + 72 + 40, '<QI', 1 << 33, 960),
        'symbols-behind': patched(dylib, find_command(dylib, 2) + 12, '<I',
                                  0x10000001),
        'linkedit-twice': patched(signed, text + 8, '<16s', b'__LINKEDIT'),
        'linkedit-first': patched(signed, edit + 40, '<QQ', 0, len(signed)),
        'linkedit-short': patched(signed, edit + 48, '<Q', 8),
        'linkedit-under': patched(signed, text + 24, '<QQ', 0x5000, 0x4000),
        'signature-behind': patched(signed, sig + 12, '<I', 0xFFFFFFFF),
        'signature-early': patched(signed, sig + 8, '<I', 64),
        'signature-empty': patched(signed, sig + 12, '<I', 0),
        'superblob-large': patched(signed, start + 4, '>I', 0xFFFFFFFF),
        'superblob-count': patched(signed, start + 8, '>I', 0x20000001),
        'blob-behind': patched(signed, start + 16, '>I', 0xFFFFFFF0),
        'blob-length': patched(signed, start + 24, '>I', 0xFFFFFFFF),
        'hashes-behind': patched(signed, start + 36, '>I', 0xFFFFFFFF),
        'identifier-behind': patched(signed, start + 40, '>I', 0xFFFFFFFF),
        'specials-large': patched(signed, start + 44, '>I', 0x08000001),
        'pages-large': patched(signed, start + 48, '>I', 0x08000001),
        'page-shift': patched(signed, start + 59, '>B', 63),
        'page-differs': patched(signed, TEXT - 1, '<B', 0),
        'trailing': signed + b'appended',
        'fat-count': patched(both, 4, '>I', 39),
        'fat-overlap': patched(both, 8 + 20 + 8, '>I', 0x1000),
        'fat-behind': patched(both, 8 + 12, '>I', 0xFFFFF000),
        'fat-align': patched(both, 8 + 16, '>I', 31),
        'fat-in-header': patched(patched(both, 8 + 8, '>I', 0), 24, '>I', 0),
        'fat-gap': patched(both, 64, '<B', 1),
        'java-class': b'\xca\xfe\xba\xbe\0\0\0\x37' + bytes(64),
        'bits-32': patched(dylib, 0, '<I', 0xFEEDFACE),
        'big-endian': patched(dylib, 0, '>I', 0xFEEDFACF),
        'object': patched(dylib, 12, '<I', 1),
        'empty': b'',
    }


def main():
    good = sound()
    everything = dict(good)
    everything.update(hostile(good))
    rewrite = {}
    # The rewriter's first byte chooses the edits.
    for number, (name, data) in enumerate(everything.items()):
        if name in good or name.startswith(('linkedit', 'signature', 'blob',
                                            'hashes', 'trailing', 'fat-gap')):
            rewrite[name] = bytes([number * 37 & 0xFF]) + data
    for folder, files in (('macho', everything), ('relink_rewrite', rewrite)):
        where = os.path.join(sys.argv[1], folder)
        os.makedirs(where, exist_ok=True)
        for name, data in files.items():
            with open(os.path.join(where, name), 'wb') as f:
                f.write(data)


if __name__ == '__main__':
    main()
