# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes Mach-O trees with clang and ld64.lld, and runs porthole-relink."""
import json
import os
import shutil
import subprocess
import sys

RELINK = os.environ.get('PORTHOLE_RELINK', 'porthole-relink')
SYSTEM = """--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos, x86_64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ arm64-macos, x86_64-macos ]
    symbols: [ dyld_stub_binder ]
...
"""


def tool(*names):
    for name in names:
        for version in ('', '-19', '-18', '-17', '-16', '-15', '-14'):
            found = shutil.which(name + version)
            if found:
                return found
    print('SKIP: no', names[0])
    sys.exit(77)


def run(*args, **kwargs):
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       universal_newlines=True, check=False, **kwargs)
    if r.returncode:
        raise AssertionError('%s\n%s%s' % (' '.join(args), r.stdout, r.stderr))
    return r.stdout


class Result:
    def __init__(self, r):
        self.code, self.out, self.err = r.returncode, r.stdout, r.stderr

    @property
    def json(self):
        return json.loads(self.out)


def relink(*args, cwd=None, env=None):
    r = subprocess.run((RELINK,) + args, stdout=subprocess.PIPE, check=False,
                       stderr=subprocess.PIPE, universal_newlines=True,
                       cwd=cwd, env=env)
    # 1 and 2 are answers; a signal is a crash.
    assert r.returncode in (0, 1, 2), (args, r.returncode, r.stderr)
    return Result(r)


class Toolchain:
    def __init__(self, folder):
        self.folder = folder
        self.clang = tool('clang')
        self.ld = tool('ld64.lld')
        self.lipo = tool('llvm-lipo')
        self.tbd = os.path.join(folder, 'libSystem.tbd')
        with open(self.tbd, 'w', encoding='ascii') as f:
            f.write(SYSTEM)
        self.count = 0

    def compile(self, source, arch):
        self.count += 1
        base = os.path.join(self.folder, 'o%d' % self.count)
        with open(base + '.c', 'w', encoding='ascii') as f:
            f.write(source)
        run(self.clang, '-target', arch + '-apple-macos11', '-O1', '-c',
            base + '.c', '-o', base + '.o')
        return base + '.o'

    def link(self, path, source, args, arch='arm64'):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        run(self.ld, '-arch', arch, '-platform_version', 'macos', '11', '11',
            '-o', path, self.compile(source, arch), self.tbd, *args)
        return path

    def dylib(self, path, name, uses=(), args=(), arch='arm64', pad='0x400'):
        """A dylib with int NAME(void), which calls those of `uses`: pairs of
        name and path to link against."""
        source = ''.join('int %s(void);' % n for n, _ in uses)
        source += 'int %s(void) { return 1%s; }\n' % (
            name, ''.join(' + %s()' % n for n, _ in uses))
        args = list(args)
        if '-install_name' not in args:
            args += ['-install_name', path]
        return self.link(path, source, ['-dylib', '-headerpad', pad] + args +
                         [p for _, p in uses], arch)

    def program(self, path, uses=(), args=(), arch='arm64', pad='0x400'):
        source = ''.join('int %s(void);' % n for n, _ in uses)
        source += 'int main(void) { return 0%s; }\n' % ''.join(
            ' + %s()' % n for n, _ in uses)
        return self.link(path, source, ['-headerpad', pad] + list(args) +
                         [p for _, p in uses], arch)

    def fat(self, path, *thin):
        run(self.lipo, '-create', '-output', path, *thin)
        return path


def tree(folder):
    """Everything below, with contents: to see whether anything changed."""
    out = {}
    for root, dirs, files in os.walk(folder):
        for name in dirs + files:
            path = os.path.join(root, name)
            st = os.lstat(path)
            if os.path.islink(path):
                out[path] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, 'rb') as f:
                    out[path] = (f.read(), st.st_mtime_ns, st.st_ino)
            else:
                out[path] = 'folder'
    return out
