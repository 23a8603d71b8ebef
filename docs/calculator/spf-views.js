// What the core's documents look like.
import { code, copyButton, count, make, marked } from "./dom.js";

const some = (digits) => digits !== "0";
const addresses = (digits) => `${count(digits)} ${digits === "1" ? "address" : "addresses"}`;
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function ranges(list) {
  const shown = list.slice(0, 200).map((range) => make("li", {}, code(range)));
  if (list.length > shown.length) shown.push(make("li", {}, `and ${list.length - shown.length} more ranges`));
  const items = make("ul", { className: "ranges", tabIndex: 0 }, ...shown);
  items.setAttribute("aria-label", "Address ranges");
  return items;
}

function meter(title, value, limit, note) {
  const over = limit !== null && value > limit;
  const bar = limit === null ? null : make("meter", { min: 0, max: Math.max(limit, value, 1), value, className: over ? "over" : "" });
  bar?.setAttribute("aria-label", `${title}: ${value} of ${limit}`);
  return make("div", {}, title, make("strong", { className: over ? "bad" : "" }, limit === null ? `${value ?? "–"}` : `${value} of ${limit}`), bar,
    note && make("span", { className: "note" }, note));
}

export function cost(document) {
  const { limits, worst_v4: four, worst_v6: six, lookups, tree } = document;
  const voids = Math.max(...[four, six].map((worst) => (limits.void_unit === "query" ? worst.void_queries : worst.void_terms)));
  const used = limits.counting === "written" ? "as written" : "for the worst address";
  const verdict = tree.problem ? make("p", { className: "bad" }, `No answer by this record: ${tree.problem.code}`) : document.within
    ? make("p", { className: "good" }, "Within the limits of RFC 7208 for every address.")
    : make("p", { className: "bad" }, "Beyond the limits: receivers give up with permerror for some addresses.");
  const guessed = lookups.assumed > 0 && `${lookups.assumed} of them by answers that are assumed`;
  return [verdict, make("div", { className: "meters" },
    meter("DNS lookups", lookups.total, limits.lookups, guessed || used),
    meter("Void lookups", voids, limits.voids, used),
    meter("Octets of the record set", tree.octets, null, tree.octets === null ? "known once it is published" : "all TXT records of the name together"))];
}

const ROLES = { decides: "decides addresses", turns_away: "turns addresses away from an include", idle: "without effect" };
const IDLE = { behind_all: "it stands behind all", repeated: "it is there already", empty: "it matches no address", shadowed: "terms before it decide all that it matches", behind_error: "a term before it ends in an error: repair that first" };
const NOTES = { shown_above: "shown above", truncated: "not opened: too much", depends_on_message: "depends on the message", idle: "without effect" };

function about(term) {
  const said = [];
  if (term.problem) said.push(make("span", { className: "bad" }, term.problem.code), " ");
  const words = [];
  if (term.role) words.push(term.role === "idle" && term.idle ? `${ROLES.idle}: ${IDLE[term.idle] ?? term.idle}` : ROLES[term.role] ?? term.role);
  if (term.decides) words.push(addresses(term.decides.count));
  if (term.total.lookups) words.push(plural(term.total.lookups, "lookup") + (term.own.lookups !== term.total.lookups ? ` (${term.own.lookups} its own)` : ""));
  const voids = Math.max(term.total.voids_v4, term.total.voids_v6);
  if (voids) words.push(plural(voids, "void lookup"));
  if (term.note && term.note !== term.role) words.push(NOTES[term.note] ?? term.note);
  if (term.assumed) words.push(`assumed: ${term.assumed}`);
  return make("span", { className: "about" }, ...said, words.join(" · "));
}

function terms(tree) {
  return make("ul", {}, ...tree.terms.map((term) => make("li", {}, code(term.term), about(term), term.child && node(term.child))));
}

function node(tree) {
  const facts = [plural(tree.total.lookups, "lookup"), tree.ttl !== null && `TTL ${tree.ttl} s`, tree.assumed && `assumed: ${tree.assumed}`];
  const summary = make("summary", {}, make("strong", {}, tree.domain), ` ${facts.filter(Boolean).join(" · ")}`,
    tree.problem && make("span", { className: "bad" }, ` ${tree.problem.code}`));
  return make("details", { open: tree.terms.length <= 12 }, summary, terms(tree));
}

export function tree(document) {
  const root = document.tree;
  return [
    root.record === null ? make("p", {}, root.domain, ": ", make("span", { className: "bad" }, root.problem?.code ?? "no record"))
      : make("div", { className: "record" }, root.record),
    root.record !== null && root.problem && make("p", { className: "bad" }, root.problem.code),
    document.truncated && make("p", { className: "warn" }, "The tree is too large to be shown whole."),
    make("div", { className: "tree" }, terms(root)),
  ].filter(Boolean);
}

export function lint({ findings, skipped = [] }) {
  const items = findings.map((finding) => make("li", {},
    make("p", {}, make("span", { className: finding.severity }, `${finding.severity}: `), finding.message),
    finding.record !== null && finding.span && make("div", { className: "record" }, ...marked(finding.record, [finding.span])),
    finding.help && make("p", {}, finding.help),
    make("p", { className: "note" }, `${finding.code} · ${finding.name} ${finding.type}`)));
  return [
    items.length > 0 ? make("ul", { className: "findings" }, ...items)
      : make("p", { className: skipped.length ? "" : "good" }, "No findings."),
    skipped.length > 0 && make("p", { className: "warn" }, `Not looked at, for want of evidence: ${skipped.map(({ name, type }) => `${name} ${type}`).join(", ")}`),
  ].filter(Boolean);
}

