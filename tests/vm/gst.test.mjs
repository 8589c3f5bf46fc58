// SPDX-License-Identifier: LGPL-2.1-or-later
// vsockenc in a virtual machine, in a pipeline of GStreamer's own elements: what
// porthole-hostd outside made of it is decoded here, and compared with what the
// same pipeline draws here.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { DIR, Host, Machine, Place } from "./machine.mjs";

const MEMORY = "memory-backend-memfd,id=memory,size=512M,share=on";
const WIDTH = 960;
const HEIGHT = 540;
const FRAMES = 60;
const SOURCE = `videotestsrc num-buffers=${FRAMES} pattern=ball ` +
  "background-color=0xff3050a0 foreground-color=0xffffc020 " +
  "! videoconvert ! videoscale " +
  `! video/x-raw,format=BGRA,width=${WIDTH},height=${HEIGHT} ` +
  "! queue max-size-buffers=1";

let place;
let host;
let vm;

before(async () => {
  place = new Place();
  fs.mkdirSync(place.file("share"));
  host = await Host.start(["--listen", "tcp:127.0.0.1:0",
    "--vhost-user-vsock", place.file("vsock")],
  { listening: 2, program: "porthole-hostd" });
  fs.symlinkSync(path.resolve(DIR, "kernel-amd64/busybox"), place.file("nc"));
  vm = await Machine.boot([
    "-object", MEMORY, "-machine", "memory-backend=memory",
    "-chardev", `socket,id=vsock,path=${place.file("vsock")}`,
    "-device", "vhost-user-vsock-pci,chardev=vsock",
    "-virtfs", `local,path=${place.file("share")},mount_tag=share,` +
      "security_model=none",
  ], {
    root: "gst",
    // The host's port, which may be any, as 15937 of 10.0.2.2; QEMU forwards
    // nothing at the address of this machine, so that moves to 10.0.2.9.
    net: ",host=10.0.2.9,guestfwd=tcp:10.0.2.2:15937-cmd:" +
      `${place.file("nc")} 127.0.0.1 ${host.port}`,
  });
  await vm.run("modprobe 9pnet_virtio; modprobe 9p");
  const mounted = await vm.run(
    "mount -t 9p -o trans=virtio,version=9p2000.L share /mnt");
  assert.equal(mounted.code, 0, mounted.text);
  execFileSync("gst-launch-1.0", ["-q", ...SOURCE.split(" "),
    "!", "filesink", `location=${place.file("drawn")}`]);
});

after(async () => {
  await vm?.kill();
  Host.killAll();
  place?.remove();
});

/** Runs the pipeline; what GStreamer and vsockenc said. */
async function encode(properties) {
  const done = await vm.run("GST_PLUGIN_PATH=/lib/plugins " +
    "GST_REGISTRY_FORK=no GST_DEBUG=vsockenc:4 gst-launch-1.0 -q " +
    `${SOURCE} ! vsockenc ${properties} ! h264parse ! ` +
    "filesink location=/mnt/encoded");
  assert.equal(done.code, 0, done.text);
  return done.text;
}

/** The PSNR of each decoded frame, colours included. */
function compare() {
  const file = place.file("share/encoded");
  const probe = JSON.parse(execFileSync("ffprobe", ["-v", "error", "-of",
    "json", "-show_entries", "stream=codec_name,width,height", file])).streams[0];
  assert.deepEqual([probe.codec_name, probe.width, probe.height],
    ["h264", WIDTH, HEIGHT]);
  const text = execFileSync("ffmpeg", ["-v", "error", "-i", file,
    "-f", "rawvideo", "-pixel_format", "bgra",
    "-video_size", `${WIDTH}x${HEIGHT}`, "-i", place.file("drawn"),
    "-lavfi", "[0]settb=1/60,setpts=N,format=gbrp[a];" +
      "[1]settb=1/60,setpts=N,format=gbrp[b];" +
      "[a][b]psnr=stats_file=-", "-f", "null", "-"], { encoding: "utf8" });
  return [...text.matchAll(/psnr_avg:(\S+)/g)].map((m) => Number(m[1]));
}

/** Every frame is there, and looks as it was drawn; what the guest said. */
async function right(properties) {
  const said = await encode(properties);
  const psnr = compare();
  assert.equal(psnr.length, FRAMES);
  assert.ok(Math.min(...psnr) > 38, `${psnr}`);
  fs.rmSync(place.file("share/encoded"));
  return said;
}

test("no property: 10.0.2.2 is found", async () => {
  assert.match(await right(""), /found a host at tcp:10\.0\.2\.2:15937/);
});

test("tcp-host", async () => {
  await right("tcp-host=10.0.2.2");
});

test("tcp-host and tcp-port", async () => {
  await right(`tcp-host=10.0.2.9 tcp-port=${host.port}`);
});

test("cid", async () => {
  const loaded = await vm.run("modprobe vmw_vsock_virtio_transport");
  assert.equal(loaded.code, 0, loaded.text);
  await right("cid=2");
});
