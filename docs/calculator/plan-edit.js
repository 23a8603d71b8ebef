// Edits of a migration's text by the places of its values: nothing else of it changes, and its comments stay.

export const same = (path) => path.join("\n");
/** The path with a star in the place of each number: what all entries of a list have in common. */
export const kind = (path) => path.map((key) => (typeof key === "number" ? "*" : key)).join(".");
const isBelow = (path, above) => above.every((key, at) => path[at] === key);
const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007F");

/** Why an edit is not made. */
export class Unfit extends Error {}

/** A text in the octets by which the core tells places. */
class Octets {
  constructor(text) { this.octets = new TextEncoder().encode(text); }
  text(from, to) { return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.octets.subarray(from, to)); }
  /** The text with another piece in the place of what stands from one place to another. */
  with(from, to, piece) { return this.text(0, from) + piece + this.text(to); }
}

const listed = (values) => new Map(values.map(({ path, value }) => [same(path), String(value)]));

/** The values once an entry of a list is gone: those behind it move up. */
function without(values, gone) {
  const [at, depth] = [gone.at(-1), gone.length - 1];
  const left = values.filter(({ path }) => !isBelow(path, gone));
  return listed(left.map(({ path, value }) => {
    const behind = isBelow(path, gone.slice(0, -1)) && path[depth] > at;
    return { path: behind ? path.with(depth, path[depth] - 1) : path, value };
  }));
}

/** Something else in the place of a value. What stood in quotes stays in quotes; dates and numbers have none. */
export function replaced(text, values, path, input) {
  const old = values.find((value) => same(value.path) === same(path));
  if (old === undefined) throw new Unfit("the text has no such value any more");
  const octets = new Octets(text);
  const literal = /^["']/.test(octets.text(...old.span)) ? quoted(input) : input.trim();
  const expected = listed(values).set(same(path), literal.startsWith('"') ? input : literal);
  return { text: octets.with(...old.span, literal), expected };
}

/** One more item behind the last one of a list: `path` is that of its value, which may stand in a table of one line. */
export function appended(text, values, path) {
  const last = values.find((value) => same(value.path) === same(path));
  const octets = new Octets(text);
  const depth = path.findLastIndex((key) => typeof key === "number");
  let [end, item] = [last.span[1], '""'];
  if (depth < path.length - 1) {
    const [brace] = /^[^\S\n]*\}/.exec(octets.text(end)) ?? [];
    if (brace === undefined) throw new Unfit("this list has to be added to in the text");
    [end, item] = [end + brace.length, `{ ${path.at(-1)} = "" }`];
  }
  const added = path.with(depth, path[depth] + 1);
  return { text: octets.with(end, end, `, ${item}`), expected: listed(values).set(same(added), ""), added };
}

/** A list without one of its items, and without the comma that was between it and the next. */
export function dropped(text, values, path) {
  const depth = path.findLastIndex((key) => typeof key === "number");
  const item = path.slice(0, depth + 1);
  const octets = new Octets(text);
  let [from, to] = values.find((value) => same(value.path) === same(path)).span;
  if (depth < path.length - 1) {
    const [before, after] = [/\{[^{}\n]*$/.exec(octets.text(0, from)), /^[^{}\n]*\}/.exec(octets.text(to))];
    if (!before || !after) throw new Unfit("this has to be removed in the text");
    [from, to] = [from - new TextEncoder().encode(before[0]).length, to + new TextEncoder().encode(after[0]).length];
  }
  const comma = /^\s*,[^\S\n]*/.exec(octets.text(to));
  if (comma) to += comma[0].length;
  else from -= (/,\s*$/.exec(octets.text(0, from)) ?? [""])[0].length;
  return { text: octets.with(from, to, ""), expected: without(values, item) };
}

/** What a new entry of a list begins with. */
const ENTRIES = {
  domain: 'name = ""\nrole = ""\nttl = 3600\n',
  source: 'id = "@"\ntitle = ""\naddresses = [""]\n',
  wave: 'id = "@"\ntitle = ""\nwatch = "P14D"\nover = "P2D"\n',
  stream: 'id = "@"\ntitle = ""\nnow = { author_domain = "", mail_from = "", sources = [""], dkim = [{ selector = "" }] }\nthen = { author_domain = "", mail_from = "", dkim = [{ selector = "" }] }\n',
  customers: 'id = "@"\ntitle = ""\nmust = ""\nlead = "P90D"\n',
};

/** The text with a new entry of a list at its end. What is in it is not compared, only what was there before. */
export function entered(text, values, list) {
  const ids = new Set(values.filter(({ path }) => path[0] === list && path[2] === "id").map(({ value }) => value));
  let id = `new-${list}`;
  for (let number = 2; ids.has(id); number += 1) id = `new-${list}-${number}`;
  const at = 1 + Math.max(-1, ...values.filter(({ path }) => path[0] === list).map(({ path }) => path[1]));
  const gap = text === "" || text.endsWith("\n\n") ? "" : text.endsWith("\n") ? "\n" : "\n\n";
  return { text: `${text}${gap}[[${list}]]\n${ENTRIES[list].replace("@", id)}`, expected: listed(values), below: [list, at] };
}

/** The text without an entry: from its header up to the next one, comments right above that and all above its own left there. */
export function removed(text, values, entry) {
  const own = values.filter(({ path }) => isBelow(path, entry));
  const octets = new Octets(text);
  const [first, last] = [Math.min(...own.map(({ span }) => span[0])), Math.max(...own.map(({ span }) => span[1]))];
  const header = [...octets.text(0, first).matchAll(new RegExp(`^[^\\S\\n]*\\[\\[\\s*${entry[0]}\\s*\\]\\]`, "gm"))].at(-1);
  if (header === undefined) throw new Unfit("this has to be removed in the text");
  const before = octets.text(0, first).slice(0, header.index);
  const rest = octets.text(last);
  const next = /^[^\S\n]*\[\[?[\w.\s"-]+\]/m.exec(rest.slice(rest.indexOf("\n") + 1));
  let end = next ? rest.indexOf("\n") + 1 + next.index : rest.length;
  // What stands right above the next header is about that one, and at the end what stands behind a gap is about nothing of this.
  const above = /(?:^[^\S\n]*(?:#.*)?(?:\n|(?![^])))+(?![^])/m.exec(rest.slice(0, end));
  const gap = next ? 0 : above?.[0].search(/^[^\S\n]*\n/m);
  if (above && gap >= 0) end = above.index + gap;
  return { text: before + rest.slice(end).replace(/^\n/, ""), expected: without(values, entry) };
}

/** Whether the values are what an edit should have made of them; of a new entry it does not matter what is in it. */
export function fits(values, { expected, below }) {
  const after = listed(below ? values.filter(({ path }) => !isBelow(path, below)) : values);
  return after.size === expected.size && [...after].every(([path, value]) => expected.get(path) === value);
}
