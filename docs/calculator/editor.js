// Fields for text, with what is wrong in it underlined where it is.
import { byId, make, marked } from "./dom.js";

/** More places than anybody looks at take the browser long to show. */
const MOST_SHOWN = 100;
const LARGEST_FILE = 4_000_000;

/** Nothing is wrong with a field. */
export const clear = (field) => mark(field, []);

/** What a refusal says is wrong with a field; a press on a problem leads to its place. */
export const underline = (field, refusal) => mark(field, refusal.problems.length > 0 ? refusal.problems : [{ message: refusal.message }]);

/** Lets an input for files put their text into a field. */
export function takeFiles(input, field, use) {
  byId(input).onchange = async () => {
    const [file] = byId(input).files;
    if (!file) return undefined;
    try {
      if (file.size > LARGEST_FILE) throw new Error(`${file.name} has ${file.size.toLocaleString("en")} octets, which is more than this page can show: the command takes it`);
      byId(field).value = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch (error) {
      return mark(field, [{ message: error instanceof TypeError ? `${file.name} is not UTF-8 text` : error.message }]);
    } finally {
      // The text may be edited, and the same file chosen again.
      byId(input).value = "";
    }
    return use();
  };
}

function mark(field, all) {
  const problems = all.slice(0, MOST_SHOWN);
  const area = byId(field);
  const text = area.value;
  // A record is read without the space around it, and its places are in that text.
  const shift = area.dataset.trimmed === undefined ? 0 : new TextEncoder().encode(text.slice(0, text.length - text.trimStart().length)).length;
  byId(`${field}-marks`)?.replaceChildren(...marked(text, problems.map(({ span }) => span && [span[0] + shift, span[1] + shift])));
  scroll(field);
  const said = problems.map(({ message, help, line, column, span }) => {
    const words = `${message}${help ? ` (${help})` : ""}`;
    if (area.dataset.lines === undefined || !line) return make("li", {}, words);
    const place = make("button", { type: "button", className: "place", onclick: () => lead(field, text, span) }, `line ${line}, column ${column}`);
    return make("li", {}, place, `: ${words}`);
  });
  if (all.length > problems.length) said.push(make("li", {}, `and ${all.length - problems.length} more`));
  byId(`${field}-problems`).replaceChildren(...said);
  area.setAttribute("aria-invalid", String(problems.length > 0));
}

function lead(field, text, [from, to]) {
  const area = byId(field);
  const octets = new TextEncoder().encode(text);
  const at = (end) => new TextDecoder().decode(octets.subarray(0, end)).length;
  area.focus();
  area.setSelectionRange(at(from), at(Math.max(to, from + 1)));
  const line = parseFloat(getComputedStyle(area).lineHeight);
  const before = text.slice(0, at(from)).split("\n");
  area.scrollTop = Math.max(0, (before.length - 4) * line);
  // The letters are all as wide as one another; what is wider is scrolled to by a little less.
  area.scrollLeft = Math.max(0, before.at(-1).length * letter(area) - area.clientWidth / 2);
}

/** How many pixels wide a letter of a field is. */
function letter(area) {
  const { fontSize, fontFamily } = getComputedStyle(area);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${fontSize} ${fontFamily}`;
  return pen.measureText("m").width;
}

function scroll(field) {
  const marks = byId(`${field}-marks`);
  if (!marks) return;
  [marks.scrollTop, marks.scrollLeft] = [byId(field).scrollTop, byId(field).scrollLeft];
}

for (const { id } of document.querySelectorAll(".editor textarea")) byId(id).addEventListener("scroll", () => scroll(id));
