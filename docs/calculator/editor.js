// Fields for text, with what is wrong in it underlined where it is.
import { byId, make, marked } from "./dom.js";

/** Nothing is wrong with a field. */
export const clear = (field) => mark(field, []);

/** What a refusal says is wrong with a field; a press on a problem leads to its place. */
export const underline = (field, refusal) => mark(field, refusal.problems.length > 0 ? refusal.problems : [{ message: refusal.message }]);

function mark(field, problems) {
  const area = byId(field);
  const text = area.value;
  // A record is read without the space around it, and its places are in that text.
  const shift = area.dataset.trimmed === undefined ? 0 : new TextEncoder().encode(text.slice(0, text.length - text.trimStart().length)).length;
  byId(`${field}-marks`)?.replaceChildren(...marked(text, problems.map(({ span }) => span && [span[0] + shift, span[1] + shift])));
  scroll(field);
  const said = problems.map(({ message, help, line, column, span }) => {
    const words = `${message}${help ? ` (${help})` : ""}`;
    if (area.dataset.lines === undefined || !line) return make("li", {}, words);
    const place = make("button", { type: "button", className: "place", onclick: () => lead(area, text, span) }, `line ${line}, column ${column}`);
    return make("li", {}, place, `: ${words}`);
  });
  byId(`${field}-problems`).replaceChildren(...said);
  area.setAttribute("aria-invalid", String(problems.length > 0));
}

function lead(area, text, [from, to]) {
  const octets = new TextEncoder().encode(text);
  const at = (end) => new TextDecoder().decode(octets.subarray(0, end)).length;
  area.focus();
  area.setSelectionRange(at(from), at(Math.max(to, from + 1)));
  const line = parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (text.slice(0, at(from)).split("\n").length - 4) * line);
}

function scroll(field) {
  const marks = byId(`${field}-marks`);
  if (!marks) return;
  [marks.scrollTop, marks.scrollLeft] = [byId(field).scrollTop, byId(field).scrollLeft];
}

for (const { id } of document.querySelectorAll(".editor textarea")) byId(id).addEventListener("scroll", () => scroll(id));
