// A form for the most used values of a migration. It writes into the text, in the place of a value and nowhere else.
import { make } from "./dom.js";
import { Refusal } from "./engine.js";

/** The values that have a field, by their path, and what the field is called. */
const FIELDS = {
  "title": "Title", "calendar.announce": "Announced on", "calendar.deadline": "Finished by", "calendar.utc_offset": "Clock (offset from UTC)",
  "parameters.queue_lifetime": "Messages wait in queues for up to", "parameters.signature_lifetime": "Signatures are verified for up to",
  "parameters.resolver_stale": "Resolvers are late by up to", "parameters.publication_delay": "Name servers take up to", "limits.reserve": "Lookups that stay unused",
  "domain.*.name": "Name", "domain.*.role": "Role", "domain.*.ttl": "TTL of new records (s)", "domain.*.dmarc.goal": "DMARC policy in the end", "domain.*.dmarc.dwell": "Each policy stays for",
  "source.*.title": "Title", "source.*.include": "SPF include",
  "wave.*.title": "Title", "wave.*.watch": "Watched for", "wave.*.over": "Rolled out over",
  "stream.*.title": "Title", "stream.*.wave": "Wave", "stream.*.now.author_domain": "From, now", "stream.*.now.mail_from": "MAIL FROM, now",
  "stream.*.then.author_domain": "From, afterwards", "stream.*.then.mail_from": "MAIL FROM, afterwards",
  "customers.*.title": "Who they are", "customers.*.must": "What they must do", "customers.*.lead": "Told how long before",
};
const GROUPS = { domain: "Domain", source: "Source", wave: "Wave", stream: "Stream", customers: "Customers" };

const same = (path) => path.join("\n");

export class Form {
  #place;
  #engine;
  #area;
  #shape;
  #inputs = new Map();
  #last = Promise.resolve();

  /** A form in a place, for the text in an area. */
  constructor(place, area, engine) {
    [this.#place, this.#area, this.#engine] = [place, area, engine];
  }

  async #values(text) {
    return (await this.#engine.text("migration.values", JSON.stringify({ migration: text }))).document.values;
  }

  /** Shows the values of the text. What cannot be read leaves the form as it was. */
  async show() {
    let all;
    try { all = await this.#values(this.#area.value); } catch (error) { if (error instanceof Refusal) return; throw error; }
    const values = all.filter(({ path }) => FIELDS[path.map((key) => (typeof key === "number" ? "*" : key)).join(".")] !== undefined);
    const shape = values.map(({ path }) => same(path)).join("\n\n");
    if (shape !== this.#shape) this.#build(values, all);
    this.#shape = shape;
    for (const { path, value } of values) {
      const input = this.#inputs.get(same(path));
      if (document.activeElement !== input) input.value = String(value);
    }
  }

  #build(values, all) {
    this.#inputs.clear();
    const groups = new Map();
    for (const value of values) {
      const listed = typeof value.path[1] === "number";
      const key = listed ? same(value.path.slice(0, 2)) : "";
      if (!groups.has(key)) groups.set(key, { title: listed ? this.#name(value.path, all) : "The whole", fields: [] });
      groups.get(key).fields.push(this.#field(value.path));
    }
    this.#place.replaceChildren(...[...groups.values()].map(({ title, fields }) =>
      make("fieldset", {}, make("legend", {}, title), make("div", { className: "fields" }, ...fields))));
  }

  /** What a part of the file is called: by its id or name. */
  #name([list, at], all) {
    const named = all.find(({ path }) => path.length === 3 && path[0] === list && path[1] === at && (path[2] === "id" || path[2] === "name"));
    return `${GROUPS[list] ?? list} ${named?.value ?? at + 1}`;
  }

  #field(path) {
    const id = `form-${this.#inputs.size}`;
    const words = FIELDS[path.map((key) => (typeof key === "number" ? "*" : key)).join(".")];
    const input = make("input", { type: "text", id, spellcheck: false, autocomplete: "off" });
    const trouble = make("p", { className: "problems", id: `${id}-trouble` });
    input.setAttribute("aria-describedby", trouble.id);
    // One after the other: each goes by the places that the one before has left.
    input.onchange = () => (this.#last = this.#last.then(() => this.#write(path, input, trouble)));
    this.#inputs.set(same(path), input);
    return make("div", {}, make("label", { htmlFor: id }, words), input, trouble);
  }

  /** Writes what a field says in the place of a value, if the text can still be read then. */
  async #write(path, input, trouble) {
    const text = this.#area.value;
    try {
      const old = (await this.#values(text)).find((value) => same(value.path) === same(path));
      if (old === undefined) return;
      const octets = new TextEncoder().encode(text);
      const decode = (from, to) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets.subarray(from, to));
      const before = decode(0, old.span[0]);
      // What stood in quotes stays in quotes; dates and numbers have none.
      const literal = /^["']/.test(decode(...old.span)) ? JSON.stringify(input.value).replaceAll("\u007f", "\\u007F") : input.value.trim();
      const found = (await this.#values(before + literal + decode(old.span[1]))).filter((value) => same(value.path) === same(path));
      if (found.length !== 1 || String(found[0].value) !== (/^"/.test(literal) ? input.value : literal)) throw new Refusal({ message: "that is no value that fits here" });
      trouble.textContent = "";
      input.setAttribute("aria-invalid", "false");
      if (this.#area.value !== text) return;
      this.#area.setRangeText(literal, before.length, before.length + decode(...old.span).length, "end");
      this.#area.dispatchEvent(new Event("input"));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      trouble.textContent = error.message;
      input.setAttribute("aria-invalid", "true");
    }
  }
}
