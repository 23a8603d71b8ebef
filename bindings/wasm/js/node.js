// For Node: everything is there at once.

import { readFileSync } from "node:fs";

import { use } from "./core.js";
import * as full from "./full.js";

export * from "./calls.js";

full.initSync({ module: readFileSync(new URL("./full_bg.wasm", import.meta.url)) });
use(full);

export async function init() {}
