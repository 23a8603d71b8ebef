// A form for the most used values of a migration. It writes into the text, in the place of a value and nowhere else.
import { make } from "./dom.js";
import { Refusal } from "./engine.js";
import { Unfit, appended, dropped, entered, fits, kind, removed, replaced, same } from "./plan-edit.js";

/** The values that have a field, by their path, and what the field is called. */
const FIELDS = {
  "title": "Title", "calendar.announce": "Announced on", "calendar.deadline": "Finished by", "calendar.utc_offset": "Clock (offset from UTC)",
  "parameters.queue_lifetime": "Messages wait in queues for up to", "parameters.signature_lifetime": "Signatures are verified for up to",
  "parameters.resolver_stale": "Resolvers are late by up to", "parameters.publication_delay": "Name servers take up to", "limits.reserve": "Lookups that stay unused",
  "domain.*.name": "Name", "domain.*.role": "Role", "domain.*.ttl": "TTL of new records (s)", "domain.*.dmarc.goal": "DMARC policy in the end", "domain.*.dmarc.dwell": "Each policy stays for",
  "source.*.id": "Id", "source.*.title": "Title", "source.*.include": "SPF include",
  "wave.*.id": "Id", "wave.*.title": "Title", "wave.*.watch": "Watched for", "wave.*.over": "Rolled out over",
  "stream.*.id": "Id", "stream.*.title": "Title", "stream.*.wave": "Wave", "stream.*.now.author_domain": "From, now", "stream.*.now.mail_from": "MAIL FROM, now",
  "stream.*.then.author_domain": "From, afterwards", "stream.*.then.mail_from": "MAIL FROM, afterwards",
  "customers.*.id": "Id", "customers.*.title": "Who they are", "customers.*.must": "What they must do", "customers.*.lead": "Told how long before",
};
/** The lists whose items have fields. */
const LISTS = {
  "domain.*.mx.*": "Mail exchange", "domain.*.dmarc.rua.*": "Report mailbox", "source.*.addresses.*": "Address", "source.*.terms.*": "SPF term",
  "stream.*.now.sources.*": "Source, now", "stream.*.then.sources.*": "Source, afterwards",
  "stream.*.now.dkim.*.selector": "DKIM selector, now", "stream.*.then.dkim.*.selector": "DKIM selector, afterwards",
};
const GROUPS = { domain: "Domain", source: "Source", wave: "Wave", stream: "Stream", customers: "Customers" };

export class Form {
  #place;
  #engine;
  #area;
  #shape;
  /** The fields by their paths, each with the place for what is wrong with it. */
  #inputs = new Map();
  /** What is called by the name of an entry, which may change. */
  #named = [];
  #last = Promise.resolve();
  /** The field that is to be filled in next. */
  #next;
  /** Where among the buttons the one stood that was pressed. */
  #pressed;

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
    const values = all.filter(({ path }) => FIELDS[kind(path)] !== undefined || LISTS[kind(path)] !== undefined);
    const shape = values.map(({ path }) => same(path)).join("\n\n");
    if (shape !== this.#shape) this.#build(values, all);
    this.#shape = shape;
    for (const rename of this.#named) rename(all);
    for (const { path, value } of values) this.#fill(this.#inputs.get(same(path)), String(value));
    this.#lead();
  }

  #fill({ input, trouble }, text) {
    input.defaultValue = text;
    // One line would say something else.
    input.readOnly = text.includes("\n");
    input.title = input.readOnly ? "It has several lines: change it in the text." : "";
    if (document.activeElement === input || input.value === text) return;
    input.value = text;
    trouble.textContent = "";
    input.removeAttribute("aria-invalid");
  }

