# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Mach-O reader of the tests' own, that shares no line with src/relink: it
checks signatures page by page, compares what may not change, and moves names
to absolute paths, so that there is something to move back."""
import hashlib
import struct

LOADS = {0xC: 'load', 0x80000018: 'weak', 0x8000001F: 'reexport',
         0x80000023: 'upward', 0x20: 'lazy'}
ID, RPATH, SEGMENT, SIGNATURE = 0xD, 0x8000001C, 0x19, 0x1D
BLOBS = {0x26: 'function starts', 0x29: 'data in code', 0x1E: 'split info',
         0x80000033: 'exports trie', 0x80000034: 'chained fixups',
         0x2B: 'sign drs', 0x2E: 'optimization hints'}
NAMED = set(LOADS) | {ID, RPATH}


class Image:
    """One slice; `data` are its bytes alone."""

    def __init__(self, data):
        self.data = data
        magic, self.cpu, self.subtype, self.type, count, size = \
            struct.unpack_from('<6I', data, 0)
        if magic != 0xFEEDFACF:
            raise ValueError('not a 64-bit Mach-O image')
        self.commands = []
        at = 32
        for _ in range(count):
            cmd, length = struct.unpack_from('<II', data, at)
            self.commands.append((cmd, at, length))
            at += length
        if at != 32 + size:
            raise ValueError('sizeofcmds is wrong')

    def u32(self, at, count=1):
        values = struct.unpack_from('<%dI' % count, self.data, at)
        return values[0] if count == 1 else values

    def name(self, at, length):
        start = self.u32(at + 8)
        return self.data[at + start:at + length].split(b'\0')[0].decode()

    def names(self, kinds):
        return [self.name(at, length) for cmd, at, length in self.commands
                if cmd in kinds]

    def loads(self):
        return self.names(LOADS)

    def rpaths(self):
        return self.names({RPATH})

    def id(self):
        return (self.names({ID}) or [None])[0]

    def segments(self):
        for cmd, at, _ in self.commands:
            if cmd == SEGMENT:
                name = self.data[at + 8:at + 24].rstrip(b'\0').decode()
                yield (name, at) + struct.unpack_from('<4Q', self.data, at + 24)

    def signature(self):
        for cmd, at, _ in self.commands:
            if cmd == SIGNATURE:
                return self.u32(at + 8, 2)
        return None

    def parts(self):
        """What a move may not change, by name: link-edit data, sections."""
        out = {}
        for cmd, at, _ in self.commands:
            if cmd in BLOBS:
                start, size = self.u32(at + 8, 2)
                out[BLOBS[cmd]] = self.data[start:start + size]
            elif cmd == 2:
                syms, count, strs, size = self.u32(at + 8, 4)
                out['symbols'] = self.data[syms:syms + 16 * count]
                out['strings'] = self.data[strs:strs + size]
            elif cmd in (0x22, 0x80000022):
                v = self.u32(at + 8, 10)
                for i, what in enumerate(
                        ('rebase', 'bind', 'weak bind', 'lazy bind', 'export')):
                    out[what] = self.data[v[2 * i]:v[2 * i] + v[2 * i + 1]]
            elif cmd == 0xB:
                v = self.u32(at + 8, 18)
                out['indirect'] = self.data[v[12]:v[12] + 4 * v[13]]
            elif cmd == SEGMENT:
                self.add_sections(at, out)
            elif cmd == 0x1B:
                out['uuid'] = self.data[at + 8:at + 24]
        return out

    def add_sections(self, at, out):
        for i in range(self.u32(at + 64)):
            s = at + 72 + 80 * i
            size, offset = struct.unpack_from('<QI', self.data, s + 40)
            kind = self.u32(s + 64) & 0xFF
            if offset and kind not in (1, 12, 18):
                name = self.data[s:s + 32].replace(b'\0', b'').decode()
                out['section ' + name] = self.data[offset:offset + size]

    def room(self):
        """Bytes between the load commands and the first content."""
        end = 32 + self.u32(20)
        starts = [len(self.data)]
        for cmd, at, _ in self.commands:
            if cmd == SEGMENT:
                offset, size = struct.unpack_from('<QQ', self.data, at + 40)
                if offset and size:
                    starts.append(offset)
                for i in range(self.u32(at + 64)):
                    s = at + 72 + 80 * i
                    size, offset = struct.unpack_from('<QI', self.data, s + 40)
                    if offset and size and self.u32(s + 64) & 0xFF not in (
                            1, 12, 18):
                        starts.append(offset)
        return min(starts) - end


class Signature:
    def __init__(self, image):
        self.problems = []
        found = image.signature()
        self.present = found is not None
        if not self.present:
            return
        start, size = found
        d = image.data
        magic, length, count = struct.unpack_from('>III', d, start)
        self.check(magic == 0xFADE0CC0, 'superblob magic %x' % magic)
        self.check(length <= size, 'superblob longer than its room')
        self.check(start % 16 == 0, 'not aligned')
        self.check(start + size == len(d), 'not at the end of the file')
        self.check_linkedit(image)
        self.blobs = {}
        for i in range(count):
            slot, at = struct.unpack_from('>II', d, start + 12 + 8 * i)
            size = struct.unpack_from('>I', d, start + at + 4)[0]
            self.blobs[slot] = d[start + at:start + at + size]
        for slot, blob in self.blobs.items():
            if slot == 0 or 0x1000 <= slot < 0x1005:
                self.check_directory(image, blob, start)

    def check(self, ok, problem):
        if not ok:
            self.problems.append(problem)

    def check_linkedit(self, image):
        segments = list(image.segments())
        name, _, address, vmsize, offset, size = segments[-1]
        self.check(name == '__LINKEDIT', '__LINKEDIT is not last')
        self.check(offset + size == len(image.data),
                   '__LINKEDIT does not end with the file')
        self.check(vmsize >= size and vmsize % 0x1000 == 0,
                   '__LINKEDIT is not mapped whole')
        for other in segments[:-1]:
            self.check(other[2] + other[3] <= address, 'segments overlap')

    def check_directory(self, image, blob, start):
        (_, _, version, flags, hashes, ident, specials, pages, limit, size,
         kind, _, shift) = struct.unpack_from('>9I4B', blob, 0)
        hash_of = {1: hashlib.sha1, 2: hashlib.sha256}[kind]
        self.identifier = blob[ident:].split(b'\0')[0].decode()
        self.flags, self.kind, self.version = flags, kind, version
        self.page = 1 << shift
        if version >= 0x20400:
            base, text, exec_flags = struct.unpack_from('>3Q', blob, 64)
            self.exec_flags = exec_flags
            seg = {s[0]: s for s in image.segments()}['__TEXT']
            self.check((base, text) == (seg[4], seg[5]),
                       'executable segment %r' % ((base, text),))
        self.check(limit == start, 'covers %d of %d' % (limit, start))
        self.check(pages == -(-limit // self.page), 'wrong count of pages')
        for i in range(pages):
            page = image.data[i * self.page:min((i + 1) * self.page, limit)]
            want = blob[hashes + i * size:hashes + (i + 1) * size]
            self.check(hash_of(page).digest()[:size] == want,
                       'page %d differs' % i)
        self.pages = pages
        for slot, other in self.blobs.items():
            if 0 < slot < 16:
                at = hashes - slot * size
                self.check(slot <= specials and hash_of(other).digest()[:size]
                           == blob[at:at + size], 'slot %d differs' % slot)


def slices(path):
    """{(cpu, subtype): bytes} of a thin or fat file."""
    with open(path, 'rb') as f:
        data = f.read()
    magic, count = struct.unpack_from('>II', data, 0)
    if magic == 0xCAFEBABE:
        rows = [struct.unpack_from('>5I', data, 8 + 20 * i)
                for i in range(count)]
    elif magic == 0xCAFEBABF:
        rows = [struct.unpack_from('>IIQQI', data, 8 + 32 * i)
                for i in range(count)]
    else:
        image = Image(data)
        return {(image.cpu, image.subtype & 0xFFFFFF): data}
    out = {}
    end = 0
    for cpu, subtype, offset, size, align in rows:
        assert offset % (1 << align) == 0, '%s: slice not aligned' % path
        assert offset >= end, '%s: slices overlap' % path
        end = offset + size
        out[(cpu, subtype & 0xFFFFFF)] = data[offset:end]
    assert end == len(data), '%s: bytes behind the last slice' % path
    return out


def images(path):
    return {key: Image(data) for key, data in slices(path).items()}


def problems(path):
    """Everything wrong with the signatures of a file; unsigned is fine."""
    return ['%s %x: %s' % (path, key[0], p)
            for key, image in images(path).items()
            for p in Signature(image).problems]


def differences(a, b):
    """What a move must keep, and did not."""
    out = []
    old, new = images(a), images(b)
    if old.keys() != new.keys():
        return ['slices differ']
    for key in old:
        x, y = old[key].parts(), new[key].parts()
        out += ['%x %s' % (key[0], n) for n in x if x[n] != y.get(n)]
        out += ['%x %s is new' % (key[0], n) for n in y if n not in x]
    return out


def rename(path, change):
    """Rewrites the names in a file by change(kind, name) -> name or None for
    an rpath to go; keeps the size; the signature goes stale. False: no room."""
    with open(path, 'rb') as f:
        whole = bytearray(f.read())
    for data in slices(path).values():
        image = Image(data)
        base = whole.find(data)
        commands, count = bytearray(), 0
        for cmd, at, length in image.commands:
            raw = data[at:at + length]
            if cmd in NAMED:
                name = change(cmd, image.name(at, length))
                if name is None:
                    continue
                start = image.u32(at + 8)
                raw = bytearray(raw[:start] + name.encode() + b'\0')
                raw += bytes(-len(raw) % 8)
                struct.pack_into('<I', raw, 4, len(raw))
            commands += raw
            count += 1
        old = image.u32(20)
        if len(commands) > old + image.room():
            return False
        struct.pack_into('<II', whole, base + 16, count, len(commands))
        whole[base + 32:base + 32 + max(old, len(commands))] = \
            commands + bytes(max(0, old - len(commands)))
    with open(path, 'wb') as f:
        f.write(whole)
    return True
