// The buttons that load an example.
import { status } from "./asking.js";
import { make } from "./dom.js";

let pressed = 0;

/** The text of a file of the examples. */
export async function fetched(path) {
  const response = await fetch(`examples/${path}`);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return response.text();
}

/** A button that loads an example and uses it, unless meanwhile another was chosen, or `field` has another text. */
export function exampleButton(words, field, load, use) {
  const onclick = async () => {
    const [mine, before] = [++pressed, field.value];
    let loaded;
    try { loaded = await load(); } catch (error) { return status(`The example could not be loaded: ${error.message}`); }
    return mine === pressed && field.value === before && use(loaded);
  };
  return make("button", { type: "button", onclick }, words);
}
