// The task "SPF record": input, the questions it takes, and what the core says of it.
import { answers, collect, end, forget, show as showQuestions, status } from "./asking.js";
import { byId, make } from "./dom.js";
import { Cancelled, Engine, Refusal } from "./engine.js";
import { clear, takeFiles, underline } from "./editor.js";
import { exampleButton, fetched } from "./examples.js";
import * as link from "./link.js";
import * as views from "./spf-views.js";

const FIELDS = ["subject", "at", "evidence", "ip", "other"];
/** How many milliseconds an answer that nobody wants any more may take. */
const PAUSE = 400;
const quick = new Engine();
const slow = new Engine();
let run = 0;

export const task = { name: "spf", fetched: new Map(), answer, save, load };

const value = (id) => byId(id).value.trim();
const isRecord = (text) => /^v=spf1( |$)/i.test(text);

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
const inWords = ({ code, message, help }) => ({ code, message, help: code === "spf.needs-domain" ? "say where the record stands" : help });

/** Shows an answer, or why there is none, which is given back. Questions that are open are collected. */
async function show(place, engine, operation, input, view, questions) {
  try {
    byId(place).replaceChildren(...view(await engine.call(operation, input, full())));
    return undefined;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    collect(questions, error.questions);
    const { message, help } = error.problems.length > 0 ? inWords(error.problems[0]) : error;
    byId(place).replaceChildren(make("p", { className: "warn" }, help ? `${message} (${help})` : message));
    return error;
  }
}

async function answer() {
  const mine = ++run;
  quick.cancel(PAUSE);
  slow.cancel();
  const questions = new Map();
  try {
    await work(questions, () => { if (mine !== run) throw new Cancelled(); });
    if (mine === run) status("");
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
  const told = [value("evidence") && "text below", task.fetched.size && `${task.fetched.size} answers of a resolver`].filter(Boolean);
  byId("evidence-state").textContent = told.length ? `(${told.join(", ")})` : "(none)";
  if (subject === "") { clear("subject"); return nothing(); }
  status("Reading…");
  const dns = evidence();
  const sound = [await readableText("subject"), value("evidence") === "" ? (clear("evidence"), true) : await readable("evidence", "dns.snapshot", { dns: value("evidence") })];
  current();
  if (sound[1] === false) byId("evidence-box").open = true;
  if (sound.includes(false)) return nothing();
  const domain = isRecord(subject) && value("at") ? { domain: value("at") } : {};
  const placed = domain.domain === undefined ? (clear("at"), true) : await readable("at", "name.parse", { name: domain.domain });
  current();
  if (!placed) return nothing();
  const it = { dns, subject, ...domain };
  let unknown = false;
  const refused = await show("cost", quick, "spf.cost", it, (document) => { unknown = document.tree.problem?.code === "spf.dns-failure"; byId("tree").replaceChildren(...views.tree(document)); return views.cost(document); }, questions);
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
  await where(it, questions);
  current();
  showQuestions(task, questions);
  byId("best").replaceChildren(make("p", {}, "Looking for a better record… "), make("button", { type: "button", onclick: () => { slow.cancel(); byId("best").replaceChildren("Stopped."); } }, "Stop"));
  const rest = [
    show("best", slow, "spf.compact", it, views.best, questions).catch((error) => { if (!(error instanceof Cancelled)) throw error; }),
    show("who", quick, "spf.diff", { dns, left: subject, right: "v=spf1 -all", ...domain }, unknown ? views.nobodyKnows : views.who, questions),
    compare(dns, subject, domain, questions),
  ];
  status("");
  await Promise.all(rest);
  current();
  showQuestions(task, questions);
}

async function where(it, questions) {
  const ip = value("ip");
  if (ip === "") return byId("address").replaceChildren();
  await show("address", quick, "spf.cost", { ...it, ip }, (document) => views.address(document.address), questions);
}

async function compare(dns, left, domain, questions) {
  if (value("other") === "") { clear("other"); return byId("diff").replaceChildren(); }
  if (!(await readableText("other"))) return byId("diff").replaceChildren();
  await show("diff", quick, "spf.diff", { dns, left, right: value("other"), ...domain }, views.diff, questions);
}

function save() {
  link.save("spf", FIELDS, task.fetched);
}

function load(state) {
  link.load(FIELDS, state);
  task.fetched = answers(state.fetched);
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

for (const id of FIELDS) byId(id).addEventListener("input", update);
byId("clear").onclick = () => { byId("evidence").value = ""; forget(task); update(); };
takeFiles("file", "evidence", update);
// Without examples the page does what it does.
examples().catch(() => {});
