// The task "SPF record": input, the questions it takes, and what the core says of it.
import { collect, end, forget, show as showQuestions, status, trust } from "./asking.js";
import { byId, make, stale } from "./dom.js";
import { Cancelled, Engine, Refusal } from "./engine.js";
import { clear, takeFiles, underline } from "./editor.js";
import { exampleButton, fetched } from "./examples.js";
import * as link from "./link.js";
import * as views from "./spf-views.js";
import { plural } from "./words.js";

const FIELDS = ["subject", "at", "evidence", "ip", "other"];
/** How many milliseconds an answer that nobody wants any more may take. */
const PAUSE = 400;
/** The same of a letter: the next one comes as soon. */
const LETTER = 120;
const PLACES = ["cost", "tree", "lint", "best", "who", "address", "diff"];
const quick = new Engine();
const slow = new Engine();
let run = 0;
/** What was read last, if it could be. */
let known;

export const task = { name: "spf", fetched: new Map(), answer, save, load };

/** What stands in a field: a record may have been wrapped to lines, which are as wide as spaces. */
function value(id) {
  const text = byId(id).value.trim();
  return id === "evidence" ? text : text.replaceAll(/[\r\n\t]/g, " ");
}
const isAddress = (text) => /^((\d+\.){3}\d+|[\da-f.]*:[\da-f:.]*)(\/\d+)?$/i.test(text);
const isRecord = (text) => /^[^a-z0-9]*v=spf1(?![a-z0-9.])/i.test(text);
/** The record that a zone file or a tool wrote in quotation marks, in one piece or several; those of word processors are meant as well. */
function quotedRecord(text) {
  const pieces = [...text.replaceAll(/[\u201c-\u201f]/g, '"').matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => piece.replaceAll(/\\(.)/g, "$1"));
  return /^v=spf1( |$)/i.test(pieces[0] ?? "") ? pieces.join("") : undefined;
}

function evidence() {
  const text = byId("evidence").value;
  const told = { format: "sendershift-snapshot/1", answers: [...task.fetched.values()] };
  if (text.trim() === "") return [told];
  // Beside a snapshot that is open one that is closed is open too: nothing is added without need.
  return task.fetched.size === 0 ? [text] : [text, told];
}

/** Zone files are read by the full module alone. */
const full = () => value("evidence") !== "" && !value("evidence").startsWith("{");

/** Whether what one of the fields holds can be read; if not, it is underlined. */
async function readable(field, operation, input) {
  try {
    await quick.call(operation, input, full());
    clear(field);
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    underline(field, error);
    return false;
  }
}

const readableText = (field) =>
  isRecord(value(field)) ? readable(field, "spf.parse", { record: value(field) }) : readable(field, "name.parse", { name: value(field) });

/** What is wrong, in words for this page: the places are those of a text that nobody sees. */
const HELP = { "spf.needs-domain": "say where the record stands", "spf.several-records": "type the record that is meant, and where it stands", "spf.no-record": "type the record that is meant, and where it stands" };
const inWords = ({ code, message, help, span }) => ({ code, message, span, help: HELP[code] ?? help });

/** Shows an answer, or why there is none, which is given back. Questions that are open are collected. */
async function show(place, engine, operation, input, view, questions) {
  try {
    byId(place).replaceChildren(...view(await engine.call(operation, input, full())));
    stale([place], false);
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    collect(questions, error.questions);
    const { message, help } = error.problems.length > 0 ? inWords(error.problems[0]) : error;
    byId(place).replaceChildren(make("p", { className: "warn" }, help ? `${message} (${help})` : message));
    stale([place], false);
    return error;
  }
}

async function answer() {
  const mine = ++run;
  known = undefined;
  stale(PLACES, true);
  byId("spf-said").textContent = "";
  quick.cancel(PAUSE);
  slow.cancel();
  const questions = new Map();
  try {
    await work(questions, () => { if (mine !== run) throw new Cancelled(); });
    if (mine === run) status("");
    if (mine === run && !byId("results").hidden) byId("spf-said").textContent = byId("cost").firstElementChild?.textContent ?? "";
  } catch (error) {
    if (error instanceof Cancelled || mine !== run) return undefined;
    byId("results").hidden = true;
    status(`That did not work: ${error.message}`);
  }
  return mine === run ? questions : undefined;
}

