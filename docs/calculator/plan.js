// The task "Plan a split": a migration or a plan, what the planner makes of it, and what the prover says.
import { collect, end, forget, show as showQuestions, status, trust } from "./asking.js";
import { byId, make, saveButton, stale } from "./dom.js";
import { clear, takeFiles, underline } from "./editor.js";
import { Cancelled, Engine, Refusal } from "./engine.js";
import { exampleButton, fetched } from "./examples.js";
import * as link from "./link.js";
import { Form } from "./plan-form.js";
import { proof as viewProof, told } from "./plan-proof.js";
import { records, steps as viewSteps } from "./plan-steps.js";
import { Picture } from "./plan-timeline.js";

document.head.append(make("link", { rel: "stylesheet", href: "plan.css" }));

const FIELDS = ["migration", "plan-evidence"];
/** How many milliseconds nobody has typed before a proof is begun, and an answer that nobody wants any more may take. */
const PAUSE = 400;
/** The same before a plan is drawn: letters come faster. */
const LETTER = 120;
const quick = new Engine();
const slow = new Engine();
const picture = new Picture(byId("timeline"));
// Its questions are not superseded by others.
const form = new Form(byId("form"), byId("migration"), new Engine());
let run = 0;

export const task = { name: "plan", fetched: new Map(), answer, save, load };

const value = (id) => byId(id).value;
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const PLACES = ["timeline", "steps"];
/** Plans are JSON, migrations are not. */
const isPlan = () => value("migration").trimStart().startsWith("{");
/** Whether a plan is judged beside what DNS says today. */
const isToday = () => isPlan() && byId("today").checked;

function evidence() {
  const answers = [...task.fetched.values()];
  // Today is when the oldest of the answers was given.
  const [taken] = answers.map(({ at }) => at).filter(Boolean).sort();
  const told = JSON.stringify({ format: "sendershift-snapshot/1", ...(isToday() && taken && { taken }), answers });
  return value("plan-evidence").trim() === "" ? [told] : task.fetched.size === 0 ? [value("plan-evidence")] : [value("plan-evidence"), told];
}

async function answer() {
  const mine = ++run;
  const current = () => { if (mine !== run) throw new Cancelled(); };
  quick.cancel(PAUSE);
  slow.cancel();
  const questions = new Map();
  byId("proof-work").hidden = true;
  byId("downloads").replaceChildren();
  stale(PLACES, true);
  byId("proof").replaceChildren(make("p", { className: "warn" }, "Nothing is proven yet."));
  byId("proof-said").textContent = "";
  try {
    await work(questions, current);
    if (mine === run) status("");
  } catch (error) {
    if (error instanceof Cancelled || mine !== run) return undefined;
    byId("plan-results").hidden = true;
    status(`That did not work: ${error.message}`);
  }
  return mine === run ? questions : undefined;
}

/** What an operation gives; where it refuses, a field is marked, or questions are collected. */
async function read(field, operation, input, questions) {
  try {
    const { document } = await quick.text(operation, input);
    clear(field);
    return document;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    collect(questions, error.questions);
    if (error.questions.length > 0 && !isPlan()) clear(field);
    else underline(field, error);
    return undefined;
  }
}

/** The plan that the input is or that follows from it. */
async function planned(questions, current) {
  const sound = [
    isPlan() ? await read("migration", "plan.read", value("migration"), questions)
      : await read("migration", "migration.read", JSON.stringify({ migration: value("migration") }), questions),
    isPlan() && !isToday() || value("plan-evidence").trim() === "" ? (clear("plan-evidence"), {})
      : await read("plan-evidence", "dns.snapshot", JSON.stringify({ dns: value("plan-evidence") }), questions),
  ];
  current();
  if (sound[1] === undefined) byId("plan-evidence-box").open = true;
  if (sound.includes(undefined)) return undefined;
  if (isPlan()) return sound[0];
  await wait(LETTER);
  current();
  return read("migration", "plan.draft", migration(), questions);
}

const migration = () => JSON.stringify({ migration: value("migration"), dns: evidence() });

/** What nobody looks at is not read. */
function showForm() {
  if (byId("form-box").open) form.show().catch((error) => status(`That did not work: ${error.message}`));
}

