// SPDX-License-Identifier: LGPL-2.1-or-later
// Pixels through memory that the machine and its host share: the BAR of an
// ivshmem device, files in a folder that is mounted over 9p. What comes back
// says what the host saw.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { figures, Host, Machine, Place } from "./machine.mjs";

const MIB = 1 << 20;

let place;
let plain;
let vm;
let bar;
let folder;

const start = (...args) => Host.start(["--listen", "tcp:127.0.0.1:0", ...args]);
const guest = (host, args, options = "") =>
  vm.run(`vm-guest tcp:10.0.2.2:${host.port}${options} ${args}`);
const frames = async (...args) => figures(await guest(...args));

before(async () => {
  place = new Place();
  bar = place.file("bar");
  folder = place.file("share");
  fs.mkdirSync(folder);
  fs.writeFileSync(bar, Buffer.alloc(64 * MIB));
  plain = await start();
  vm = await Machine.boot([
    "-object", `memory-backend-file,id=bar,mem-path=${bar},size=64M,share=on`,
    "-device", "ivshmem-plain,memdev=bar",
    "-virtfs",
    `local,path=${folder},mount_tag=porthole,security_model=none`,
  ]);
  await vm.run("modprobe 9pnet_virtio; modprobe 9p; mkdir -p /mnt/porthole");
  const mount = await vm.run("mount -t 9p -o trans=virtio,version=9p2000.L," +
    "msize=1048576 porthole /mnt/porthole");
  assert.equal(mount.code, 0, mount.text);
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  place?.remove();
});

test("ivshmem that is not ours stays as it is", async () => {
  const others = Buffer.from("SOMEBODY ELSE'S");
  const file = fs.openSync(bar, "r+");
  fs.writeSync(file, others, 0, others.length, 0);
  const got = await frames(plain, "-n 20");
  assert.equal(got.bad, 0);
  assert.equal(got.shared, 0);
  const now = fs.readFileSync(bar);
  assert.ok(now.subarray(0, others.length).equals(others));
  assert.ok(now.subarray(others.length).every((byte) => byte === 0));
  fs.closeSync(file);
});

test("ivshmem: every pixel is drawn where the host encodes it", async () => {
  const host = await start("--ivshmem", bar);
  const got = await frames(host, "-n 300 -s 640x360");
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  assert.equal(got.shared, 1);
  assert.ok(got.bytes < 300 * 100, `${got.bytes} bytes on the stream`);
  // Two at once, each in a range of its own.
  const both = await vm.run(
    `(vm-guest tcp:10.0.2.2:${host.port} -s 640x360 -n 100 >/tmp/a;
    echo $? >/tmp/b) & vm-guest tcp:10.0.2.2:${host.port} -s 800x600 -n 100;
    first=$?; wait; cat /tmp/a; exit $(($first + $(cat /tmp/b)))`
      .replaceAll(/\s+/g, " "));
  assert.equal(both.code, 0, both.text);
  assert.equal(both.text.match(/bad 0, lost 0, ready 1, shared 1/g)?.length, 2,
    both.text);
  // Another host than the one whose memory this is: on the stream.
  const other = await frames(plain, "-n 20");
  assert.equal(other.bad, 0);
  assert.equal(other.shared, 0);
  // More than the memory holds: on the stream as well.
  const large = await frames(host, "-n 2 -s 8000x4000");
  assert.equal(large.bad, 0);
  assert.equal(large.shared, 0);
  assert.equal(await host.stop(), 0);
  assert.ok(fs.readFileSync(bar).subarray(0, 4096).every((byte) => byte === 0));
});

test("ivshmem: how fast", async (t) => {
  const host = await start("--ivshmem", bar, "--encoder", "none");
  const got = await frames(host, "-n 500 -s 1920x1080 -w -a");
  t.diagnostic(`ivshmem, 1080p, whole frames: ${got.fps} a second`);
  assert.equal(got.shared, 1);
  await host.stop();
});

test("9p: pixels through a file", async () => {
  const host = await start("--share", folder);
  const got = await frames(host, "-n 100 -s 640x360", ",share=/mnt/porthole");
  assert.equal(got.bad, 0);
  assert.equal(got.lost, 0);
  // Without a share they are on the stream, and are many more.
  const without = await frames(plain, "-n 100 -s 640x360",
    ",share=/mnt/porthole");
  assert.ok(got.bytes * 5 < without.bytes, `${got.bytes}, ${without.bytes}`);
  assert.deepEqual(fs.readdirSync(folder), ["porthole-hostd"]);
  assert.equal(await host.stop(), 0);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test("9p: a guest that cuts the file under the host", async () => {
  const host = await start("--share", folder);
  const got = await vm.run(`vm-guest tcp:10.0.2.2:${host.port}` +
    ",share=/mnt/porthole -n 200 -s 1280x720 & pid=$!; " +
    "while kill -0 $pid 2>/dev/null; do for f in /mnt/porthole/*slots*; do " +
    '[ -e "$f" ] && : >"$f"; done; sleep 0.05; done; wait $pid');
  // Its picture is its own affair; the host lives, and so do others.
  assert.match(got.text, /frames 200, /);
  const again = await frames(host, "-n 20", ",share=/mnt/porthole");
  assert.equal(again.bad, 0);
  await host.stop();
});
