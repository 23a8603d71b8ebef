// The task "Plan a split": a migration or a plan, what the planner makes of it, and what the prover says.
import { answers, collect, end, forget, show as showQuestions, status } from "./asking.js";
import { byId, make, saveButton } from "./dom.js";
import { clear, underline } from "./editor.js";
import { Cancelled, Engine, Refusal } from "./engine.js";
import * as link from "./link.js";
import { Form } from "./plan-form.js";
import { proof as viewProof } from "./plan-proof.js";
import { records, steps as viewSteps } from "./plan-steps.js";
import { Picture } from "./plan-timeline.js";

const FIELDS = ["migration", "plan-evidence"];
/** How many milliseconds nobody has typed before a proof is begun, and an answer that nobody wants any more may take. */
const PAUSE = 400;
const quick = new Engine();
const slow = new Engine();
const picture = new Picture(byId("timeline"));
// Its questions are not superseded by others.
const form = new Form(byId("form"), byId("migration"), new Engine());
let run = 0;

export const task = { name: "plan", fetched: new Map(), answer, save, load };

const value = (id) => byId(id).value;
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
  byId("proof").replaceChildren(make("p", { className: "warn" }, "Nothing is proven yet."));
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
  return isPlan() ? sound[0] : read("migration", "plan.draft", migration(), questions);
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
  status("");
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
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
  byId("proof-progress").textContent = "Proving…";
  const progress = (count) => (byId("proof-progress").textContent = `Proving: ${count.toLocaleString("en")} sets of cached records looked at…`);
  try {
    const { text, document } = isPlan() ? await slow.text("prove", judged(), { progress }) : await slow.text("plan", migration(), { progress });
    current();
    const proof = isPlan() ? document : document.proof;
    const choose = (counterexample) => picture.tell(counterexample);
    byId("proof").replaceChildren(...viewProof(plan, proof, choose));
    const { document: { text: runbook } } = await quick.text("plan.text", isPlan() ? JSON.stringify(plan) : text);
    current();
    byId("downloads").replaceChildren(
      isPlan() ? saveButton(text, "proof.json", "proof (JSON)") : saveButton(text, "plan.json", "plan (JSON)"),
      saveButton(runbook, "plan.txt", "plan (text)"), saveButton(records(plan), "records.json", "records (JSON)"));
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
  link.save("plan", FIELDS, task.fetched);
}

function load(state) {
  link.load(FIELDS, state);
  task.fetched = answers(state.fetched);
  byId("today").checked = isPlan() && (value("plan-evidence") !== "" || task.fetched.size > 0);
}

async function update() {
  end();
  save();
  await answer();
}

async function examples() {
  const fetched = async (path) => (await fetch(`examples/${path}`)).text();
  const button = (words, load) => make("button", { type: "button", onclick: async () => { forget(task); byId("today").checked = false; await load(); await update(); } }, words);
  const fill = (migration, dns) => { byId("migration").value = migration; byId("plan-evidence").value = dns; };
  const names = JSON.parse(await fetched("index.json"));
  byId("plan-examples").replaceChildren(
    ...names.map((name) => button(`Example: ${name}`, async () => fill(await fetched(`${name}/migration.toml`), await fetched(`${name}/dns.json`)))),
    button("Example: an unsafe plan", async () => fill(await fetched("unsafe-plan.json"), "")));
}

for (const id of FIELDS) byId(id).addEventListener("input", update);
byId("today").onchange = update;
for (const [from, to] of [["migration-file", "migration"], ["plan-evidence-file", "plan-evidence"]]) {
  byId(from).onchange = async () => { const [file] = byId(from).files; if (file) { byId(to).value = await file.text(); await update(); } };
}
byId("plan-clear").onclick = () => { byId("plan-evidence").value = ""; byId("plan-evidence-file").value = ""; forget(task); update(); };
byId("form-box").addEventListener("toggle", showForm);
byId("proof-stop").onclick = () => { slow.cancel(); byId("proof").replaceChildren(make("p", { className: "warn" }, "Stopped: nothing is proven.")); };
await examples();
