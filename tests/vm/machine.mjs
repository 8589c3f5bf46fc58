// SPDX-License-Identifier: LGPL-2.1-or-later
// A virtual machine and a host server for the tests of this folder. VM_DIR
// says where stage vm of script/test put what they need: kernel-ARCH and
// root-ARCH (the root file system), vm-hostd, vm-guest.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

export const DIR = process.env.VM_DIR ?? "build-test/vm";
const PATIENCE = 120000;

/** Rejects when it takes too long; the machine may be very busy. */
export async function within(promise, what, patience = PATIENCE) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`waited in vain for ${what}`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A folder of a test's own, short enough for the names of sockets. */
export class Place {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "pvm-"));

  file(name) {
    return path.join(this.dir, name);
  }

  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Lines of a stream, as they come: next(pattern) waits for one that fits. */
class Lines {
  all = [];
  #waiting = [];
  #ended = false;

  constructor(stream) {
    const lines = readline.createInterface({ input: stream });
    lines.on("line", (line) => {
      this.all.push(line);
      this.#tell();
    });
    lines.on("close", () => {
      this.#ended = true;
      this.#tell();
    });
  }

  #tell() {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  /** The first line from `from` on that fits: its index. */
  async next(pattern, from = 0) {
    for (let at = from; ; at += 1) {
      while (at >= this.all.length) {
        if (this.#ended) {
          throw new Error(`it ended: ${this.all.slice(-20).join("\n")}`);
        }
        await new Promise((resolve) => { this.#waiting.push(resolve); });
      }
      if (pattern.test(this.all[at])) return at;
    }
  }
}

/** porthole-hostd, or the one with the encoders of encoder_sum.c. */
export class Host {
  static #all = new Set();

  /** Ends those that a failed test left. */
  static killAll() {
    Host.#all.forEach((host) => host.child.kill("SIGKILL"));
  }

  /** @param {string[]} args */
  static async start(args, { listening = 1, program = "vm-hostd" } = {}) {
    const host = new Host();
    host.child = spawn(path.join(DIR, program), args,
      { stdio: ["ignore", "pipe", "pipe"] });
    host.ended = new Promise((resolve) => {
      host.child.on("close", (code, signal) => {
        Host.#all.delete(host);
        resolve(code ?? signal);
      });
    });
    Host.#all.add(host);
    host.out = new Lines(host.child.stdout);
    host.log = new Lines(host.child.stderr);
    host.endpoints = [];
    for (let i = 0, at = -1; i < listening; i += 1) {
      at = await within(host.out.next(/^listening /, at + 1), "the host");
      host.endpoints.push(host.out.all[at].slice("listening ".length));
    }
    return host;
  }

  /** The port of its first TCP endpoint. */
  get port() {
    const tcp = this.endpoints.find((e) => e.startsWith("tcp:")) ?? "";
    return tcp.slice(tcp.lastIndexOf(":") + 1);
  }

  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    return within(this.ended, "the host to end");
  }
}

/** vm-guest, or another program, outside of any machine: its exit status and what it says. */
export async function runHere(args, program = "vm-guest") {
  const child = spawn(path.join(DIR, program), args);
  let text = "";
  child.stdout.on("data", (data) => { text += data; });
  child.stderr.on("data", (data) => { text += data; });
  const code = await within(new Promise((resolve) => {
    child.on("close", (status, signal) => resolve(status ?? signal));
  }), program);
  return { code, text };
}

/** What vm-guest said, as numbers. */
export function figures({ code, text }) {
  assert.equal(code, 0, text);
  const last = text.match(/^frames .*$/m);
  assert.ok(last, text);
  return Object.fromEntries(last[0].split(", ").map((part) => {
    const [a, b] = part.split(" ");
    return b === "fps" ? [b, Number(a)] : [a, Number(b)];
  }));
}

const MACHINES = {
  amd64: {
    program: "qemu-system-x86_64",
    args: ["-M", "q35", "-cpu", "max"],
    console: "ttyS0",
  },
  arm64: {
    program: "qemu-system-aarch64",
    args: ["-M", "virt,gic-version=2", "-cpu", "cortex-a57"],
    console: "ttyAMA0",
  },
};

export class Machine {
  #queue = Promise.resolve();

  /**
   * Boots; devices are further arguments for QEMU.
   * @param {string[]} devices
   */
  static async boot(devices = [], { arch = "amd64", root = "root", net = "" } = {}) {
    const kind = MACHINES[arch];
    const vm = new Machine();
    // KVM is there in some places where it does not work: never used.
    vm.child = spawn(kind.program, [...kind.args,
      "-accel", "tcg,thread=multi", "-smp", "1", "-m", "512",
      "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
      "-serial", "stdio",
      "-kernel", path.join(DIR, `kernel-${arch}`, "kernel"),
      "-initrd", path.join(DIR, `${root}-${arch}`),
      "-append", `quiet panic=-1 console=${kind.console}`,
      "-netdev", `user,id=net${net}`, "-device", "virtio-net-pci,netdev=net,romfile=",
      ...devices], { stdio: ["pipe", "pipe", "pipe"] });
    vm.ended = new Promise((resolve) => {
      vm.child.on("close", (code, signal) => resolve(code ?? signal));
    });
    vm.child.stdin.on("error", () => {}); // it ended: the lines say so
    vm.errors = "";
    vm.child.stderr.on("data", (data) => { vm.errors += data; });
    vm.lines = new Lines(vm.child.stdout);
    try {
      await within(vm.lines.next(/^@up /), "the guest");
    } catch (error) {
      vm.child.kill("SIGKILL");
      throw new Error(`${error.message}\n${vm.errors}`);
    }
    return vm;
  }

  /** Runs a line of shell in the guest: what it says and its exit status. */
  async run(line) {
    const turn = this.#queue.then(async () => {
      const from = this.lines.all.length;
      this.child.stdin.write(`${line}\n`);
      const at = await within(this.lines.next(/^@done \d+$/, from),
        `"${line}" in the guest, which said ${this.lines.all.slice(from)}`);
      return {
        code: Number(this.lines.all[at].slice("@done ".length)),
        text: this.lines.all.slice(from, at).join("\n"),
      };
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Ends the machine in good order: the guest powers it off. */
  async stop() {
    this.child.stdin.write("poweroff -f\n");
    return within(this.ended, "the guest to power off");
  }

  async kill() {
    this.child.kill("SIGKILL");
    return this.ended;
  }
}