async function work(questions, current) {
  const nothing = () => { byId("plan-results").hidden = true; showQuestions(task, isPlan() ? new Map() : questions); };
  byId("today-field").hidden = !isPlan();
  byId("plan-evidence-box").hidden = isPlan() && !isToday();
  byId("plan-evidence-what").textContent = isToday() ? "What DNS says today" : "DNS evidence";
  const told = [value("plan-evidence") && "text below", task.fetched.size && `${task.fetched.size} answers of a resolver`].filter(Boolean);
  byId("plan-evidence-state").textContent = told.length ? `(${told.join(", ")})` : "(none)";
  if (value("migration").trim() === "") { clear("migration"); byId("form-box").hidden = true; return nothing(); }
  byId("form-box").hidden = isPlan();
  if (!isPlan()) showForm();
  status("Planning…");
  const plan = await planned(questions, current);
  current();
  if (plan === undefined) return nothing();
  const { document: course } = await quick.text("plan.course", JSON.stringify(plan));
  current();
  byId("plan-results").hidden = false;
  showQuestions(task, questions);
  picture.show(plan, course);
  byId("steps").replaceChildren(...viewSteps(plan, course));
  stale(PLACES, false);
  status("");
  await wait(PAUSE);
  current();
  const proving = prove(plan, questions, current).catch((error) => {
    if (!(error instanceof Cancelled)) byId("proof").replaceChildren(make("p", { className: "bad" }, `That did not work: ${error.message}`));
  });
  // Which questions there are about today, the prover says.
  if (isToday()) await proving;
}

/** What the prover is given: the plan as it was typed, octet by octet. */
const judged = () => (isToday() ? `{"plan":${value("migration")},"dns":[${evidence().map((text) => (text.trimStart().startsWith("{") ? text : JSON.stringify(text))).join(",")}]}` : value("migration"));

/** Proves what is there, and shows it. Who leaves before is not told. */
async function prove(plan, questions, current) {
  byId("proof-work").hidden = false;
  byId("proof-progress").textContent = byId("proof-said").textContent = "Proving…";
  const progress = (count) => (byId("proof-progress").textContent = `Proving: ${count.toLocaleString("en")} sets of cached records looked at…`);
  try {
    const { text, document } = isPlan() ? await slow.text("prove", judged(), { progress }) : await slow.text("plan", migration(), { progress });
    current();
    const proof = isPlan() ? document : document.proof;
    byId("proof").replaceChildren(...viewProof(plan, proof, (counterexample, asked) => picture.tell(counterexample, asked)));
    byId("proof-said").textContent = byId("proof").firstElementChild.textContent;
    const { document: { text: runbook } } = await quick.text("plan.text", isPlan() ? JSON.stringify(plan) : text);
    current();
    byId("downloads").replaceChildren(
      isPlan() ? saveButton(text, "proof.json", "proof (JSON)") : saveButton(text, "plan.json", "plan (JSON)"),
      saveButton(told(plan, proof) + runbook, "plan.txt", "plan (text)"), saveButton(records(plan), "records.json", "records (JSON)"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    current();
    collect(questions, error.questions);
    byId("proof").replaceChildren(make("p", { className: "bad" }, `Not judged: ${error.message}`));
    if (!isPlan() || isToday()) showQuestions(task, questions);
  } finally {
    byId("proof-work").hidden = true;
  }
}

function save() {
  link.save("plan", FIELDS, task.fetched, isPlan() ? { today: isToday() } : {});
}

function load(state) {
  link.load(FIELDS, state);
  trust(task, state.fetched);
  byId("today").checked = state.today === true;
}

async function update() {
  end();
  save();
  await answer();
}

async function examples() {
  const button = (words, load) => exampleButton(words, byId("migration"), load, ([migration, dns]) => {
    [byId("migration").value, byId("plan-evidence").value, byId("today").checked] = [migration, dns, false];
    forget(task);
    return update();
  });
  byId("plan-examples").replaceChildren(
    ...JSON.parse(await fetched("index.json")).map((name) => button(`Example: ${name}`, () => Promise.all([fetched(`${name}/migration.toml`), fetched(`${name}/dns.json`)]))),
    button("Example: an unsafe plan", async () => [await fetched("unsafe-plan.json"), ""]));
}

/** Ends a proof, which can be begun anew. */
function stop() {
  slow.cancel();
  const again = make("button", { type: "button", onclick: answer }, "Prove");
  byId("proof").replaceChildren(make("p", { className: "warn" }, "Stopped: nothing is proven."), again);
  again.focus();
}

for (const id of FIELDS) byId(id).addEventListener("input", update);
byId("today").onchange = update;
takeFiles("migration-file", "migration", update);
takeFiles("plan-evidence-file", "plan-evidence", update);
byId("plan-clear").onclick = () => { byId("plan-evidence").value = ""; forget(task); update(); };
byId("form-box").addEventListener("toggle", showForm);
byId("proof-stop").onclick = stop;
// Without examples the page does what it does.
examples().catch(() => {});
// Who opens the task gets the full module, so that it is there without a network.
quick.text("dns.snapshot", '{"dns":[]}').catch(() => {});
