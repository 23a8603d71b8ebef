// Elements are made here and nowhere else, and text goes into them as text.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** What stands in some places is of the input before, and nobody can press anything there, until it is not. */
export function stale(ids, is) {
  for (const id of ids) [byId(id).ariaBusy, byId(id).inert] = [String(is), is];
}

export const code = (text) => make("code", {}, text);

/** A text of the core, with what stands between backticks as code. */
export const prose = (text) => text.split(/`([^`]+)`/).map((part, at) => (at % 2 === 1 ? code(part) : part));

export function copyButton(text, what) {
  const button = make("button", { type: "button" }, `Copy ${what}`);
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser does not let this page copy";
    }
    setTimeout(() => (button.textContent = `Copy ${what}`), 2000);
  };
  return button;
}

/** A button that saves a text as a file. */
export function saveButton(text, name, what) {
  const button = make("button", { type: "button" }, `Save ${what}`);
  button.onclick = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "application/octet-stream" }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };
  return button;
}

/** The text in pieces, with what lies in one of the spans (octets of UTF-8) marked. */
export function marked(text, spans) {
  const octets = new TextEncoder().encode(text);
  const decode = (from, to) => new TextDecoder().decode(octets.subarray(from, to));
  const pieces = [];
  let at = 0;
  for (const [from, to] of spans.filter(Boolean).sort((a, b) => a[0] - b[0])) {
    if (from < at) continue;
    pieces.push(decode(at, from), make("mark", {}, decode(from, to) || " "));
    at = to;
  }
  pieces.push(decode(at));
  return pieces;
}

/** A decimal count with its digits in groups; very large ones as a power of ten. */
export function count(digits) {
  return digits.length > 15 ? `about ${digits[0]}.${digits[1]} × 10^${digits.length - 1}` : BigInt(digits).toLocaleString("en");
}
