#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""App bundles: what --check says of signatures and seals, and what a move
leaves alone in an app that is in order."""
import hashlib
import os
import plistlib
import shutil
import struct
import sys
import tempfile
import unittest

from fixtures import relink, tree
from machofile import Signature, images, slices

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'fuzz'))
import make_macho  # noqa: E402

SYSTEM = b'/usr/lib/libSystem.B.dylib'


def strip(data, keep):
    """The image without those dependencies and rpaths that `keep` denies: the
    commands behind move up, so it has to be signed anew."""
    commands, count, at = b'', 0, 32
    end = 32 + struct.unpack_from('<I', data, 20)[0]
    while at < end:
        cmd, size = struct.unpack_from('<II', data, at)
        raw = data[at:at + size]
        if cmd not in (0xC, 0x80000018, 0x8000001C) or keep(raw):
            commands += raw
            count += 1
        at += size
    out = bytearray(data)
    out[32:end] = commands.ljust(end - 32, b'\0')
    struct.pack_into('<II', out, 16, count, len(commands))
    return bytes(out)


def program(flags=0x10000, special=None, want=b'@rpath/libone.dylib'):
    """A program that loads one library by an rpath of its own, signed."""
    extra = make_macho.named(0xC, want) + make_macho.named(
        0x8000001C, b'@executable_path/../Frameworks', False)
    made = make_macho.image(
        make_macho.EXECUTE, extra=extra, sign=None, plist=b'')
    # The two commands of `extra` count as one: say so, then drop others.
    count = struct.unpack_from('<I', made, 16)[0]
    made = make_macho.patched(made, 16, '<I', count + 1)
    made = strip(made, lambda raw: b'/b/' not in raw and b'three' not in raw)
    return sign(made, b'org.example.app', flags, special)


def library(flags=0x20002):
    made = make_macho.image(name=b'@rpath/libone.dylib')
    made = strip(made, lambda raw: b'/b/' not in raw and b'three' not in raw)
    return sign(made, b'libone', flags, None)


def sign(unsigned, identifier, flags, special):
    """Adds a signature; there is room for its command."""
    count, size = struct.unpack_from('<II', unsigned, 16)
    edit = make_macho.find_command(unsigned, 0x19, 1)
    out = bytearray(unsigned)
    start = len(out)
    length = 0
    for _ in range(2):
        struct.pack_into('<II', out, 16, count + 1, size + 16)
        struct.pack_into('<4I', out, 32 + size, 0x1D, 16, start, length)
        struct.pack_into('<Q', out, edit + 48, start + length - 1024)
        blob = make_macho.signature(bytes(out[:start]), identifier, flags,
                                    special)
        length = (len(blob) + 15) & ~15
    return bytes(out[:start]) + blob.ljust(length, b'\0')


def cdhash(path):
    data = list(slices(path).values())[0]
    signature = Signature(list(images(path).values())[0])
    best = signature.blobs.get(0x1000, signature.blobs[0])
    assert data
    return hashlib.sha256(best).digest()[:20]


class BundleTest(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='relink'))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.app = os.path.join(self.dir, "It's an.app")
        self.contents = os.path.join(self.app, 'Contents')
        self.frameworks = os.path.join(self.contents, 'Frameworks')
        self.library = os.path.join(self.frameworks, 'libone.dylib')

    def make(self, main=None, lib=None):
        for name, data in (('MacOS/app', main or program()),
                           ('Frameworks/libone.dylib', lib or library()),
                           ('Resources/text', b'hello')):
            path = os.path.join(self.contents, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, 'wb') as f:
                f.write(data)

    def seal(self):
        def digest(name):
            with open(os.path.join(self.contents, name), 'rb') as f:
                return hashlib.sha256(f.read()).digest()
        entries = {
            'Frameworks/libone.dylib': {
                'cdhash': cdhash(self.library), 'requirement': 'cdhash'},
            'Resources/text': {'hash2': digest('Resources/text')},
            'Resources/optional': {'hash2': bytes(32), 'optional': True},
        }
        os.makedirs(os.path.join(self.contents, '_CodeSignature'))
        with open(os.path.join(self.contents, '_CodeSignature',
                               'CodeResources'), 'wb') as f:
            plistlib.dump({'files': {}, 'files2': entries}, f)

    def check(self, code=0):
        r = relink('--check', self.app, '--json')
        self.assertEqual(r.code, code, r.out + r.err)
        return [f['text'] for f in r.json['findings']]

    def test_utm(self):
        """The case of docs/relink.md: a QEMU and 30 libraries of a Mac's own
        prefix, which is not on this disk, into an app as frameworks."""
        prefix = b'/Users/me/sysroot/lib/'
        build = os.path.join(self.dir, 'sysroot', 'lib')
        os.makedirs(build)
        names = [b'libqemu-aarch64-softmmu.dylib'] + [
            b'lib%s-%d.0.dylib' % (b'xyz'[i % 3:i % 3 + 1] * 4, i)
            for i in range(30)]
        for i, name in enumerate(names):
            # Each loads the next and the one after it; the last the second.
            after = [names[n] if n < len(names) else names[1]
                     for n in (i + 1, i + 2)]
            made = make_macho.image(
                name=prefix + name, two=prefix + after[0],
                three=prefix + after[1], room=300)
            with open(os.path.join(build, name.decode()), 'wb') as f:
                f.write(sign(made, name, 0x20002, None))
        self.make(program(flags=0))
        self.seal()
        args = ('--layout', 'framework', '--from', prefix.decode(),
                '--search', build, '--into', self.frameworks,
                os.path.join(build, names[0].decode()))
        r = relink('--dry-run', *args)
        self.assertEqual(r.code, 0, r.err)
        self.assertIn('31 copied', r.out)
        self.assertEqual(os.listdir(self.frameworks), ['libone.dylib'])
        r = relink(*args)
        self.assertEqual(r.code, 0, r.err)
        self.assertIn('codesign --force', r.out)
        qemu = os.path.join(self.frameworks, 'qemu-aarch64-softmmu.framework',
                            'qemu-aarch64-softmmu')
        self.assertEqual(list(images(qemu).values())[0].loads()[1:], [
            '@rpath/xxxx-0.0.framework/Versions/A/xxxx-0.0',
            '@rpath/yyyy-1.0.framework/Versions/A/yyyy-1.0'])
        found = self.check()
        self.assertEqual(len(found), 1, found)
        self.assertIn('seal', found[0])
        before = tree(self.app)
        self.assertEqual(relink(*args).code, 0)
        self.assertEqual(tree(self.app), before)

    def test_in_order(self):
        self.make()
        self.seal()
        found = self.check()
        self.assertEqual(len(found), 1, found)
        self.assertIn('hardened runtime', found[0])
        self.assertIn('disable-library-validation', found[0])
        r = relink('--check', self.app)
        self.assertIn("'%s'" % self.app.replace("'", "'\\''"), r.out)
        # Nothing is to be done, so nothing is done: its signature may be worth
        # more than ours.
        before = tree(self.app)
        r = relink('--into', self.frameworks,
                   os.path.join(self.contents, 'MacOS', 'app'))
        self.assertEqual(r.code, 0, r.err)
        self.assertEqual(tree(self.app), before)

    def test_entitled(self):
        entitlements = make_macho.blob(
            0xFADE7171, plistlib.dumps(
                {'com.apple.security.cs.disable-library-validation': True}))
        self.make(program(special={5: entitlements}))
        found = self.check()
        self.assertEqual(len(found), 1)
        self.assertNotIn('disable-library-validation', found[0])

    def test_no_runtime(self):
        self.make(program(flags=0))
        self.assertEqual(self.check(), [])

    def test_stale_seal(self):
        self.make(program(flags=0))
        self.seal()
        self.assertEqual(self.check(), [])
        with open(os.path.join(self.contents, 'Resources/text'), 'ab') as f:
            f.write(b'!')
        self.assertIn('Resources/text is another one now', self.check()[0])

    def test_library_behind_the_seal(self):
        self.make(program(flags=0))
        self.seal()
        with open(self.library, 'wb') as f:
            f.write(library(0x2))
        self.assertIn('libone.dylib is another one now', self.check()[0])
        shutil.copy(self.library,
                    os.path.join(self.frameworks, 'libtwo.dylib'))
        os.remove(os.path.join(self.contents, '_CodeSignature',
                               'CodeResources'))
        os.rmdir(os.path.join(self.contents, '_CodeSignature'))
        os.rename(os.path.join(self.frameworks, 'libtwo.dylib'),
                  os.path.join(self.dir, 'libtwo.dylib'))
        self.seal()
        self.assertEqual(self.check(), [])
        os.rename(os.path.join(self.dir, 'libtwo.dylib'),
                  os.path.join(self.frameworks, 'libtwo.dylib'))
        self.assertIn('libtwo.dylib is not in it', self.check()[0])

    def test_move_into_a_sealed_app(self):
        self.make(program(flags=0))
        self.seal()
        new = os.path.join(self.dir, 'libnew.dylib')
        with open(new, 'wb') as f:
            f.write(make_macho.patched(
                library(), make_macho.find_command(library(), 0xD) + 24,
                '<20s', b'/b/libnew.dylib'))
        r = relink('--into', self.frameworks, new)
        self.assertEqual(r.code, 0, r.err)
        self.assertIn('no longer fits', r.out)
        self.assertIn('codesign --force', r.out)

    def test_foreign_things(self):
        """What an app may hold besides: scripts, objects, other processors."""
        self.make(program(flags=0))
        dylib = library()
        for name, data in (('script', b'#!/bin/sh\n' * 10),
                           ('object.o', make_macho.patched(dylib, 12, '<I', 1)),
                           ('old', make_macho.patched(dylib, 0, '<I',
                                                      0xFEEDFACE)),
                           ('empty', b'')):
            with open(os.path.join(self.contents, 'Resources', name),
                      'wb') as f:
                f.write(data)
        found = self.check()
        self.assertEqual(len(found), 1, found)
        self.assertIn('arm64', found[0])

    def test_damaged(self):
        self.make(program(flags=0), make_macho.patched(
            library(), 20, '<I', 0xFFFFFFF8))
        found = self.check(1)
        self.assertTrue(any('damaged' in text for text in found), found)

    def test_leads_out(self):
        other = os.path.join(self.dir, 'libone.dylib')
        self.make(program(flags=0, want=b'@rpath/../../../libone.dylib'))
        with open(other, 'wb') as f:
            f.write(library())
        self.assertIn('leads out of the bundle', self.check(1)[0])

    def test_other_processor(self):
        made = make_macho.image(cpu=make_macho.X86_64,
                                name=b'@rpath/libone.dylib')
        made = strip(made, lambda raw: SYSTEM in raw)
        self.make(program(flags=0), made)
        found = self.check(1)
        self.assertTrue(any('no arm64 code' in text for text in found), found)


if __name__ == '__main__':
    unittest.main()
