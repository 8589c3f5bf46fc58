#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees made here: what porthole-relink does with each kind."""
import os
import shutil
import stat
import tempfile
import unittest

import fixtures
from fixtures import relink, tree
from machofile import Signature, differences, images, problems, rename, RPATH

ARM = 0x0100000C
INTEL = 0x01000007


def one(path):
    found = images(path)
    assert len(found) == 1, path
    return list(found.values())[0]


class ChainTest(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='relink'))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.tools = fixtures.Toolchain(self.dir)
        self.build = os.path.join(self.dir, 'build')
        self.into = os.path.join(self.dir, 'App', 'Frameworks')
        os.mkdir(os.path.dirname(self.into))

    def path(self, *parts):
        return os.path.join(self.build, *parts)

    def chain(self):
        """app -> a -> b -> c -> d, all with absolute ids."""
        t = self.tools
        d = t.dylib(self.path('lib', 'libd.dylib'), 'd')
        c = t.dylib(self.path('deep', 'er', 'libc.1.dylib'), 'c', [('d', d)])
        b = t.dylib(self.path('lib', 'libb.dylib'), 'b', [('c', c), ('d', d)])
        a = t.dylib(self.path('lib', 'liba.dylib'), 'a', [('b', b)])
        return t.program(self.path('bin', 'app'), [('a', a), ('d', d)],
                         ['-rpath', self.path('lib')])

    def ok(self, *args, **kwargs):
        r = relink(*args, **kwargs)
        self.assertEqual(r.code, 0, r.err + r.out)
        return r

    def refused(self, words, *args):
        before = tree(self.dir)
        r = relink(*args)
        self.assertEqual(r.code, 1, r.out)
        for word in words:
            self.assertIn(word, r.err)
        self.assertEqual(tree(self.dir), before, 'something was changed')

    def check_ok(self, folder=None):
        r = relink('--check', folder or self.into)
        self.assertEqual(r.code, 0, r.out + r.err)
        return r

    def all_sound(self, folder=None):
        count = 0
        for root, _, files in os.walk(folder or self.into):
            for name in files:
                path = os.path.join(root, name)
                if not os.path.islink(path) and not name.endswith('.plist'):
                    self.assertEqual(problems(path), [])
                    count += 1
        return count

    def test_chain(self):
        app = self.chain()
        self.ok('--into', self.into, app)
        self.assertEqual(sorted(os.listdir(self.into)),
                         ['app', 'liba.dylib', 'libb.dylib', 'libc.1.dylib',
                          'libd.dylib'])
        image = one(os.path.join(self.into, 'app'))
        self.assertEqual(image.loads(), ['/usr/lib/libSystem.B.dylib',
                                         '@rpath/liba.dylib',
                                         '@rpath/libd.dylib'])
        self.assertEqual(image.rpaths(), ['@executable_path'])
        b = one(os.path.join(self.into, 'libb.dylib'))
        self.assertEqual(b.id(), '@rpath/libb.dylib')
        self.assertIn('@rpath/libc.1.dylib', b.loads())
        self.assertEqual(self.all_sound(), 5)
        self.assertEqual(differences(
            self.path('lib', 'libb.dylib'),
            os.path.join(self.into, 'libb.dylib')), [])
        self.check_ok()

    def test_second_run_changes_nothing(self):
        app = self.chain()
        for layout in ('dylib', 'framework'):
            args = ('--layout', layout, '--into', self.into, app)
            self.ok(*args)
            before = tree(self.into)
            folder = os.stat(os.path.dirname(self.into)).st_mtime_ns
            r = self.ok('--json', *args)
            self.assertEqual(tree(self.into), before)
            self.assertEqual(
                os.stat(os.path.dirname(self.into)).st_mtime_ns, folder)
            self.assertEqual({f['action'] for f in r.json['files']},
                             {'unchanged'})
            self.ok('--into', self.into, os.path.join(self.into, 'app'))
            self.assertEqual(tree(self.into), before)

    def test_framework_layout(self):
        app = self.chain()
        self.ok('--layout', 'framework', '--into', self.into, app)
        root = os.path.join(self.into, 'c.1.framework')
        self.assertEqual(os.readlink(os.path.join(root, 'c.1')),
                         'Versions/Current/c.1')
        self.assertEqual(os.readlink(os.path.join(root, 'Versions/Current')),
                         'A')
        with open(os.path.join(root, 'Resources/Info.plist'),
                  encoding='utf-8') as f:
            self.assertIn('<string>c.1</string>', f.read())
        self.assertEqual(one(os.path.join(root, 'c.1')).id(),
                         '@rpath/c.1.framework/Versions/A/c.1')
        self.assertEqual(self.all_sound(), 5)
        self.check_ok()

    def test_prefixes(self):
        app = self.chain()
        for prefix, layout, want in (
                ('@loader_path', 'dylib', '@loader_path/libd.dylib'),
                ('@loader_path', 'framework',
                 '@loader_path/../../../d.framework/Versions/A/d'),
                ('@executable_path/../Frameworks', 'dylib',
                 '@executable_path/../Frameworks/libd.dylib')):
            into = os.path.join(self.dir, 'App2', 'Frameworks')
            os.makedirs(into)
            self.ok('--rpath', prefix, '--layout', layout, '--into', into, app)
            leaf = 'libc.1.dylib' if layout == 'dylib' \
                else 'c.1.framework/c.1'
            self.assertIn(want, one(os.path.join(into, leaf)).loads())
            self.assertEqual(one(os.path.join(into, 'app')).rpaths(), [])
            self.all_sound(into)
            shutil.rmtree(into)

    def test_bundle_in_place(self):
        app = self.chain()
        bundle = os.path.join(self.dir, 'My.app', 'Contents')
        os.makedirs(os.path.join(bundle, 'MacOS'))
        inside = shutil.copy(app, os.path.join(bundle, 'MacOS', 'app'))
        self.ok('--into', os.path.join(bundle, 'Frameworks'), inside)
        self.assertEqual(one(inside).rpaths(),
                         ['@executable_path/../Frameworks'])
        self.assertEqual(one(inside).loads()[1], '@rpath/liba.dylib')
        self.assertEqual(sorted(os.listdir(bundle)), ['Frameworks', 'MacOS'])
        r = self.check_ok(os.path.join(self.dir, 'My.app'))
        self.assertIn('codesign --force', r.out)
        before = tree(bundle)
        self.ok('--into', os.path.join(bundle, 'Frameworks'), inside)
        self.assertEqual(tree(bundle), before)

    def test_from_prefix(self):
        t = self.tools
        other = t.dylib(os.path.join(self.dir, 'other', 'libo.dylib'), 'o')
        a = t.dylib(self.path('liba.dylib'), 'a', [('o', other)])
        self.ok('--from', self.build, '--into', self.into, a)
        self.assertEqual(os.listdir(self.into), ['liba.dylib'])
        self.assertIn(other, one(os.path.join(self.into, 'liba.dylib')).loads())
        r = relink('--check', self.into)
        self.assertEqual(r.code, 1)
        self.assertIn(other, r.out)

    def test_from_where_it_was_built(self):
        """The build machine's paths are not here: --search finds the files."""
        a = self.tools.dylib(self.path('liba.dylib'), 'a', args=[
            '-install_name', '/Users/me/sysroot/lib/liba.dylib'])
        b = self.tools.dylib(self.path('libb.dylib'), 'b', [('a', a)], [
            '-install_name', '/Users/me/sysroot/lib/libb.dylib'])
        self.refused(['/Users/me/sysroot/lib/liba.dylib', '--search'],
                     '--into', self.into, b)
        self.ok('--from', '/Users/me/sysroot', '--search', self.build,
                '--into', self.into, b)
        self.check_ok()

    def test_kinds_of_load(self):
        t = self.tools
        names = ['weak', 'reexport', 'upward', 'lazy']
        libs = {n: t.dylib(self.path('lib%s.dylib' % n), n) for n in names}
        user = t.dylib(self.path('libuser.dylib'), 'user',
                       [('lazy', libs['lazy']), ('upward', libs['upward'])],
                       ['-weak_library', libs['weak'],
                        '-reexport_library', libs['reexport']])
        # ld64.lld 14 makes no lazy and no upward loads: of plain ones, then.
        image = one(user)
        with open(user, 'r+b') as f:
            for cmd, at, length in image.commands:
                kind = {libs['lazy']: b'\x20\0\0\0',
                        libs['upward']: b'\x23\0\0\x80'}.get(
                            image.name(at, length) if cmd == 0xC else None)
                if kind:
                    f.seek(at)
                    f.write(kind)
        self.ok('--into', self.into, user)
        new = one(os.path.join(self.into, 'libuser.dylib'))
        for n in names:
            self.assertIn('@rpath/lib%s.dylib' % n, new.loads())
        self.assertEqual([c[0] for c in new.commands],
                         [c[0] for c in one(user).commands])
        self.assertEqual(self.all_sound(), 5)

    def test_cycle(self):
        t = self.tools
        x = t.dylib(self.path('libx.dylib'), 'x')
        y = t.dylib(self.path('liby.dylib'), 'y', [('x', x)])
        t.dylib(x, 'x', args=['-reexport_library', y])
        self.ok('--into', self.into, x)
        self.assertIn('@rpath/liby.dylib',
                      one(os.path.join(self.into, 'libx.dylib')).loads())
        self.check_ok()

    def test_fat(self):
        t = self.tools
        parts = []
        for arch in ('arm64', 'x86_64'):
            lib = t.dylib(self.path(arch, 'liba.dylib'), 'a', arch=arch,
                          args=['-install_name', self.path('liba.dylib')])
            parts.append(lib)
        a = t.fat(self.path('liba.dylib'), *parts)
        user = t.fat(self.path('libu.dylib'), *[
            t.dylib(self.path(arch, 'libu.dylib'), 'u', [('a', lib)], arch=arch,
                    args=['-install_name', self.path('libu.dylib')])
            for arch, lib in zip(('arm64', 'x86_64'), parts)])
        self.ok('--into', self.into, user)
        for name, old in (('liba.dylib', a), ('libu.dylib', user)):
            new = os.path.join(self.into, name)
            found = images(new)
            self.assertEqual({k[0] for k in found}, {ARM, INTEL})
            for image in found.values():
                self.assertEqual(image.id(), '@rpath/' + name)
                self.assertTrue(Signature(image).present)
            self.assertEqual(differences(old, new), [])
        self.assertEqual(self.all_sound(), 2)
        self.check_ok()

    def pad_to(self, source, room):
        """A copy of a thin file whose header has exactly so much room."""
        image = one(source)
        with open(source, 'r+b') as f:
            f.seek(32 + image.u32(20) + room)
            f.write(b'\xff' * (image.room() - room))

    def short_names(self):
        """A library that another loads by a short name, with little room."""
        t = self.tools
        a = t.dylib(self.path('liba.dylib'), 'a',
                    args=['-install_name', '/b/a'])
        return t.dylib(self.path('libu.dylib'), 'u', [('a', a)],
                       ['-install_name', '/b/u', '-search_paths_first'])

    def test_padding(self):
        """@rpath/... is longer than /b/a: room matters, to the byte."""
        long = '@executable_path/../Frameworks'
        args = ('--rpath', long, '--search', self.build)
        for room, fits in ((0, False), (63, False), (64, True), (512, True)):
            shutil.rmtree(self.build, True)
            user = self.short_names()
            os.rename(self.path('liba.dylib'), self.path('a'))
            # Each of the two names grows from 32 to 64 bytes; 16 more are to
            # be had by dropping LC_SOURCE_VERSION, if there is one.
            image = one(user)
            squeezable = sum(n for c, _, n in image.commands if c == 0x2A)
            squeezable += sum(n - 24 for c, _, n in image.commands
                              if c == 0x32)
            self.pad_to(user, max(0, room - squeezable))
            before = tree(self.dir)
            r = relink('--into', self.into, user, *args)
            if fits:
                self.assertEqual(r.code, 0, r.err)
                self.all_sound()
                shutil.rmtree(self.into)
            else:
                self.assertEqual(r.code, 1, 'room %d' % room)
                self.assertIn('libu.dylib', r.err)
                missing = 64 - max(squeezable, room)
                self.assertIn('%d bytes are missing' % missing, r.err)
                self.assertIn('headerpad', r.err)
                self.assertEqual(tree(self.dir), before)

    def test_missing(self):
        app = self.chain()
        os.remove(self.path('lib', 'libd.dylib'))
        self.refused(['libd.dylib', '--search'], '--into', self.into, app)
        self.ok('--allow-missing', '--into', self.into, app)

    def test_missing_weak(self):
        t = self.tools
        gone = t.dylib(self.path('libgone.dylib'), 'gone')
        a = t.dylib(self.path('liba.dylib'), 'a',
                    args=['-weak_library', gone])
        os.remove(gone)
        r = self.ok('--into', self.into, a)
        self.assertIn('MISSING (weak', r.out)

    def test_duplicate_names(self):
        t = self.tools
        one_ = t.dylib(self.path('1', 'libx.dylib'), 'x1')
        two = t.dylib(self.path('2', 'libX.dylib'), 'x2')
        user = t.dylib(self.path('libu.dylib'), 'u',
                       [('x1', one_), ('x2', two)])
        self.refused([one_, two, 'differ'], '--into', self.into, user)

    def test_equal_duplicates(self):
        t = self.tools
        first = t.dylib(self.path('1', 'libx.dylib'), 'x',
                        args=['-install_name', '/o/libx.dylib'])
        os.makedirs(self.path('2'))
        second = shutil.copy(first, self.path('2', 'libx.dylib'))
        user = t.dylib(self.path('libu.dylib'), 'u', [('x', first)])
        user2 = t.dylib(self.path('libv.dylib'), 'v', [('x', second)])
        rename(user2, lambda k, n: second if n == '/o/libx.dylib' else n)
        rename(user, lambda k, n: first if n == '/o/libx.dylib' else n)
        self.ok('--into', self.into, user, user2)
        self.assertEqual(sorted(os.listdir(self.into)),
                         ['libu.dylib', 'libv.dylib', 'libx.dylib'])
        self.check_ok()

    def test_symlinks(self):
        """As package managers do it: libx.dylib -> libx.1.dylib -> the file."""
        t = self.tools
        name = self.path('libx.1.dylib')
        x = t.dylib(self.path('libx.1.2.3.dylib'), 'x',
                    args=['-install_name', name])
        os.symlink('libx.1.2.3.dylib', name)
        os.symlink('libx.1.dylib', self.path('libx.dylib'))
        user = t.dylib(self.path('libu.dylib'), 'u', [('x', x)])
        other = t.dylib(self.path('libv.dylib'), 'v', [('x', x)])
        rename(other, lambda k, n: self.path('libx.dylib') if n == name else n)
        self.ok('--into', self.into, user, other)
        self.assertEqual(sorted(os.listdir(self.into)),
                         ['libu.dylib', 'libv.dylib', 'libx.1.dylib'])
        self.assertFalse(os.path.islink(
            os.path.join(self.into, 'libx.1.dylib')))
        self.check_ok()

    def test_dangling_symlink(self):
        app = self.chain()
        os.remove(self.path('lib', 'libb.dylib'))
        os.symlink('nowhere', self.path('lib', 'libb.dylib'))
        self.refused(['libb.dylib'], '--into', self.into, app)

    def test_not_macho(self):
        text = os.path.join(self.dir, 'text')
        with open(text, 'w', encoding='ascii') as f:
            f.write('#!/bin/sh\n')
        self.refused([text, 'not a Mach-O'], '--into', self.into, text)
        self.refused([self.dir], '--into', self.into, self.dir)
        app = self.chain()
        shutil.copy(text, self.path('lib', 'libb.dylib'))
        self.refused(['libb.dylib', 'not a Mach-O'], '--into', self.into, app)

    def test_read_only(self):
        app = self.chain()
        os.chmod(self.path('lib', 'libd.dylib'), 0o444)
        self.ok('--into', self.into, app)
        mode = os.stat(os.path.join(self.into, 'libd.dylib')).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o644)

    def test_in_the_way(self):
        app = self.chain()
        os.makedirs(os.path.join(self.into, 'libd.dylib'))
        self.refused(['libd.dylib'], '--into', self.into, app)
        with open(os.path.join(self.dir, 'file'), 'w', encoding='ascii'):
            pass
        self.refused(['not a folder'], '--into',
                     os.path.join(self.dir, 'file'), app)

    def test_other_files_stay(self):
        app = self.chain()
        os.mkdir(self.into)
        other = os.path.join(self.into, 'other')
        with open(other, 'w', encoding='ascii') as f:
            f.write('mine')
        self.ok('--into', self.into, app)
        with open(other, encoding='ascii') as f:
            self.assertEqual(f.read(), 'mine')

    def test_new_build(self):
        """The next build replaces what is different, and says so."""
        app = self.chain()
        self.ok('--into', self.into, app)
        self.tools.dylib(self.path('lib', 'libd.dylib'), 'd', args=[
            '-current_version', '2', '-install_name',
            self.path('lib', 'libd.dylib')])
        r = self.ok('--json', '--into', self.into, app)
        self.assertEqual([os.path.basename(f['path'])
                          for f in r.json['files'] if f['replaced']],
                         ['libd.dylib'])
        self.check_ok()

    def test_rpath_of_a_library(self):
        """A library that found its own by an rpath to the build machine needs
        one of the program afterwards."""
        t = self.tools
        a = t.dylib(self.path('liba.dylib'), 'a',
                    args=['-install_name', '@rpath/liba.dylib'])
        b = t.dylib(self.path('libb.dylib'), 'b', [('a', a)],
                    ['-install_name', '@rpath/libb.dylib', '-rpath',
                     self.build])
        app = t.program(self.path('app'), [('b', b)],
                        ['-rpath', '@executable_path'])
        self.ok('--into', self.into, app)
        self.assertEqual(one(os.path.join(self.into, 'libb.dylib')).rpaths(),
                         [])
        self.check_ok()

    def test_dry_run(self):
        app = self.chain()
        before = tree(self.dir)
        r = self.ok('--dry-run', '--json', '--into', self.into, app)
        self.assertEqual(tree(self.dir), before)
        self.assertEqual(len(r.json['files']), 5)
        self.assertEqual({f['action'] for f in r.json['files']}, {'copied'})

    def test_sign_modes(self):
        app = self.chain()
        self.ok('--sign', 'none', '--into', self.into, app)
        self.assertFalse(Signature(one(
            os.path.join(self.into, 'liba.dylib'))).present)
        self.assertEqual(differences(
            self.path('lib', 'liba.dylib'),
            os.path.join(self.into, 'liba.dylib')), [])
        r = relink('--check', self.into)
        self.assertEqual(r.code, 1)
        self.assertIn('not signed', r.out)
        # And from unsigned back to signed.
        again = os.path.join(self.dir, 'App', 'Again')
        self.ok('--rpath', '@loader_path', '--into', again,
                os.path.join(self.into, 'app'))
        self.assertEqual(self.all_sound(again), 5)
        self.check_ok(again)
        stale = os.path.join(self.dir, 'App', 'Stale')
        self.ok('--sign', 'keep', '--into', stale, app)
        self.assertTrue(problems(os.path.join(stale, 'liba.dylib')))
        r = relink('--check', stale)
        self.assertIn('pages differ', r.out)

    def test_duplicate_rpaths(self):
        t = self.tools
        a = t.dylib(self.path('liba.dylib'), 'a')
        app = t.program(self.path('app'), [('a', a)],
                        ['-rpath', '@executable_path/x', '-rpath',
                         '@executable_path/y'])
        rename(app, lambda k, n: '@executable_path/x' if k == RPATH else n)
        self.ok('--into', self.into, app)
        self.assertEqual(one(os.path.join(self.into, 'app')).rpaths(),
                         ['@executable_path/x', '@executable_path'])

    def test_check_finds(self):
        """Each fault that --check is for, made on purpose."""
        app = self.chain()
        self.ok('--into', self.into, app)
        lib = os.path.join(self.into, 'libb.dylib')
        good = tree(self.into)[lib][0]

        def expect(words, data):
            with open(lib, 'wb') as f:
                f.write(data)
            r = relink('--check', self.into)
            self.assertEqual(r.code, 1, words)
            self.assertIn(words, r.out)

        flipped = bytearray(good)
        flipped[0x1000] ^= 1
        expect('pages differ: 1 of', flipped)
        expect('PROBLEM', good[:len(good) // 2])
        os.remove(os.path.join(self.into, 'libd.dylib'))
        expect('@rpath/libd.dylib is not there', good)

    def test_usage(self):
        for args in ((), ('--into', 'x'), ('x',), ('--into', 'x', '--sign',
                     'me', 'y'), ('--into', 'x', '--layout', 'q', 'y'),
                     ('--rpath', '/x', '--into', 'x', 'y'),
                     ('--check', 'x', 'y'), ('--bogus',)):
            r = relink(*args)
            self.assertEqual(r.code, 2, args)
            self.assertIn('--help', r.err)


if __name__ == '__main__':
    unittest.main()
