// A task's state in the part of the address that is never sent.
import { byId } from "./dom.js";

const LONGEST = 200_000;

/** Writes what stands in the fields of a task, and the answers that were fetched for it. */
export function save(name, fields, fetched) {
  const state = Object.fromEntries(fields.map((id) => [id, byId(id).value]).filter(([, text]) => text !== ""));
  if (fetched.size > 0) state.fetched = [...fetched.values()];
  write(name, state);
}

/** Puts what a link says into the fields of a task. */
export function load(fields, state) {
  byId("too-long").hidden = true;
  for (const id of fields) byId(id).value = typeof state[id] === "string" ? state[id] : "";
}

/** Writes a state, or takes the one that is there away. What is too long for a link stays out of it, which is said. */
function write(name, state) {
  const text = Object.keys(state).length === 0 ? "" : encodeURIComponent(JSON.stringify(state));
  byId("too-long").hidden = text.length <= LONGEST;
  try {
    history.replaceState(null, "", `${location.pathname}#${name}${text === "" || text.length > LONGEST ? "" : `=${text}`}`);
  } catch { /* Some browsers let a page do so only so often: the next change writes it. */ }
}

/** The task that the address is about, its state if there is one, and what is wrong with it. */
export function read() {
  const { hash } = location;
  if (hash.length > LONGEST + 6) return { name: "spf", trouble: "The link is too long to be read." };
  const [, name = "spf", text] = /^#(spf|plan)(?:=(.*))?$/s.exec(hash) ?? [];
  if (text === undefined) return { name, trouble: "" };
  try {
    const state = JSON.parse(decodeURIComponent(text));
    if (typeof state === "object" && state !== null) return { name, state, trouble: "" };
  } catch { /* told below */ }
  return { name, trouble: "The link is broken." };
}
