// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/protocol.md quotes the golden messages: every one, as it is.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('.', import.meta.url);
const page = readFileSync(new URL('../../docs/protocol.md', here), 'utf8');

for (const name of readdirSync(here).filter((f) => f.endsWith('.hex'))) {
  test(`docs/protocol.md quotes ${name}`, () => {
    const text = readFileSync(new URL(name, here), 'utf8').trimEnd();
    assert.ok(page.includes(text), `${name} differs from docs/protocol.md`);
  });
}