async function work(questions, current) {
  const subject = value("subject");
  const nothing = () => { byId("results").hidden = true; showQuestions(task, new Map()); };
  byId("at-field").hidden = subject !== "" && !isRecord(subject);
  const told = [value("evidence") && "text below", task.fetched.size && plural(task.fetched.size, "answer") + " of a resolver"].filter(Boolean);
  byId("evidence-state").textContent = told.length ? `(${told.join(", ")})` : "(none)";
  if (subject === "") { clear("subject"); return nothing(); }
  if (isAddress(subject)) {
    underline("subject", { problems: [{ message: "this is an address", help: "type a domain or a record here; once it is read there is a field for addresses below" }] });
    return nothing();
  }
  const record = quotedRecord(subject);
  if (record !== undefined) {
    offer(record);
    return nothing();
  }
  status("Reading…");
  const dns = evidence();
  const sound = [await readableText("subject"), value("evidence") === "" ? (clear("evidence"), true) : await readable("evidence", "dns.snapshot", { dns: value("evidence") })];
  current();
  if (sound[1] === false) byId("evidence-box").open = true;
  if (sound.includes(false)) return nothing();
  const domain = isRecord(subject) ? (value("at") ? { domain: value("at") } : {}) : { domain: subject };
  const placed = !isRecord(subject) || domain.domain === undefined ? (clear("at"), true) : await readable("at", "name.parse", { name: domain.domain });
  current();
  if (!placed) return nothing();
  const it = { dns, subject, ...domain };
  let silent = [];
  const refused = await show("cost", quick, "spf.cost", it, (document) => {
    silent = views.unanswered(document.tree);
    byId("tree").replaceChildren(...views.tree(document));
    stale(["tree"], false);
    return views.cost(document);
  }, questions);
  current();
  byId("results").hidden = Boolean(refused);
  showQuestions(task, questions);
  if (refused) {
    byId("tree").replaceChildren();
    if (questions.size > 0) return;
    if (refused.problems.some(({ code }) => /^(name|spf)\./.test(code))) {
      underline("subject", { problems: refused.problems.map(inWords) });
      return nothing();
    }
    byId("results").hidden = false;
  }
  await show("lint", quick, "spf.lint", it, views.lint, questions);
  current();
  known = { it, questions, silent };
  await where(known);
  current();
  showQuestions(task, questions);
  byId("best").replaceChildren(make("p", {}, "Looking for a better record… "), make("button", { type: "button", onclick: () => { slow.cancel(); byId("best").replaceChildren("Stopped."); } }, "Stop"));
  const rest = [
    show("best", slow, "spf.compact", it, views.best, questions).catch((error) => { if (!(error instanceof Cancelled)) throw error; }),
    show("who", quick, "spf.diff", { dns, left: subject, right: "v=spf1 -all", ...domain }, (document) => views.who(document, silent), questions),
    compare(known),
  ];
  stale(["best"], false);
  await Promise.all(rest);
  current();
  showQuestions(task, questions);
}

/** Offers what was pasted without its quotation marks. */
function offer(record) {
  const use = make("button", { type: "button", onclick: () => { byId("subject").value = record; byId("subject").focus(); return update(); } }, "Take the record out of them");
  clear("subject");
  byId("subject-problems").replaceChildren(make("li", {}, "There are quotation marks around the record, as in zone files. ", use));
}

async function where({ it, questions }) {
  const ip = value("ip");
  if (ip === "") { stale(["address"], false); return byId("address").replaceChildren(); }
  await show("address", quick, "spf.cost", { ...it, ip }, (document) => views.address(document.address), questions);
}

async function compare({ it: { subject: left, ...it }, questions, silent }) {
  if (value("other") === "" || !(await readableText("other"))) {
    if (value("other") === "") clear("other");
    stale(["diff"], false);
    return byId("diff").replaceChildren();
  }
  const both = { ...it, left, right: value("other") };
  const meant = await quick.call("spf.diff", { ...both, intended: true }, full()).catch((error) => { if (!(error instanceof Refusal)) throw error; });
  await show("diff", quick, "spf.diff", both, (document) => views.diff(document, meant, silent), questions);
}

const PARTS = { ip: where, other: compare };
let part = 0;

/** Answers what has nothing to do with the rest again, without the rest. */
async function updatePart(id) {
  save();
  if (known === undefined) return update();
  const [mine, from] = [++part, known];
  stale([id === "ip" ? "address" : "diff"], true);
  await new Promise((resolve) => setTimeout(resolve, LETTER));
  if (mine !== part || from !== known) return undefined;
  try {
    await PARTS[id](known);
  } catch (error) {
    if (!(error instanceof Cancelled)) status(`That did not work: ${error.message}`);
  }
  return from === known && showQuestions(task, known.questions);
}

function save() {
  link.save("spf", FIELDS, task.fetched);
}

function load(state) {
  link.load(FIELDS, state);
  trust(task, state.fetched);
}

async function update() {
  end();
  save();
  await answer();
}

const TOO_MANY = "v=spf1 mx include:_spf.office.example include:esp.example include:crm.example include:help.example include:survey.example ~all";

async function examples() {
  const use = (fields) => {
    for (const [id, text] of Object.entries({ ip: "", other: "", ...fields })) byId(id).value = text;
    forget(task);
    return update();
  };
  const button = (words, name, load) => exampleButton(words, byId("subject"), async () => {
    const [subject, at = ""] = await load();
    return { subject, at, evidence: await fetched(`${name}/dns.json`) };
  }, use);
  // A migration is about its first domain.
  const domain = async (name) => /^\[\[domain\]\]\s+name = "([^"]+)"/m.exec(await fetched(`${name}/migration.toml`))?.slice(1) ?? [""];
  byId("spf-examples").replaceChildren(...JSON.parse(await fetched("index.json")).map((name) => button(`Example: ${name}`, name, () => domain(name))),
    button("Example: one provider too many", "newsletters", async () => [TOO_MANY, "shop.example"]));
}

for (const id of FIELDS) byId(id).addEventListener("input", () => (id in PARTS ? updatePart(id) : update()));
byId("clear").onclick = () => { byId("evidence").value = ""; forget(task); update(); };
takeFiles("file", "evidence", update);
// Without examples the page does what it does.
examples().catch(() => {});
