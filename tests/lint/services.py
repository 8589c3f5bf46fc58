#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files by which the system starts porthole-hostd make sense.

usage: services.py PORTHOLE-HOSTD FILE...

Of systemd's units, systemd-analyze says so; the system's must also be judged
well confined. A launchd agent is a property list with what launchd needs. The
program takes the options that each gives it. Ends with 77 without systemd.
"""
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
import tempfile

WORST_EXPOSURE = 25  # of 100, by systemd-analyze security


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0 or 'porthole' in done.stderr:
        sys.exit(f'{shlex.join(command)}: {done.returncode}\n'
                 f'{done.stdout[-2000:]}{done.stderr}')


def check_options(program, args):
    if not args or '@' in ' '.join(args):
        sys.exit(f'not a command line: {args}')
    if os.path.basename(args[0]) != os.path.basename(program):
        sys.exit(f'starts {args[0]}')
    run(program, *args[1:], '--list-encoders')


def check_agent(program, path):
    with open(path, 'rb') as file:
        agent = plistlib.load(file)
    if agent['Label'] + '.plist' != os.path.basename(path):
        sys.exit(f'{path} is labelled {agent["Label"]}')
    check_options(program, agent['ProgramArguments'])


def check_unit(program, path, folder):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    user = '.user.' in path
    # The program as it was built, since it is not installed.
    [line] = [x for x in text.splitlines() if x.startswith('ExecStart=')]
    args = shlex.split(line.removeprefix('ExecStart='))
    check_options(program, args)
    unit = os.path.join(folder, 'user' if user else 'system',
                        'porthole-hostd.service')
    os.makedirs(os.path.dirname(unit))
    with open(unit, 'w', encoding='utf-8') as file:
        file.write(text.replace(args[0], program))
    run('systemd-analyze', *(['--user'] if user else []), '--man=no',
        '--recursive-errors=no', 'verify', unit)
    if not user:
        run('systemd-analyze', '--no-pager', 'security', '--offline=true',
            f'--threshold={WORST_EXPOSURE}', unit)


def main():
    program = os.path.abspath(sys.argv[1])
    if not shutil.which('systemd-analyze'):
        print('systemd-analyze is not here')
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.environ['XDG_RUNTIME_DIR'] = folder
        for path in sys.argv[2:]:
            if path.endswith('.plist'):
                check_agent(program, path)
            else:
                check_unit(program, path, folder)


if __name__ == '__main__':
    main()
