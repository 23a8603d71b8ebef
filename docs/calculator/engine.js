// Questions to the core in a worker. A question that is superseded is ended with its worker.

/** Why the core gives no answer. */
export class Refusal extends Error {
  constructor(document) {
    super(document.message);
    this.problems = document.problems ?? [];
    this.questions = document.questions ?? [];
  }
}

/** Thrown in whoever waits for an answer that nobody wants any more. */
export class Cancelled extends Error {}

export class Engine {
  #worker;
  #waiting = new Map();
  #next = 0;
  #since = 0;

  /** The document that an operation gives. */
  async call(operation, input, full = false) {
    return (await this.text(operation, JSON.stringify(input), { full })).document;
  }

  /** The same with the core's own text, in and out. `progress` is told how much was looked at. */
  text(operation, input, { full = true, progress } = {}) {
    this.#worker ??= this.#start();
    const id = this.#next++;
    if (this.#waiting.size === 0) this.#since = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      this.#worker.postMessage({ id, operation, input, full });
    });
  }

  /** Ends what is being worked at for so many milliseconds, if anything is. A new worker takes its time: what is short had better end by itself. */
  cancel(patience = 0) {
    if (this.#waiting.size > 0 && performance.now() - this.#since >= patience) this.#end(new Cancelled());
  }

  #start() {
    const worker = new Worker("worker.js", { type: "module" });
    worker.onmessage = ({ data }) => {
      const { resolve, reject, progress } = this.#waiting.get(data.id);
      if (data.count !== undefined) return progress?.(data.count);
      this.#waiting.delete(data.id);
      // What could not be loaded a worker does not load again.
      if (data.failed !== undefined) { reject(new Error(data.failed)); return this.#end(new Error(data.failed)); }
      const document = JSON.parse(data.output);
      const refused = document.format === "sendershift-error/1" || document.format === "sendershift-missing/1";
      return refused ? reject(new Refusal(document)) : resolve({ text: data.output, document });
    };
    worker.onerror = () => this.#end(new Error("the core could not be loaded"));
    return worker;
  }

  #end(why) {
    this.#worker.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }
}
