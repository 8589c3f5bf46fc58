// SPDX-License-Identifier: LGPL-2.1-or-later
// The player in a Worker: commands come in as messages, notices go out.
import { Player } from "./player.js";

const player = new Player((notice) => postMessage(notice));
onmessage = (event) => player.handle(event.data);
