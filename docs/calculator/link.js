// A task's state in the part of the address that is never sent.
const LONGEST = 200_000;

/** Writes a state, or takes the one that is there away. What is too long for a link stays out of it. */
export function write(name, state) {
  const text = Object.keys(state).length === 0 ? "" : encodeURIComponent(JSON.stringify(state));
  history.replaceState(null, "", `${location.pathname}#${name}${text === "" || text.length > LONGEST ? "" : `=${text}`}`);
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
