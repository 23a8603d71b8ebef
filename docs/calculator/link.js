// A task's state in the part of the address that is never sent.
import { byId } from "./dom.js";

const LONGEST = 200_000;

/** Writes what stands in the fields of a task, the answers that were fetched for it, and what else belongs to it. What is too long for a link stays out of it, which is said. */
export function save(name, fields, fetched, more = {}) {
  const texts = fields.map((id) => [id, byId(id).value]).filter(([, text]) => text !== "");
  const isLong = texts.reduce((sum, [, text]) => sum + text.length, 0) > LONGEST;
  const state = { ...Object.fromEntries(texts), ...more, ...(fetched.size > 0 && { fetched: [...fetched.values()] }) };
  const text = isLong || Object.keys(state).length === 0 ? "" : encodeURIComponent(JSON.stringify(state));
  const fits = !isLong && text.length <= LONGEST;
  byId("too-long").hidden = fits;
  try {
    history.replaceState(null, "", `${location.pathname}#${name}${text !== "" && fits ? `=${text}` : ""}`);
  } catch { /* Some browsers let a page do so only so often: the next change writes it. */ }
}

/** Puts what a link says into the fields of a task. */
export function load(fields, state) {
  byId("too-long").hidden = true;
  for (const id of fields) byId(id).value = typeof state[id] === "string" ? state[id] : "";
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
