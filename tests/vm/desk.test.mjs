// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/vm.md in small: a desktop in a virtual machine, encoded by the host,
// seen through a forwarded port as a browser sees it.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Host, Machine, Place, runHere, within } from "./machine.mjs";

let place;
let vm;
let port;

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return address.port;
}

before(async () => {
  place = new Place();
  port = await freePort();
  await Host.start(["--listen",
    `virtio-serial:${place.file("serial")}`], { program: "porthole-hostd" });
  vm = await Machine.boot([
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=c0,path=${place.file("serial")},reconnect=1`,
    "-device", "virtserialport,chardev=c0,name=org.porthole.hxfr.0",
  ], { root: "desk", net: `,hostfwd=tcp:127.0.0.1:${port}-:${port}` });
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  place?.remove();
});

test("a desktop out of a virtual machine", async () => {
  await vm.run("echo 0123456789abcdef0123456789abcdef >/tmp/token; " +
    "chmod 600 /tmp/token");
  await vm.run("porthole-deskd --capture test --size 640x360 --fps 10 " +
    `--host auto --http 0.0.0.0:${port} --token-file /tmp/token ` +
    ">/tmp/desk 2>&1 &");
  const up = await vm.run("for i in $(seq 600); do grep -q listening " +
    "/tmp/desk && break; sleep 0.1; done; cat /tmp/desk");
  assert.match(up.text, /listening/);
  const file = place.file("token");
  fs.writeFileSync(file, "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
  const { code, text } = await within(runHere(["stream", "--json",
    "--duration", "3", "--token-file", file, `http://127.0.0.1:${port}/`],
    "porthole"), "its picture");
  assert.equal(code, 0, text);
  const seen = JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1));
  assert.ok(seen.frames > 5, text);
  const log = await vm.run("cat /tmp/desk");
  assert.match(log.text,
    /found a host at virtio-serial:org\.porthole\.hxfr\.0/);
});
