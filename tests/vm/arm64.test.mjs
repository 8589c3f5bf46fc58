// SPDX-License-Identifier: LGPL-2.1-or-later
// The same out of an arm64 machine, as they are on a Mac: network,
// virtio-serial, and memory that is no common memory to such a processor.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { figures, Host, Machine, Place } from "./machine.mjs";

let place;
let host;
let vm;

before(async () => {
  place = new Place();
  host = await Host.start(["--listen", "tcp:127.0.0.1:0",
    "--listen", `virtio-serial:${place.file("serial")}`,
    "--ivshmem", place.file("bar")], { listening: 2 });
  vm = await Machine.boot([
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=c0,path=${place.file("serial")},reconnect=1`,
    "-device", "virtserialport,chardev=c0,name=org.porthole.hxfr.0",
    "-object", "memory-backend-file,id=bar,size=64M,share=on," +
      `mem-path=${place.file("bar")}`,
    "-device", "ivshmem-plain,memdev=bar",
  ], { arch: "arm64" });
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  place?.remove();
});

for (const [where, options, shared] of [
  ["tcp", "-t", 0],
  ["virtio-serial:org.porthole.hxfr.0", "-t", 0],
  ["virtio-serial:org.porthole.hxfr.0", "", 1],
]) {
  test(`arm64: ${where}${shared ? ", ivshmem" : ""}`, async () => {
    const endpoint = where === "tcp" ? `tcp:10.0.2.2:${host.port}` : where;
    const got = figures(await vm.run(`vm-guest ${endpoint} -n 100 ${options}`));
    assert.equal(got.bad, 0);
    assert.equal(got.lost, 0);
    assert.equal(got.shared, shared);
  });
}
