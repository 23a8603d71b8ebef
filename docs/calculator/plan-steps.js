// The steps of a plan as a list: for those who do them, and for those who cannot see the picture.
import { code, copyButton, make, prose } from "./dom.js";
import { Clock, duration, joined, length } from "./words.js";

const KINDS = { customer: "customer", dns: "DNS", external: "elsewhere", gate: "check", notify: "notice", send: "sending" };

/** Records, with buttons to copy those that are to be published. */
function rrset(title, list, copied = true) {
  const records = list === null ? [make("p", { className: "note" }, "none")]
    : list.map(joined).flatMap((text) => [make("div", { className: "record" }, text), ...(copied ? [copyButton(text, "record")] : [])]);
  return make("div", {}, make("h4", {}, title), ...records);
}

function change({ name, type, ttl_before: old, ttl_after: ttl, preview, remove, add, expect }) {
  const ttls = old === ttl || old === null ? ttl !== null && `TTL ${ttl} s` : ttl === null ? `TTL ${old} s until then` : `TTL ${old} s, then ${ttl} s`;
  const parts = preview ? [rrset("Before", preview.before, false), rrset("After", preview.after)]
    : [remove?.length > 0 && rrset("Remove", remove, false), add?.length > 0 && rrset("Add", add), expect && rrset("Only if this is there", expect === "absent" ? null : expect, false)];
  return make("div", { className: "change" }, make("h3", {}, `${name} ${type}`), ttls && make("p", { className: "note" }, ttls), ...parts.filter(Boolean));
}

const uses = (words, list = []) => list.length > 0 && make("p", {}, `${words}: `,
  ...list.flatMap(({ stream, identity, share, over }, at) => [at > 0 && ", ", code(stream), ` as ${identity}`, share !== null && ` (${share} ‰)`, over && ` within ${duration(over)}`].filter(Boolean)));

const told = (title, text) => text && make("p", {}, make("strong", {}, `${title}: `), ...prose(text));

/** What a step waits for; those that take something back as well. */
function waits({ after }) {
  const items = after.map(({ step: earlier, at_least: least }) => make("li", {}, length(least) === 0 ? "after " : `${duration(least)} after `, code(earlier)));
  return items.length > 0 && make("div", {}, make("p", {}, "Not before:"), make("ul", {}, ...items));
}

/** A step that takes something back: who hurries loses mail by it, so its waits and records stand here. */
const back = (one) => make("li", {}, make("strong", {}, one.title || one.id), told("Why", one.why), waits(one),
  uses("Starts", one.starts), uses("Stops", one.stops), ...(one.changes ?? []).map(change), told("Done when", one.done_when), make("p", { className: "note" }, one.id));

/** What is published elsewhere than in DNS. */
const served = (plan, id) => (plan.mta_sts ?? []).filter(({ from }) => from === id).map(({ domain, policy }) =>
  make("div", { className: "change" }, make("h3", {}, `https://mta-sts.${domain}/.well-known/mta-sts.txt`), make("div", { className: "record" }, policy), copyButton(policy, "policy")));

const givenUp = (list = []) => list.length > 0 && make("p", {}, "From its start on, somebody else may have ",
  ...list.flatMap(({ source, name }, at) => [at > 0 && ", ", source === undefined ? name : "the addresses of ", source !== undefined && code(source)].filter(Boolean)), ".");

function step(one, { start, done }, plan, clock) {
  const critical = plan.critical_path.includes(one.id);
  const last = plan.point_of_no_return === one.id;
  const when = start === null ? "never, as it stands" : clock.time(Date.parse(start));
  const summary = make("summary", {}, make("strong", {}, when), ` ${one.title || one.id}`,
    make("span", { className: "about" }, [KINDS[one.kind] ?? one.kind, one.owner, critical && "on the critical path", last && "point of no return", !one.reversible && "cannot be taken back"].filter(Boolean).join(" · ")));
  const latest = one.latest && `at the latest it starts at ${clock.time(Date.parse(one.latest))}`;
  const dates = [start !== null && done !== start && `done, if all goes well: ${clock.time(Date.parse(done))}`, latest].filter(Boolean).join("; ");
  const undo = Array.isArray(one.undo) ? one.undo.length > 0 && make("div", {}, make("p", {}, make("strong", {}, "To undo:")), make("ol", {}, ...one.undo.map(back)))
    : told("To undo", one.undo);
  return make("details", { id: `step-${one.id}` }, summary, told("Why", one.why),
    dates && make("p", {}, `${dates[0].toUpperCase()}${dates.slice(1)}.`), waits(one),
    uses("Starts", one.starts), uses("Stops", one.stops), ...(one.changes ?? []).map(change), ...served(plan, one.id), givenUp(one.gives_up),
    told("Done when", one.done_when), told("Give up when", one.abort_when),
    last && undo && make("p", { className: "warn" }, "From here on no way back is promised (P3). What follows is what can still be done."), undo, make("p", { className: "note" }, one.id));
}

export function steps(plan, course) {
  const clock = new Clock(plan.parameters.utc_offset);
  const dates = new Map(course.steps.map((one) => [one.id, one]));
  const items = plan.steps.map((one) => make("li", {}, step(one, dates.get(one.id), plan, clock)));
  if (items.length === 0) return [make("p", {}, "There is nothing to do.")];
  return [make("p", { className: "note" }, `Times are ${clock.name}, if everything goes well. The proof holds for steps that come later, and for servers that are faster; the waits between steps keep.`),
    make("ol", { className: "steps" }, ...items)];
}

/** What is published, step by step, as the plan has it. */
export function records(plan) {
  const changed = plan.steps.filter((one) => one.changes.length > 0);
  return `${JSON.stringify(changed.map(({ id, earliest = null, changes }) => ({ step: id, earliest, changes })), null, 2)}\n`;
}