  /** Whoever has pressed a button goes on where it was, if it is gone. */
  #lead() {
    const buttons = [...this.#place.querySelectorAll("button")];
    const pressed = document.activeElement === document.body && this.#pressed !== undefined && buttons[Math.min(this.#pressed, buttons.length - 1)];
    const next = this.#next ? this.#inputs.get(this.#next)?.input : pressed;
    [this.#next, this.#pressed] = [undefined, undefined];
    if (next) next.focus();
  }

  #build(values, all) {
    this.#inputs.clear();
    this.#named = [];
    const groups = new Map();
    for (const { path } of values) {
      const entry = typeof path[1] === "number" ? path.slice(0, 2) : [];
      if (!groups.has(same(entry))) groups.set(same(entry), { entry, fields: [], lists: new Map() });
      const { fields, lists } = groups.get(same(entry));
      if (LISTS[kind(path)] === undefined) fields.push(this.#field(path, FIELDS[kind(path)]));
      else lists.set(kind(path), [...(lists.get(kind(path)) ?? []), path]);
    }
    const trouble = make("p", { className: "problems", id: "form-trouble" });
    this.#place.replaceChildren(...[...groups.values()].map(({ entry, fields, lists }) => this.#group(entry, fields, lists)),
      make("div", { className: "row" }, ...Object.entries(GROUPS).map(([list, word]) => this.#button(`Add ${list === "customers" ? "customers" : `a ${word.toLowerCase()}`}`, trouble, (text, now) => entered(text, now, list)))), trouble);
  }

  #group(entry, fields, lists) {
    const trouble = make("p", { className: "problems" });
    const legend = make("legend");
    const name = (all) => (entry.length > 0 ? this.#name(entry, all) : "The whole");
    this.#named.push((all) => { legend.textContent = name(all); });
    // The text may have changed since it was read: what goes is what the button says.
    const remove = entry.length > 0 && this.#button("", trouble, (text, now) => {
      if (name(now) !== legend.textContent) throw new Unfit("the text has changed meanwhile: look again");
      return removed(text, now, entry);
    }, (all) => `Remove ${name(all).charAt(0).toLowerCase()}${name(all).slice(1)}`);
    if (remove) this.#named.push(() => { remove.textContent = remove.ariaLabel; });
    return make("fieldset", {}, legend, make("div", { className: "fields" }, ...fields),
      ...[...lists.values()].map((paths) => this.#list(paths, name)), remove && make("div", { className: "row" }, remove), trouble);
  }

  #list(paths, group) {
    const words = LISTS[kind(paths[0])];
    const trouble = make("p", { className: "problems" });
    const items = paths.map((path, at) => {
      const field = this.#field(path, `${words} ${at + 1}`);
      if (paths.length > 1) field.append(this.#button("Remove", trouble, (text, now) => dropped(text, now, path), (all) => `Remove ${words} ${at + 1} of ${group(all)}`));
      return field;
    });
    return make("div", {}, make("div", { className: "fields" }, ...items),
      make("div", { className: "row" }, this.#button(`Add: ${words}`, trouble, (text, now) => appended(text, now, paths.at(-1)), (all) => `Add: ${words} of ${group(all)}`)), trouble);
  }

  /** What a part of the file is called: by its id or name. */
  #name([list, at], all) {
    const named = all.find(({ path }) => path.length === 3 && path[0] === list && path[1] === at && (path[2] === "id" || path[2] === "name"));
    return `${GROUPS[list] ?? list} ${named?.value || at + 1}`;
  }

  #button(words, trouble, edit, label = () => words) {
    const button = make("button", { type: "button", className: "small" }, words);
    this.#named.push((all) => { button.ariaLabel = label(all); });
    button.onclick = () => {
      this.#pressed = [...this.#place.querySelectorAll("button")].indexOf(button);
      return this.#write(edit, trouble);
    };
    return button;
  }

  #field(path, words) {
    const id = `form-${this.#inputs.size}`;
    const input = make("input", { type: "text", id, spellcheck: false, autocomplete: "off" });
    const trouble = make("p", { className: "problems", id: `${id}-trouble` });
    input.setAttribute("aria-describedby", trouble.id);
    input.onchange = async () => {
      // By the time that the edit is made the field may show something else.
      const said = input.value;
      input.ariaInvalid = String(!(await this.#write((text, now) => replaced(text, now, path, said), trouble)));
    };
    this.#inputs.set(same(path), { input, trouble });
    return make("div", {}, make("label", { htmlFor: id }, words), input, trouble);
  }

  /** Makes an edit, one after the other: each goes by the places that the one before has left. */
  #write(edit, trouble) {
    const written = this.#last.then(() => this.#apply(edit, trouble));
    this.#last = written.catch(() => {});
    return written;
  }

  /** Whether an edit was made: only if the text can be read then, and says what it should. */
  async #apply(edit, trouble) {
    const text = this.#area.value;
    try {
      const made = edit(text, await this.#values(text));
      const values = await this.#values(made.text);
      if (!fits(values, made)) throw new Unfit("that is no value that fits here");
      trouble.textContent = "";
      if (this.#area.value !== text) return await this.#apply(edit, trouble);
      const added = made.added ?? values.find(({ path }) => made.below?.every((key, at) => path[at] === key))?.path;
      this.#next = added && same(added);
      this.#put(text, made.text);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unfit)) throw error;
      // The place is one in a text that nobody sees.
      trouble.textContent = error.problems?.[0]?.message ?? error.message;
      return false;
    }
  }

  /** Writes what differs and nothing else, so that the area stays where it is. */
  #put(old, text) {
    let [from, back] = [0, 0];
    const shorter = Math.min(old.length, text.length);
    while (from < shorter && old[from] === text[from]) from += 1;
    while (back < shorter - from && old.at(-1 - back) === text.at(-1 - back)) back += 1;
    const [piece, to, active] = [text.slice(from, text.length - back), old.length - back, document.activeElement];
    // What is written as if it was typed can be undone. Who types elsewhere is not disturbed.
    if (active.defaultValue === active.value || active.tagName !== "INPUT") {
      this.#area.focus({ preventScroll: true });
      this.#area.setSelectionRange(from, to);
      const isDone = piece === "" ? document.execCommand("delete") : document.execCommand("insertText", false, piece);
      active.focus({ preventScroll: true });
      if (isDone && this.#area.value === text) return;
    }
    this.#area.setRangeText(text.slice(from), from, this.#area.value.length, "end");
    this.#area.dispatchEvent(new Event("input"));
  }
}
