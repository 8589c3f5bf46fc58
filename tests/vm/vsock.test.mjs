// SPDX-License-Identifier: LGPL-2.1-or-later
// porthole-hostd as the vsock device of a stock QEMU; and what `auto` finds in
// a machine that has it, then only a virtio-serial port, then only a network.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { figures, Host, Machine, Place, within } from "./machine.mjs";

const MEMORY = "memory-backend-memfd,id=memory,size=512M,share=on";

let place;
let host;
let vm;

before(async () => {
  place = new Place();
  host = await Host.start(["--listen", `virtio-serial:${place.file("serial")}`,
    "--vhost-user-vsock", place.file("vsock")], { listening: 2 });
  vm = await Machine.boot([
    "-object", MEMORY, "-machine", "memory-backend=memory",
    "-chardev", `socket,id=vsock,path=${place.file("vsock")}`,
    "-device", "vhost-user-vsock-pci,chardev=vsock",
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=c0,path=${place.file("serial")},reconnect=1`,
    "-device", "virtserialport,chardev=c0,name=org.porthole.hxfr.0",
  ]);
  const loaded = await vm.run("modprobe vmw_vsock_virtio_transport");
  assert.equal(loaded.code, 0, loaded.text);
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  place?.remove();
});

const frames = async (args) => figures(await vm.run(`vm-guest ${args}`));

async function auto(pattern) {
  const done = await vm.run("vm-guest auto -n 20 -p 20");
  assert.match(done.text, pattern);
  assert.equal(figures(done).bad, 0);
}

test("vhost-user-vsock", async () => {
  const got = await frames("vsock:2:15937 -n 200");
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  const large = await frames("vsock:2:15937 -n 30 -w -s 1920x1080");
  assert.equal(large.bad, 0);
});

test("vhost-user-vsock: guests that die in the middle", async () => {
  for (const wait of ["0.05", "0.4"]) {
    const from = host.log.all.length;
    await vm.run(
      "vm-guest vsock:2:15937 -w -s 1920x1080 -n 100000 & echo $! >/tmp/pid");
    await within(host.log.next(/ is vm-guest/, from), "the guest");
    await vm.run(`sleep ${wait}; kill -9 $(cat /tmp/pid)`);
    await within(host.log.next(/ vm-guest: gone/, from), "its end");
    assert.equal((await frames("vsock:2:15937 -n 20")).bad, 0);
  }
});

test("auto", async () => {
  await auto(/found a host at vsock:2:15937/);
  const driver = "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport";
  await vm.run(`for d in ${driver}/virtio*; do ` +
    `echo \${d##*/} >${driver}/unbind; done`);
  await auto(/found a host at virtio-serial:org\.porthole\.hxfr\.0/);
  // Somebody has the port: a network is left, here one of the guest's own.
  await vm.run("ip addr add 10.0.2.2/32 dev lo; vm-hostd --listen " +
    "tcp:10.0.2.2:15937 >/tmp/host 2>&1 &");
  await vm.run("until grep -q listening /tmp/host; do sleep 0.05; done");
  await vm.run("sleep 1000 </dev/virtio-ports/org.porthole.hxfr.0 & sleep 0.2");
  await auto(/found a host at tcp:10\.0\.2\.2:15937/);
});

test("auto, and there is nobody", async () => {
  await vm.run("killall vm-hostd; vm-guest auto -n 1 -p 100 >/tmp/out 2>&1 &");
  const done = await vm.run("until grep -q 'down:' /tmp/out; do sleep 0.1; " +
    "done; killall vm-guest; cat /tmp/out");
  assert.match(done.text, /cannot reach auto: vsock:2:15937: .*; virtio-serial/);
  assert.match(done.text, /somebody uses it.*; tcp:10\.0\.2\.2:15937: /);
});
