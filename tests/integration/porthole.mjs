// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs the built `porthole` for tests: `run` with what it starts, `stream` and
// its numbers. PORTHOLE_BIN says which; each test has a private HOME and
// XDG_RUNTIME_DIR. Nothing sleeps: until() asks again and again.
import { spawn } from "node:child_process";
import {
  existsSync, mkdtempSync, readFileSync, readdirSync, rmSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";

export const PATIENCE = 60000;
const BIN = process.env.PORTHOLE_BIN ?? "";

/**
 * The first true value that ask() gives.
 * @template T
 * @param {() => T | Promise<T>} ask
 * @param {string} what
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(ask, what, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

/** A folder that is both HOME and XDG_RUNTIME_DIR, and its environment. */
export class Place {
  dir = mkdtempSync(path.join(os.tmpdir(), "pt-"));

  env(extra = {}) {
    return {
      ...process.env, HOME: this.dir, XDG_RUNTIME_DIR: this.dir, ...extra,
    };
  }

  remove() {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @returns {{pid: number, parent: number, name: string, state: string}[]} */
export function processes() {
  const found = [];
  for (const pid of readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const close = stat.lastIndexOf(")");
      const [state, parent] = stat.slice(close + 2).split(" ");
      const name = stat.slice(stat.indexOf("(") + 1, close);
      found.push({ pid: Number(pid), parent: Number(parent), name, state });
    } catch {
      // it ended meanwhile
    }
  }
  return found;
}

/** Clock ticks of user and system time that a process used so far. */
export function ticks(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Everything that descends from a process, itself not. */
export function descendants(pid) {
  const all = processes();
  const found = [];
  const look = (parent) => {
    for (const p of all.filter((q) => q.parent === parent)) {
      found.push(p);
      look(p.pid);
    }
  };
  look(pid);
  return found;
}

export function alive(pid) {
  return processes().some((p) => p.pid === pid && p.state !== "Z");
}

/** A program that runs; what it says is kept. */
export class Program {
  out = "";
  err = "";
  /** @type {{code: number | null, signal: string | null} | null} */
  ended = null;

  /** wrap: a command that runs it, as `unshare -U` does. */
  constructor(args, { wrap = /** @type {string[]} */ ([]), ...options } = {}) {
    const [command, ...rest] = [...wrap, BIN, ...args];
    this.child = spawn(command, rest, {
      stdio: ["ignore", "pipe", "pipe"], ...options,
    });
    this.child.stdout.on("data", (data) => { this.out += data; });
    this.child.stderr.on("data", (data) => { this.err += data; });
    this.child.on("error", (error) => { this.err += error; });
    this.end = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        this.ended = { code, signal };
        resolve(this.ended);
      });
    });
  }

  get pid() {
    return this.child.pid;
  }

  get text() {
    return this.out + this.err;
  }

  kill(signal) {
    this.child.kill(signal);
  }
}

/** `porthole run`. */
export class Run extends Program {
  /**
   * @param {Place} place
   * @param {string[]} args
   */
  constructor(place, args = [], env = {}, wrap = []) {
    super(["run", ...args], { env: place.env(env), wrap });
    this.place = place;
  }

  /** Waits for the links. */
  async ready() {
    await until(() => this.ended || this.err.includes("Ctrl-C"), "the links");
    if (this.ended) throw new Error(`porthole run ended:\n${this.text}`);
    this.seen = this.family();
    return this;
  }

  get links() {
    return [...this.out.matchAll(/http:\S+#\S+/g)].map((m) => m[0]);
  }

  get link() {
    return this.links[0];
  }

  get dir() {
    return /Logs are in (\S+)\./.exec(this.err)?.[1] ?? "";
  }

  /** All its processes. */
  family() {
    return descendants(this.pid);
  }

  /** The pid of the only process of that name, 0 for none. */
  find(name) {
    const found = this.family()
      .filter((p) => p.name === name && p.state !== "Z");
    return found.length === 1 ? found[0].pid : 0;
  }

  /** Kills a process and waits until another one has its place. */
  async replace(name, signal = "SIGKILL") {
    const old = await until(() => this.find(name), name);
    process.kill(old, signal);
    return until(() => {
      const now = this.find(name);
      return now !== old && now;
    }, `another ${name}`);
  }

  /** What is left of the processes that were there when it was ready, and of
   * those there now. */
  remains(family = this.seen ?? []) {
    return family.filter((p) => alive(p.pid)).map((p) => p.name);
  }

  /** Ends it in the usual way; throws when anything of it is left. */
  async leaveNothing(signal = "SIGINT") {
    const family = this.family();
    const code = await this.stop(signal);
    if (code !== 0) throw new Error(`porthole run: ${code}\n${this.text}`);
    await this.gone(family);
  }

  /** Throws when a process or the folder stays. */
  async gone(family = this.seen) {
    await until(() => this.remains(family).length === 0,
      "its processes to end").catch((error) => {
      throw new Error(`${error.message}: ${this.remains(family)}`);
    });
    await until(() => !existsSync(this.dir), `${this.dir} to vanish`);
  }

  /** Ends it in the usual way: its exit code. */
  async stop(signal = "SIGINT") {
    if (!this.ended) this.kill(signal);
    return (await this.end).code;
  }
}

/**
 * `porthole stream`, until it ends by itself.
 * @param {Place} place
 * @param {string[]} args
 */
export async function stream(place, args) {
  const program = new Program(["stream", ...args], { env: place.env() });
  const { code } = await program.end;
  return { code, out: program.out, err: program.err };
}

/** Its numbers, of a run that succeeds. */
export async function measure(place, args) {
  const { code, out, err } = await stream(place, ["--json", ...args]);
  if (code !== 0) throw new Error(`porthole stream: ${code}\n${err}`);
  return JSON.parse(out);
}
