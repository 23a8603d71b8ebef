// What the prover says of a plan.
import { code, make, prose } from "./dom.js";
import { duration, joined, plural, seconds } from "./words.js";

const PROMISES = { p1: "authenticated", p2: "within limits", p3: "reversible", p4: "no more authority than needed", p5: "reports are seen", p6: "policies never weaken", p7: "customers first", p8: "one reading of the organizational domain", p9: "reachable", p10: "no collateral" };
const named = (promise) => `${promise.toUpperCase()} ${PROMISES[promise] ?? ""}`.trim();
const STATES = { safe: "good", unsafe: "bad", undecided: "warn" };

function headline(plan, { verdict, conditions }) {
  if (plan.blockers.length > 0) return "Not ready: something stands in the way of this plan.";
  const words = {
    safe: `Safe: under the assumptions${conditions.length > 0 ? " and conditions" : ""} below every promise that was judged holds, whatever caches hold and however late a step is.`,
    unsafe: "Unsafe: there is a course of events in which a promise breaks.",
    undecided: "Undecided: not everything could be judged. That is no proof.",
  };
  return words[verdict] ?? verdict;
}

/** What was found, as text: it stands before the text of the plan. */
export function told(plan, document) {
  const stories = document.promises.filter(({ counterexample: it }) => it !== null).map(({ promise, receiver, counterexample: it }) => [`${named(promise)} for ${receiver}: ${it.code}`, ...it.story.map((line) => `  - ${line}`), ""]);
  const list = (title, remarks) => (remarks.length === 0 ? [] : [`${title}:`, ...remarks.map(({ code: name, subject, message }) => `  - ${subject ? `${subject}: ` : ""}${message} [${name}]`), ""]);
  const lists = [["What stands in the way", plan.blockers], ["What was not decided", document.undecided], ["Conditions", document.conditions], ["Assumptions", document.assumptions]];
  const unjudged = document.not_judged.length > 0 ? [`Not judged at all: ${document.not_judged.map(named).join(", ")}.`, ""] : [];
  return [headline(plan, document), "", ...stories.flat(), ...unjudged, ...lists.flatMap(([title, remarks]) => list(title, remarks)), ""].join("\n");
}

function remarks(title, list, open = false) {
  if (list.length === 0) return false;
  const items = list.map(({ code: name, subject, message }) => make("li", {}, subject && make("strong", {}, `${subject}: `), ...prose(message), make("span", { className: "about" }, name)));
  return make("details", { open }, make("summary", {}, `${title} (${list.length})`), make("ul", { className: "remarks" }, ...items));
}

function table({ promises }) {
  const receivers = [...new Set(promises.map(({ receiver }) => receiver))];
  const names = [...new Set(promises.map(({ promise }) => promise))];
  const cell = (promise, receiver) => {
    const one = promises.find((other) => other.promise === promise && other.receiver === receiver);
    return make("td", {}, one ? make("span", { className: STATES[one.verdict] }, one.verdict) : "–");
  };
  const head = (text, scope) => make("th", { scope }, text);
  const holder = make("div", { className: "scroll", tabIndex: 0 }, make("table", {},
    make("caption", { className: "hidden" }, "Verdict for each promise and kind of receiver"),
    make("thead", {}, make("tr", {}, head("Promise", "col"), ...receivers.map((receiver) => head(receiver, "col")))),
    make("tbody", {}, ...names.map((promise) => make("tr", {}, head(named(promise), "row"), ...receivers.map((receiver) => cell(promise, receiver)))))));
  holder.setAttribute("role", "region");
  holder.setAttribute("aria-label", "Promises");
  return holder;
}

function margin({ margin: most }, { parameters }) {
  if (!most) return false;
  const line = (tag, may, value, assumed, then) => make(tag, {}, `${may} `, make("strong", {}, value ?? "any time"), assumed,
    value && then && `; with more ${then.promise === null ? "not all can be judged" : `${named(then.promise)} breaks for ${then.receiver}`}`,
    value && then?.step && ", as this step can come too early: ", value && then?.step && code(then.step));
  const time = (may, { value, then }, assumed) => line("li", may, value === null ? null : duration(value), ` (assumed: ${duration(assumed)})`, then);
  const { value, then } = most.factor_per_mille;
  const times = value === 1000 ? "what is assumed, and no more" : `${value / 1000} times what is assumed`;
  return make("div", {}, make("h3", {}, "Margin"), make("p", {}, "So long may each of these be, where the others are as assumed:"), make("ul", {},
    time("Resolvers may answer from an entry after its TTL for", most.resolver_stale, parameters.resolver_stale),
    time("Messages may wait in the sender’s queue for", most.queue_lifetime, parameters.queue_lifetime),
    time("What others publish on a date may take", most.publication_delay, parameters.publication_delay)),
  line("p", "All three together may be", value === null ? null : times, "", then));
}

