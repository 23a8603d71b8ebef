// The steps of a plan as a list: for those who do them, and for those who cannot see the picture.
import { code, copyButton, make } from "./dom.js";
import { Clock, duration, joined, length } from "./words.js";

const KINDS = { customer: "customer", dns: "DNS", external: "elsewhere", gate: "check", notify: "notice", send: "sending" };

function rrset(title, list) {
  const records = list === null ? [make("p", { className: "note" }, "none")]
    : list.map(joined).flatMap((text) => [make("div", { className: "record" }, text), copyButton(text, "record")]);
  return make("div", {}, make("h4", {}, title), ...records);
}

function change({ name, type, ttl_before: old, ttl_after: ttl, preview, remove, add, expect }) {
  const ttls = old === ttl || old === null ? ttl !== null && `TTL ${ttl} s` : ttl === null ? `TTL ${old} s until then` : `TTL ${old} s, then ${ttl} s`;
  const parts = preview ? [rrset("Before", preview.before), rrset("After", preview.after)]
    : [remove && rrset("Remove", remove), add && rrset("Add", add), expect && rrset("Only if this is there", expect === "absent" ? null : expect)];
  return make("div", { className: "change" }, make("h3", {}, `${name} ${type}`), ttls && make("p", { className: "note" }, ttls), ...parts.filter(Boolean));
}

const uses = (words, list = []) => list.length > 0 && make("p", {}, `${words}: `,
  ...list.flatMap(({ stream, identity, share, over }, at) => [at > 0 && ", ", code(stream), ` as ${identity}`, share !== null && ` (${share} ‰)`, over && ` within ${duration(over)}`].filter(Boolean)));

function step(one, { start, done }, plan, clock) {
  const critical = plan.critical_path.includes(one.id);
  const last = plan.point_of_no_return === one.id;
  const when = start === null ? "never, as it stands" : clock.time(Date.parse(start));
  const summary = make("summary", {}, make("strong", {}, when), ` ${one.title || one.id}`,
    make("span", { className: "about" }, [KINDS[one.kind] ?? one.kind, one.owner, critical && "on the critical path", last && "point of no return", !one.reversible && "cannot be taken back"].filter(Boolean).join(" · ")));
  const told = (title, text) => text && make("p", {}, make("strong", {}, `${title}: `), text);
  const waits = one.after.map(({ step: earlier, at_least: least }) => make("li", {}, length(least) === 0 ? "after " : `${duration(least)} after `, code(earlier)));
  const undo = Array.isArray(one.undo) ? one.undo.map((back) => make("p", {}, make("strong", {}, "To undo: "), back.title || back.id)) : [told("To undo", one.undo)];
  return make("details", { id: `step-${one.id}` }, summary, told("Why", one.why),
    start !== null && done !== start && make("p", {}, `Done, if all goes well: ${clock.time(Date.parse(done))}.`, one.latest && ` At the latest it starts at ${clock.time(Date.parse(one.latest))}.`),
    waits.length > 0 && make("div", {}, make("p", {}, "It waits until:"), make("ul", {}, ...waits)),
    uses("Starts", one.starts), uses("Stops", one.stops), ...(one.changes ?? []).map(change),
    told("Done when", one.done_when), told("Give up when", one.abort_when), ...undo, make("p", { className: "note" }, one.id));
}

export function steps(plan, course) {
  const clock = new Clock(plan.parameters.utc_offset);
  const dates = new Map(course.steps.map((one) => [one.id, one]));
  const items = plan.steps.map((one) => make("li", {}, step(one, dates.get(one.id), plan, clock)));
  return [make("p", { className: "note" }, `Times are ${clock.name}, if everything goes well. The proof holds for steps that come later, and for servers that are faster; the waits between steps keep.`),
    make("ol", { className: "steps" }, ...items)];
}

/** What is published, step by step, as the plan has it. */
export function records(plan) {
  const changed = plan.steps.filter((one) => one.changes.length > 0);
  return `${JSON.stringify(changed.map(({ id, earliest = null, changes }) => ({ step: id, earliest, changes })), null, 2)}\n`;
}
