// SPDX-License-Identifier: LGPL-2.1-or-later
// How fast each way out of a virtual machine is: pictures at 1080p that are
// prepared before (the guest is emulated, its arithmetic is slow), to a host
// that encodes nothing. Prints a table, with --json everything.
// docs/performance.md has the command.
import fs from "node:fs";
import process from "node:process";
import { Host, Machine, Place } from "./machine.mjs";

const SECONDS = Number(process.env.PORTHOLE_SECONDS ?? 3);
const CONTENTS = ["typing", "scroll", "drag", "video"];

const place = new Place();
fs.mkdirSync(place.file("share"));
fs.writeFileSync(place.file("bar"), Buffer.alloc(64 << 20));

const WAYS = [
  ["TCP, raw version 1", "tcp", "--raw-v1"],
  ["TCP", "tcp", "--no-sharing"],
  ["virtio-serial", "virtio-serial:org.porthole.hxfr.0", "--no-sharing"],
  ["vhost-user-vsock", "vsock:2:15937", "--no-sharing"],
  ["vsock, raw version 1", "vsock:2:15937", "--raw-v1"],
  ["ivshmem, TCP", "tcp", ""],
  ["ivshmem, virtio-serial", "virtio-serial:org.porthole.hxfr.0", ""],
  ["9p, virtio-serial",
    "virtio-serial:org.porthole.hxfr.0,share=/mnt/porthole", "9p"],
];

function startHost(...memory) {
  return Host.start(["--encoder", "none", "--listen", "tcp:127.0.0.1:0",
    "--listen", `virtio-serial:${place.file("serial")}`,
    "--vhost-user-vsock", place.file("vsock"), ...memory], { listening: 3 });
}

function boot() {
  return Machine.boot([
    "-object", "memory-backend-memfd,id=memory,size=512M,share=on",
    "-machine", "memory-backend=memory",
    "-chardev", `socket,id=vsock,path=${place.file("vsock")}`,
    "-device", "vhost-user-vsock-pci,chardev=vsock",
    "-device", "virtio-serial-pci",
    "-chardev", `socket,id=c0,path=${place.file("serial")},reconnect=1`,
    "-device", "virtserialport,chardev=c0,name=org.porthole.hxfr.0",
    "-object", "memory-backend-file,id=bar,size=64M,share=on," +
      `mem-path=${place.file("bar")}`,
    "-device", "ivshmem-plain,memdev=bar",
    "-virtfs", `local,path=${place.file("share")},mount_tag=porthole,` +
      "security_model=none",
  ]);
}

async function measure(vm, host, [name, where, how], content) {
  const endpoint = where === "tcp" ? `tcp:10.0.2.2:${host.port}` : where;
  const done = await vm.run(`porthole-bench frames -e ${endpoint} -f 0 ` +
    `-c ${content} -t ${SECONDS} --prepared --json ${how.replace("9p", "")} ` +
    "2>/tmp/errors || cat /tmp/errors");
  const begin = done.text.indexOf("{");
  if (begin < 0) throw new Error(`${name}, ${content}: ${done.text}`);
  return { name, ...JSON.parse(done.text.slice(begin)) };
}

async function run(ways, memory, results) {
  const host = await startHost(...memory);
  const vm = await boot();
  await vm.run("modprobe vmw_vsock_virtio_transport; modprobe 9pnet_virtio; " +
    "modprobe 9p; mkdir -p /mnt/porthole; mount -t 9p -o trans=virtio," +
    "version=9p2000.L,msize=1048576 porthole /mnt/porthole");
  for (const way of ways) {
    for (const content of CONTENTS) {
      results.push(await measure(vm, host, way, content));
    }
  }
  await vm.stop();
  await host.stop();
}

const results = [];
try {
  // The machine has an ivshmem device in both; only once the host wants it.
  await run(WAYS.filter((way) => way[2] !== "9p"),
    ["--ivshmem", place.file("bar")], results);
  await run(WAYS.filter((way) => way[2] === "9p"),
    ["--share", place.file("share")], results);
} finally {
  Host.killAll();
  place.remove();
}
if (process.argv.includes("--json")) {
  process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
} else {
  process.stdout.write(`| way | ${CONTENTS.join(" | ")} |\n|---|---|---|---|---|\n`);
  for (const [name] of WAYS) {
    const cells = results.filter((r) => r.name === name).map((r) =>
      `${r.fps.toFixed(0)} (${(r.latency_ms?.p50 ?? 0).toFixed(1)} ms, ` +
      `${(r.wire_bytes / 1000).toFixed(1)} kB)`);
    process.stdout.write(`| ${name} | ${cells.join(" | ")} |\n`);
  }
}
