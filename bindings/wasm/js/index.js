// For browsers and bundlers: a module is fetched when `init` asks for it.

import { use } from "./core.js";

export * from "./calls.js";

const loaded = new Map();
let isFull = false;

export async function init({ full = false, wasm } = {}) {
  const name = full ? "full" : "light";
  if (!loaded.has(name)) {
    const loading = load(full, wasm);
    loaded.set(name, loading);
    // What failed, for want of a network perhaps, is tried again the next time.
    loading.catch(() => loaded.delete(name));
  }
  const module = await loaded.get(name);
  // Who has asked for everything does not lose it to somebody who asks for less.
  isFull ||= full;
  if (full || !isFull) {
    use(module);
  }
}

// Both paths are spelled out, so that bundlers find them.
async function load(full, wasm) {
  const module = full ? await import("./full.js") : await import("./light.js");
  await module.default(wasm === undefined ? undefined : { module_or_path: wasm });
  return module;
}
