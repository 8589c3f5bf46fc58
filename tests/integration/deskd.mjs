// SPDX-License-Identifier: LGPL-2.1-or-later
// Starts the program under test: a porthole-deskd, named by $DESKD.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

export const TOKEN = "a-token-that-drives-the-desktop";
export const VIEW_TOKEN = "a-token-that-only-views-it";

export class Deskd {
  lines = []; // of stdout, behind the first one
  errors = "";
  #waiting = [];

  /** args: behind --capture test; env: for the fake source. */
  static async start(args = [], env = {}) {
    const deskd = new Deskd();
    await deskd.#start(args, env);
    return deskd;
  }

  async #start(args, env) {
    this.dir = await mkdtemp(path.join(os.tmpdir(), "porthole-test-"));
    const files = ["token", "view"].map((n) => path.join(this.dir, n));
    await writeFile(files[0], `${TOKEN}\n`, { mode: 0o600 });
    await writeFile(files[1], `${VIEW_TOKEN}\n`, { mode: 0o600 });
    this.process = spawn(process.env.DESKD, [
      "--capture", "test", "--http", "127.0.0.1:0", "--token-file", files[0],
      "--view-token-file", files[1], ...args,
    ], {
      env: {
        ...process.env, XDG_RUNTIME_DIR: this.dir, HOME: this.dir,
        // With a sanitizer: what is freed counts as free.
        ASAN_OPTIONS: "quarantine_size_mb=0:thread_local_quarantine_size_kb=0",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exit = once(this.process, "exit");
    this.process.stderr.on("data", (d) => { this.errors += d; });
    const reader = readline.createInterface({ input: this.process.stdout });
    const first = await Promise.race([once(reader, "line"), this.exit]);
    const url = /^listening (http:\/\/127\.0\.0\.1:(\d+)\/)$/.exec(first[0]);
    if (!url) throw new Error(`did not start: ${this.errors}`);
    this.url = url[1];
    this.port = Number(url[2]);
    reader.on("line", (line) => {
      this.lines.push(line);
      this.#waiting.splice(0).forEach((wake) => wake());
    });
  }

  /** Waits until stdout has had this line. */
  async line(text) {
    while (!this.lines.includes(text)) {
      await new Promise((resolve) => { this.#waiting.push(resolve); });
    }
  }

  async stats() {
    const answer = await fetch(`${this.url}stats`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    return answer.json();
  }

  /** Resolves with the first statistics for which condition holds. */
  async statsWhen(condition) {
    for (;;) {
      const s = await this.stats();
      if (condition(s)) return s;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }

  /** Bytes of memory that it has. */
  async memory() {
    const text = await readFile(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(text)[1]) * 1024;
  }

  /** What it used: CPU time in ms, and how often it woke up. */
  async work() {
    const task = `/proc/${this.process.pid}`;
    const [ns] = (await readFile(`${task}/schedstat`, "utf8")).split(" ");
    const status = await readFile(`${task}/status`, "utf8");
    const wakes = /\nvoluntary_ctxt_switches:\s+(\d+)/.exec(status)[1];
    return { ms: Number(ns) / 1e6, wakes: Number(wakes) };
  }

  /** For a test that failed on the way: no process stays. */
  kill() {
    this.process.kill("SIGKILL");
  }

  /** SIGTERM; resolves with [code, signal]. */
  async stop() {
    if (this.process.exitCode === null) this.process.kill("SIGTERM");
    const result = await this.exit;
    await rm(this.dir, { recursive: true });
    if (/ERROR: |runtime error|SUMMARY: /.test(this.errors)) {
      throw new Error(this.errors);
    }
    return result;
  }
}
