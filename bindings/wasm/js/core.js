// The module that is loaded, and what it answers.

/** The JavaScript of a module, once it is ready. */
let core;

/** Makes a module the one that answers. */
export function use(module) {
  core = module;
}

/** Why an operation has no answer. */
export class SendershiftError extends Error {
  constructor(document) {
    super(document.message);
    this.name = "SendershiftError";
    this.code = document.code ?? null;
    this.problems = document.problems ?? [];
    this.questions = document.questions ?? [];
  }
}

export function callText(operation, input, { progress } = {}) {
  if (core === undefined) {
    throw new Error("sendershift is not ready: `await init()` first");
  }
  if (typeof operation !== "string" || typeof input !== "string") {
    throw new TypeError("an operation and its input are strings");
  }
  // A function that returns nothing wants to know and not to decide.
  const watch = progress && ((count) => progress(count) !== false);
  return core.call(operation, input, watch);
}

export function call(operation, input, options) {
  const output = JSON.parse(callText(operation, JSON.stringify(input ?? {}), options));
  if (output.format === "sendershift-error/1" || output.format === "sendershift-missing/1") {
    throw new SendershiftError(output);
  }
  return output;
}

export function operations() {
  if (core === undefined) {
    throw new Error("sendershift is not ready: `await init()` first");
  }
  return core.operations().split("\n");
}
