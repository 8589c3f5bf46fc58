// SPDX-License-Identifier: LGPL-2.1-or-later
// What a person sees in Chromium when something ends: a picture that comes
// back, a wrong token, the end of the desktop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "../browser/harness.mjs";
import { shoot } from "./desktops.mjs";
import { Place, Run, until } from "./porthole.mjs";

let browser;

before(async () => {
  browser = await launch({ viewport: { width: 1920, height: 1080 } });
});
after(() => browser?.close());

test("a picture comes back by itself", async () => {
  const place = new Place();
  const run = await new Run(place).ready();
  try {
    const viewer = await browser.open(run.link);
    const last = async () => (await viewer.statistics()).last?.sequence;
    const shows = async (what, act) => {
      await viewer.picture();
      const mark = `m${Math.floor(Math.random() * 1e9)}`;
      await act(mark);
      const old = await last();
      await until(async () => {
        await viewer.type("x");
        return await last() !== old;
      }, `a new picture after ${what}`);
    };
    await shows("kill -9 of hostd", () => run.replace("porthole-hostd"));
    await shows("kill -9 of deskd", () => run.replace("porthole-deskd"));
  } finally {
    await run.stop();
    place.remove();
  }
});

test("a wrong token, and the end, are said on the screen", async () => {
  const place = new Place();
  const run = await new Run(place).ready();
  try {
    const wrong = run.link.replace(/token=.*/, "token=wrong");
    const refused = await browser.open(wrong, false);
    await refused.screen("bad-token");
    await shoot(refused, "wrong-token");
    assert.match(await refused.page.evaluate(() => document.body.innerText),
      /link/i);
    await refused.page.close();

    const viewer = await browser.open(run.links[1]);
    await shoot(viewer, "view-only");
    await run.stop();
    await until(() => viewer.page.evaluate(() =>
      document.body.dataset.screen !== ""), "a message");
    await shoot(viewer, "over");
    await viewer.page.close();
  } finally {
    await run.stop();
    place.remove();
  }
});