const joined = (record) => (Array.isArray(record) ? record.join("") : record);

export function best(document) {
  const { proof, before, after, healed, broken, infeasible } = document;
  const out = [];
  if (infeasible) {
    out.push(make("p", { className: "bad" }, `No record says the same within the limits: ${infeasible.reason}`));
    out.push(make("ul", {}, ...infeasible.remedies.map((remedy) => make("li", {}, remedy.text))));
    return out;
  }
  const isBroken = document.unchanged && some(broken.count);
  out.push(isBroken ? make("p", { className: "bad" }, "The record is broken, whatever the limits: repair it first. Nothing better was looked for.")
    : make("p", {}, document.unchanged ? "The record can stay as it is." : "Publish these in the place of today's:"));
  for (const set of document.records) {
    out.push(make("h3", {}, `${set.name} ${set.type}${set.ttl === null ? "" : `, TTL ${set.ttl} s`}`));
    for (const text of set.records.map(joined)) out.push(make("div", { className: "record" }, text), copyButton(text, "record"));
  }
  for (const name of document.obsolete) out.push(make("p", {}, `Remove once nobody reads the old record, unless another record refers to it that was not looked at: ${name}`));
  const size = ({ lookups, voids, octets }) => `${plural(lookups, "lookup")}, ${plural(voids, "void lookup")}, ${plural(octets, "octet")}`;
  if (after && !document.unchanged) out.push(make("p", {}, `Before: ${size(before)}. After: ${size(after)}.`));
  if (some(healed.always.count)) out.push(make("p", { className: "good" }, `Heals: ${addresses(healed.always.count)} that the record authorises and limits refuse today.`), ranges(healed.always.ranges));
  if (some(healed.sometimes.count)) out.push(make("p", {}, `Heals, as unknowns turn out: ${addresses(healed.sometimes.count)}.`));
  if (some(broken.count)) out.push(make("p", { className: "bad" }, `Remain in error: ${addresses(broken.count)}.`), ranges(broken.ranges));
  for (const opened of document.opened.filter(({ volatile }) => volatile)) out.push(make("p", { className: "warn" }, `${opened.name} is written out, and others may change it at any time.`));
  for (const one of document.removed) out.push(make("p", { className: "warn" }, "Taken out: ", code(JSON.stringify(one))));
  out.push(make("p", {}, make("span", { className: proof.equivalent ? "good" : "bad" },
    proof.equivalent ? "Proven: for every address it says what today's record is meant to say. " : "Not proven to say the same. "),
  proof.minimal === "proven" ? "No better record exists under the same terms." : `Whether a better record exists is unknown${proof.reason ? `: ${proof.reason}` : ""}.`));
  return out;
}

/** What a record authorises is what would be lost if it authorised nobody. */
export function who({ removes, verdict, doubts }) {
  const { always, sometimes } = removes;
  const out = [make("p", {}, make("strong", {}, addresses(always.count)), " get the result pass.")];
  if (some(always.count)) out.push(ranges(always.ranges));
  if (sometimes.count !== always.count) out.push(make("p", { className: "warn" }, `As unknowns turn out, up to ${addresses(sometimes.count)}.`), ranges(sometimes.ranges));
  if (verdict === "undecided" || doubts.length > 0) out.push(make("p", { className: "warn" }, "Not everything could be decided: the counts may be incomplete."));
  return out;
}

const assuming = (list) => (list.length === 0 ? "" : ` if ${list.map((one) => `${one.mechanism} ${one.target}: ${one.turnout}`).join(", ")}`);

export function address({ ip, cases }) {
  return cases.map((one) => make("div", {},
    make("p", {}, code(ip), " ", make("strong", {}, one.result), one.intended !== one.result && ` (the record means ${one.intended})`, assuming(one.assuming),
      ` · ${plural(one.lookups, "lookup")}, ${plural(one.voids, "void lookup")}`),
    make("ol", {}, ...one.by.map((place) => make("li", {}, place.term === null ? place.end ?? "the end of the record" : code(place.term), ` of ${place.domain}`)))));
}

export function diff({ verdict, witness, ranges: rows, doubts, adds, removes }) {
  const words = { equivalent: "Both say the same of every address.", different: "They differ.", undecided: "Undecided: whether they differ depends on what is not known." };
  const out = [make("p", { className: { equivalent: "good", different: "bad" }[verdict] ?? "warn" }, words[verdict] ?? verdict)];
  if (witness) out.push(make("p", {}, "Witness: ", code(witness.ip), ` is ${witness.left} by the first and ${witness.right} by the second`, assuming(witness.assuming), "."));
  if (some(adds.sometimes.count)) out.push(make("p", {}, `The second authorises ${addresses(adds.always.count)} more${adds.sometimes.count === adds.always.count ? "" : `, up to ${addresses(adds.sometimes.count)} as unknowns turn out`}.`), ranges(adds.sometimes.ranges));
  if (some(removes.sometimes.count)) out.push(make("p", {}, `The second no longer authorises ${addresses(removes.always.count)}${removes.sometimes.count === removes.always.count ? "" : `, up to ${addresses(removes.sometimes.count)} as unknowns turn out`}.`), ranges(removes.sometimes.ranges));
  const list = rows.slice(0, 100).map((row) => make("li", {}, code(row.range), ` ${row.left.join(" or ")} → ${row.right.join(" or ")}`));
  if (rows.length > 0) out.push(make("details", {}, make("summary", {}, plural(rows.length, "range")), make("ul", {}, ...list), rows.length > list.length && `and ${rows.length - list.length} more`));
  if (doubts.length > 0) out.push(make("p", { className: "warn" }, `${plural(doubts.length, "range")} could not be decided.`));
  return out;
}
