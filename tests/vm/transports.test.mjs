// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames out of a virtual machine, over every way that leads to the host. What
// comes back says what the host saw: one wrong pixel and the test fails.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, before, test } from "node:test";
import { figures, Host, Machine, Place, within } from "./machine.mjs";

const PORT = "org.porthole.hxfr.0";

let place;
let host;
let vm;
let stranger;

function startHost() {
  return Host.start(["--listen", "tcp:127.0.0.1:0",
    "--listen", `virtio-serial:${place.file("serial")}`], { listening: 2 });
}

// A port of the machine that is somebody else's.
async function listenAsStranger() {
  const server = net.createServer((socket) => {
    socket.on("data", (data) => { server.heard += data.length; });
    socket.on("error", () => {});
  });
  server.heard = 0;
  server.listen(place.file("other"));
  await once(server, "listening");
  server.unref();
  return server;
}

before(async () => {
  place = new Place();
  host = await startHost();
  stranger = await listenAsStranger();
  vm = await Machine.boot([
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=c0,path=${place.file("serial")},reconnect=1`,
    "-device", `virtserialport,chardev=c0,name=${PORT}`,
    "-chardev", `socket,id=c1,path=${place.file("other")}`,
    "-device", "virtserialport,chardev=c1,name=org.example.agent.0",
    "-device", "virtio-gpu-pci,romfile=",
  ]);
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  stranger?.close();
  place?.remove();
});

async function until(ask) {
  while (!ask()) await new Promise((resolve) => { setTimeout(resolve, 20); });
}

const frames = async (args) => figures(await vm.run(`vm-guest ${args}`));

test("TCP through user-mode networking", async () => {
  const got = await frames(`tcp:10.0.2.2:${host.port} -n 200`);
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  assert.equal(got.shared, 0);
});

test("virtio-serial", async () => {
  const got = await frames(`virtio-serial:/dev/virtio-ports/${PORT} -n 200`);
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  const named = await frames(`virtio-serial:${PORT} -n 20`);
  assert.equal(named.bad, 0);
});

test("virtio-serial: guests that die in the middle", async () => {
  for (const wait of ["0.05", "0.3", "0.6"]) {
    const from = host.log.all.length;
    await vm.run(`vm-guest virtio-serial:${PORT} -w -s 1920x1080 -n 100000 &
      echo $! >/tmp/pid`.replaceAll(/\n\s*/g, " "));
    await within(host.log.next(/ is vm-guest/, from), "the guest");
    await vm.run(`sleep ${wait}; kill -9 $(cat /tmp/pid)`);
    const got = await frames(`virtio-serial:${PORT} -n 20`);
    assert.equal(got.bad, 0);
    assert.equal(got.lost, 0);
  }
});

test("virtio-serial: a host that dies in the middle", async () => {
  const from = host.log.all.length;
  const guest = frames(`virtio-serial:${PORT} -s 640x360 -n 400`);
  await within(host.log.next(/ is vm-guest/, from), "the guest");
  await host.stop("SIGKILL");
  host = await startHost();
  const got = await guest;
  assert.equal(got.bad, 0);
  assert.ok(got.ready > 1);
});

test("virtio-serial: only ports of our name", async () => {
  const other = "/dev/virtio-ports/org.example.agent.0";
  for (const [where, why] of [
    [other, /only org\.porthole\.hxfr\.N are ours/],
    ["org.example.agent.0", /no such port/],
    ["/dev/null", /no virtio-serial port/],
    ["/tmp/nothing", /No such file/],
  ]) {
    const done = await vm.run(`vm-guest virtio-serial:${where} -n 1 -p 1`);
    assert.equal(done.code, 1);
    assert.match(done.text, why);
  }
  assert.equal(stranger.heard, 0);
  // It does work, for who may use it.
  await vm.run(`echo hello >${other}`);
  await within(until(() => stranger.heard === 6), "a word");
});

test("AF_VSOCK, host and guest in one machine", async () => {
  await vm.run("modprobe vsock_loopback");
  await vm.run("vm-hostd --listen vsock:any:15937 >/tmp/host 2>&1 &");
  await vm.run("until grep -q listening /tmp/host; do sleep 0.05; done");
  const got = await frames("vsock:1:15937 -n 200");
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  const none = await vm.run("vm-guest vsock:1:15938 -n 1 -p 1");
  assert.equal(none.code, 1);
  assert.match(none.text, /cannot reach vsock:1:15938: Connection reset/);
});

test("a dma-buf is found as the resource that the host knows", async (t) => {
  assert.equal((await vm.run("modprobe virtio-gpu")).code, 0);
  const done = await vm.run("vm-resource");
  assert.equal(done.code, 0, done.text);
  assert.equal(done.text.match(/^handle /gm)?.length, 3);
  t.diagnostic(done.text);
});

test("an orderly end", async () => {
  assert.equal(await vm.stop(), 0);
});