function holding({ name, type, records, published_by: by, replaced_by: until, kept_for: kept }) {
  const from = by === null ? "from before the plan" : ["published by ", code(by)];
  const gone = until === null ? [] : ["; caches may keep it for ", seconds(kept), " after ", code(until)];
  return make("li", {}, make("strong", {}, `${name} ${type}: `), records === null ? "there is none" : records.map(joined).join(" | "), make("span", { className: "about" }, ...[from].flat(), ...gone));
}

function counterexample({ promise, receiver, counterexample: it }, choose) {
  const show = make("button", { type: "button" }, "Show on the timeline");
  show.onclick = () => choose(it, true);
  return make("details", { className: "counterexample" }, make("summary", {}, make("span", { className: "bad" }, named(promise)), ` for ${receiver}: ${it.code}`),
    make("ol", {}, ...it.story.map((line) => make("li", {}, ...prose(line)))),
    it.holding.length > 0 && make("div", {}, make("h3", {}, "What the receiver holds"), make("ul", { className: "remarks" }, ...it.holding.map(holding))),
    it.schedule.length > 0 && show);
}

/** How far a plan has come on the day that DNS was asked. */
function progress({ progress: it }) {
  if (!it) return false;
  const of = (ids) => (ids.length === 0 ? ["none"] : ids.flatMap((id, at) => (at > 0 ? [", ", code(id)] : [code(id)])));
  const line = (words, ids) => make("li", {}, `${words}: `, ...of(ids));
  const texts = (records) => (records.length === 0 ? "nothing" : records.map(joined).join(" | "));
  const changed = ({ name, type, before, after, changes_verdict: matters }) => make("li", {}, make("strong", {}, `${name} ${type}`), `: ${texts(before)} before, ${texts(after)} now`,
    matters !== null && make("span", { className: matters ? "bad" : "about" }, matters ? " Without this change the verdict would be better." : "The verdict is the same without this change."));
  return make("div", {}, make("h3", {}, "Today"), make("p", {}, it.taken ? `As of ${it.taken}` : "Nobody says when DNS said so", `, of ${plural(it.steps, "step")}:`),
    make("ul", { className: "remarks" }, line("Done", it.done), it.implied.length > 0 && line("Done, if the order was kept", it.implied), it.begun.length > 0 && line("Begun", it.begun), line("Next", it.next)),
    make("p", {}, it.drift.length === 0 ? "Nothing else has changed since the plan was made." : `Changed by others since the plan was made${it.without_drift ? `; without all of it the plan would be ${it.without_drift}` : ""}:`),
    it.drift.length > 0 && make("ul", { className: "remarks" }, ...it.drift.map(changed)));
}

/** The proof, with the first counterexample on the timeline. */
export function proof(plan, document, choose) {
  const failing = document.promises.filter(({ counterexample: it }) => it !== null);
  choose(failing.find(({ counterexample: it }) => it.schedule.length > 0)?.counterexample);
  const shown = failing.map((one) => counterexample(one, choose));
  if (shown.length > 0) shown[0].open = true;
  const judged = document.explored;
  return [
    make("p", { className: `${plan.blockers.length > 0 ? "bad" : STATES[document.verdict] ?? "warn"} verdict` }, headline(plan, document)),
    progress(document),
    remarks("What stands in the way", plan.blockers, true),
    ...shown,
    remarks("What was not decided", document.undecided, true),
    document.not_judged.length > 0 && make("p", { className: "warn" }, `Not judged at all: ${document.not_judged.map(named).join(", ")}.`),
    table(document),
    margin(document, plan),
    remarks("Conditions", document.conditions, true),
    remarks("Worth knowing", [...plan.findings, ...document.findings]),
    remarks("Assumptions", document.assumptions),
    make("p", { className: "note" }, `${plural(judged.mixes_judged, "set")} of cached records judged, for ${plural(judged.bindings, "way")} in which a message can meet them and ${plural(judged.address_classes, "class")} of addresses.`.replace("classs", "classes")),
  ].filter(Boolean);
}
