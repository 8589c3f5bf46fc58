// SPDX-License-Identifier: LGPL-2.1-or-later
// Sends the clipboard or a file in pieces, a window at a time, so that keys
// never wait behind them; gathers a clipboard that comes.
import {
  MAX_CLIPBOARD, MAX_PIECE, PIECE_WINDOW, Progress, writeCancel, writePiece,
} from "./protocol-seat.js";

/**
 * What is sent: a Blob of either kind.
 * @typedef {{id: number, blob: Blob, name: string,
 *   resolve: (text: string) => void, reject: (error: Error) => void,
 *   sent: number, received: number, moved: (part: number) => void,
 *   busy: boolean, over: boolean}} Upload
 */

export class Uploads {
  #send;
  /** @type {Map<number, Upload>} */
  #running = new Map();

  /** @param {(bytes: ArrayBuffer) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Resolves with what the server says: a file's name.
   * @param {number} id 0: the clipboard
   * @param {Blob} blob
   * @param {string} name a file's, or a MIME type
   * @param {(part: number) => void} [moved] 0 to 1
   * @returns {Promise<string>}
   */
  send(id, blob, name, moved = () => {}) {
    const old = this.#running.get(id);
    if (old) this.#end(old, new Error("another one took its place"));
    return new Promise((resolve, reject) => {
      const upload = {
        id, blob, name, resolve, reject, moved, sent: 0, received: 0,
        busy: false, over: false,
      };
      this.#running.set(id, upload);
      void this.#pump(upload, true);
    });
  }

  /** @param {number} id */
  cancel(id) {
    const upload = this.#running.get(id);
    if (!upload) return;
    this.#send(writeCancel(id));
    this.#end(upload, new Error("cancelled"));
  }

  /** The connection is gone, and the pieces with it. */
  forget() {
    for (const upload of [...this.#running.values()]) {
      this.#end(upload, new Error("the connection was lost"));
    }
  }

  /** @param {import("./protocol-seat.js").ProgressOf} progress */
  heard({ code, id, received, text }) {
    const upload = this.#running.get(id);
    if (!upload) return;
    if (code === Progress.DONE) {
      this.#running.delete(id);
      upload.over = true;
      upload.resolve(text);
    } else if (code === Progress.FAILED) {
      this.#end(upload, new Error(text));
    } else {
      upload.received = received;
      upload.moved(upload.blob.size ? received / upload.blob.size : 1);
      void this.#pump(upload, false);
    }
  }

  /**
   * @param {Upload} upload
   * @param {Error} error
   */
  #end(upload, error) {
    upload.over = true;
    if (this.#running.get(upload.id) === upload) {
      this.#running.delete(upload.id);
    }
    upload.reject(error);
  }

  /**
   * @param {Upload} upload
   * @param {boolean} begin
   */
  async #pump(upload, begin) {
    if (upload.busy) return;
    upload.busy = true;
    try {
      await this.#pieces(upload, begin);
    } catch (error) { // a folder, or a file that went away
      if (upload.over) return;
      this.#send(writeCancel(upload.id));
      this.#end(upload, error instanceof Error ? error : new Error("unread"));
    }
    upload.busy = false;
  }

  /**
   * @param {Upload} upload
   * @param {boolean} begin
   */
  async #pieces(upload, begin) {
    const { blob, id, name } = upload;
    let first = begin ? { total: blob.size, name } : null;
    while (!upload.over && (first || upload.sent < blob.size)) {
      const room = upload.received + PIECE_WINDOW - upload.sent;
      if (room < MAX_PIECE) return;
      const part = blob.slice(upload.sent, upload.sent + room);
      const bytes = new Uint8Array(await part.arrayBuffer());
      for (let at = 0; !upload.over && (first || at < bytes.length);
        at += MAX_PIECE) {
        const piece = bytes.subarray(at, at + MAX_PIECE);
        upload.sent += piece.length;
        this.#send(writePiece(id, piece, first, upload.sent === blob.size));
        first = null;
      }
    }
  }
}

/** Puts the pieces of a clipboard together. */
export class Gatherer {
  /** @type {Uint8Array[]} */
  #parts = [];
  #size = 0;
  #total = 0;
  #mime = "";

  /**
   * @param {import("./protocol-seat.js").Clipboard} piece
   * @returns {Blob | null} what is whole with it
   */
  add(piece) {
    if (piece.first || piece.cancel) {
      this.#parts = [];
      this.#size = 0;
      this.#total = piece.total;
      this.#mime = piece.mime;
    }
    if (!this.#mime || piece.cancel) return null;
    this.#size += piece.data.length;
    if (this.#size > Math.min(this.#total, MAX_CLIPBOARD)) {
      this.#mime = "";
      return null;
    }
    this.#parts.push(piece.data);
    if (!piece.last || this.#size !== this.#total) return null;
    const blob = new Blob(/** @type {BlobPart[]} */ (this.#parts),
      { type: this.#mime });
    this.#parts = [];
    this.#mime = "";
    return blob;
  }
}
