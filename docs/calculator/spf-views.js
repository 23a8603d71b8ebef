// What the core's documents look like.
import { code, copyButton, count, make, marked, prose } from "./dom.js";
import { joined, plural } from "./words.js";

const some = (digits) => digits !== "0";
const addresses = (digits) => `${count(digits)} ${digits === "1" ? "address" : "addresses"}`;

/** What DNS did not answer about, anywhere below a record. */
export function unanswered(tree, name = tree.domain) {
  const own = tree.problem?.code === "spf.dns-failure" ? [name] : [];
  const below = (tree.terms ?? []).flatMap((term) => [...(term.problem?.code === "spf.dns-failure" ? [term.term] : []), ...(term.child ? unanswered(term.child) : [])]);
  return [...new Set([...own, ...below])];
}

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

/** Whether receivers keep to the limits, in the order of what matters. */
function within({ broken, within: is, limits, worst_v4: four, worst_v6: six }, lookups, voids) {
  const line = (className, words) => make("p", { className }, words);
  if (some(broken.count)) return line("bad", `Broken, whatever the limits: for ${addresses(broken.count)} it can end in an error. Repair it first.`);
  if (is) return line("good", "Within the limits of RFC 7208 for every address.");
  const over = (value, limit) => limit !== null && value > limit;
  if (Math.max(four.unbounded, six.unbounded) > 0 && !over(lookups, limits.lookups) && !over(voids, limits.voids)) {
    return line("warn", "What it costs depends on the message, so nobody can say that it keeps to the limits.");
  }
  return line("bad", "Beyond the limits: receivers give up with permerror for some addresses.");
}

export function cost(document) {
  const { limits, worst_v4: four, worst_v6: six, lookups, tree } = document;
  const worst = (value) => Math.max(value(four), value(six));
  const spent = worst((one) => (limits.counting === "written" ? one.written : one.lookups));
  const voids = worst((one) => (limits.void_unit === "query" ? one.void_queries : one.void_terms));
  const used = limits.counting === "written" ? "as written" : "for the worst address";
  const silent = unanswered(tree);
  const verdict = silent.length > 0 ? make("p", { className: "warn" }, `Not known: DNS did not answer about ${silent.join(", ")}. Until it does, receivers defer the mail or take the record for broken.`)
    : tree.problem ? make("p", { className: "bad" }, `No answer: ${tree.problem.message}.`) : within(document, spent, voids);
  const notes = [used, lookups.total !== spent && `${lookups.total} if nothing matched`, lookups.assumed > 0 && `${lookups.assumed} by answers that are assumed`];
  return [verdict, make("div", { className: "meters" },
    meter("DNS lookups", spent, limits.lookups, notes.filter(Boolean).join("; ")),
    meter("Void lookups", voids, limits.voids, used),
    meter("Octets of the record set", tree.octets, null, tree.octets === null ? "known once it is published" : "all TXT records of the name together"))];
}

const ROLES = { decides: "decides addresses", turns_away: "turns addresses away from an include", idle: "without effect" };
const IDLE = { behind_all: "it stands behind all", repeated: "it is there already", empty: "it matches no address", shadowed: "terms before it decide all that it matches", behind_error: "a term before it ends in an error: repair that first" };
const NOTES = { shown_above: "shown above", truncated: "not opened: too much", depends_on_message: "depends on the message", idle: "without effect" };

function about(term) {
  const said = [];
  if (term.problem) said.push(make("span", { className: "bad" }, term.problem.message), " ");
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
    tree.problem && make("span", { className: "bad" }, ` ${tree.problem.message}`));
  return make("details", { open: tree.terms.length <= 12 }, summary, terms(tree));
}

export function tree(document) {
  const root = document.tree;
  return [
    root.record === null ? make("p", {}, root.domain, ": ", make("span", { className: "bad" }, root.problem?.message ?? "no record"))
      : make("div", { className: "record" }, root.record),
    root.record !== null && root.problem && make("p", { className: "bad" }, root.problem.message),
    document.truncated && make("p", { className: "warn" }, "The tree is too large to be shown whole."),
    make("div", { className: "tree" }, terms(root)),
  ].filter(Boolean);
}

export function lint({ findings, skipped = [] }) {
  const items = findings.map((finding) => make("li", {},
    make("p", {}, make("span", { className: finding.severity }, `${finding.severity}: `), ...prose(finding.message)),
    finding.record !== null && finding.span && make("div", { className: "record" }, ...marked(finding.record, [finding.span])),
    finding.help && make("p", {}, ...prose(finding.help)),
    make("p", { className: "note" }, `${finding.code} · ${finding.name} ${finding.type}`)));
  return [
    items.length > 0 ? make("ul", { className: "findings" }, ...items)
      : make("p", { className: skipped.length ? "" : "good" }, "No findings."),
    skipped.length > 0 && make("p", { className: "note" }, `Not looked at: ${skipped.map(({ name, type }) => `records of the type ${type} at ${name}`).join(", ")}. Resolvers are not asked for those here.`),
  ].filter(Boolean);
}

/** Up to how many, where it is not known. */
const DEPENDS = () => prose("as far as what depends on the message (`exists`, `ptr`, macros) matches");

/** Why there is no record: certain of the first ones, and unknown of the others. */
const REASONS = {
  lookups: ({ lookups, allowed: [most] }) => `${plural(lookups, "lookup")} ${lookups === 1 ? "has" : "have"} to stay, ${most} ${most === 1 ? "is" : "are"} allowed.`,
  voids: ({ voids, allowed: [, most] }) => `${plural(voids, "void lookup")} ${voids === 1 ? "has" : "have"} to stay, ${most} ${most === 1 ? "is" : "are"} allowed.`,
  hosts: () => "A term mx that has to stay meets more mail exchanges, or more addresses of one, than are allowed.",
  size: ({ octets, allowed: [, , most] }) => `${plural(octets, "octet")} are needed at the name, ${most} are allowed.`,
  unbounded: () => "What a term costs depends on the message, so no limit can be proven.",
  structure: () => "What has to stay live cannot be said outside of its own record.",
  budget: () => "The search ended before all ways were looked at.",
  broken: () => "The record is meant to give permerror for some addresses, and then what others pay is not told exactly: repair it first.",
  entangled: () => "Terms depend on the message, or let nobody past them, so that what they spend together at worst is not known: the worst was taken.",
  idle: () => "Once others are written out a term that stays may decide nothing: without it there may be a record.",
  undistributed: () => "No way was found to distribute the terms to extra records: there may be one.",
};
/** What would help. The command has options for most of it, this page has none. */
const REMEDIES = {
  flatten: (name) => `its answers or addresses could be written out, if they stay the same for long: ${name}`,
  keep: (name) => `it could be opened: ${name}`,
  repair: (name) => `it has no record, and whoever comes to it gets permerror; take out what refers to it: ${name}`,
  subdomain: () => "the senders behind terms that depend on the message get return paths on subdomains of their own, with their own records there: SPF looks at the return path alone",
  records: () => "more room: more octets at the name, more extra records, or fewer other strings at the name",
};

function none({ proof, infeasible }) {
  const told = REASONS[infeasible.reason]?.(infeasible) ?? infeasible.reason;
  const remedies = infeasible.remedies.map(({ kind, name, text }) => REMEDIES[kind]?.(name) ?? text);
  return [
    proof.minimal === "proven" ? make("p", { className: "bad" }, `No record says the same within the limits: that is certain. ${told}`)
      : make("p", { className: "warn" }, `No record was found, and none is ruled out. ${told}`),
    remedies.length > 0 && make("p", {}, "What would help:"),
    remedies.length > 0 && make("ul", {}, ...[...new Set(remedies)].map((words) => make("li", {}, words))),
  ].filter(Boolean);
}

export function best(document) {
  const { proof, before, after, healed, broken, infeasible } = document;
  const out = [];
  if (infeasible) return none(document);
  const isBroken = document.unchanged && some(broken.count);
  out.push(isBroken ? make("p", { className: "bad" }, "The record is broken, whatever the limits: repair it first. Nothing better was looked for.")
    : make("p", {}, document.unchanged ? "To keep to the limits nothing has to change." : "Publish these in the place of today's:"));
  for (const set of document.records) {
    out.push(make("h3", {}, `${set.name} ${set.type}${set.ttl === null ? "" : `, TTL ${set.ttl} s`}`));
    for (const text of set.records.map(joined)) out.push(make("div", { className: "record" }, text), copyButton(text, "record"));
  }
  for (const name of document.obsolete) out.push(make("p", {}, `Remove once nobody reads the old record, unless another record refers to it that was not looked at: ${name}`));
  const size = ({ lookups, voids, octets }) => `${plural(lookups, "lookup")}, ${plural(voids, "void lookup")}, ${plural(octets, "octet")}`;
  if (after && !document.unchanged) out.push(make("p", {}, `Before: ${size(before)}. After: ${size(after)}.`));
  if (some(healed.always.count)) out.push(make("p", { className: "good" }, `Heals: ${addresses(healed.always.count)} that the record authorises and limits refuse today.`), ranges(healed.always.ranges));
  if (some(healed.sometimes.count)) out.push(make("p", {}, `Heals up to ${addresses(healed.sometimes.count)}, `, ...DEPENDS(), "."));
  if (some(broken.count)) out.push(make("p", { className: "bad" }, `Remain in error: ${addresses(broken.count)}.`), ranges(broken.ranges));
  for (const opened of document.opened.filter(({ volatile }) => volatile)) out.push(make("p", { className: "warn" }, `${opened.name} is written out, and others may change it at any time.`));
  for (const one of document.idle)
    out.push(make("p", {}, "Left out: ", code(one), " costs a lookup and can decide nothing but an error, whatever anybody publishes."));
  for (const one of document.removed) out.push(make("p", { className: "warn" }, "Taken out: ", code(one.term), ` in the record of ${one.record} (${one.why}).`));
  out.push(make("p", {}, make("span", { className: proof.equivalent ? "good" : "bad" },
    proof.equivalent ? "Proven: for every address it says what today's record is meant to say. " : "Not proven to say the same. "),
  proof.minimal === "proven" ? "None of the candidates is better (docs/compact.md says which there are)." : "Whether a better one exists is unknown."));
  return out;
}

/** What a record authorises is what would be lost if it authorised nobody. */
export function who({ removes, verdict, doubts }, silent) {
  const { always, sometimes } = removes;
  const unknown = silent.length > 0 && make("p", { className: "warn" }, `Not known: DNS did not answer about ${silent.join(", ")}.`);
  if (unknown && !some(sometimes.count)) return [unknown];
  const out = [unknown, make("p", {}, "The result pass goes to ", make("strong", {}, addresses(always.count)), ".")];
  if (some(always.count)) out.push(ranges(always.ranges));
  if (sometimes.count !== always.count) out.push(make("p", { className: "warn" }, `Up to ${addresses(sometimes.count)} get it, `, ...DEPENDS(), "."), ranges(sometimes.ranges));
  if (verdict === "undecided" || doubts.length > 0) out.push(make("p", { className: "warn" }, "Not everything could be decided: the counts may be incomplete."));
  return out.filter(Boolean);
}

/** Where an evaluation ends, if not at a term. */
const ENDS = { default: "the end of the record", no_record: "there is no record", several_records: "there are several records", invalid_record: "the record cannot be read", no_answer: "DNS does not answer", loop: "it is being evaluated already", too_deep: "it is nested too deep", bad_name: "no name can be made" };

const assuming = (list) => (list.length === 0 ? "" : ` if ${list.map((one) => `${one.mechanism} ${one.target}: ${one.turnout}`).join(", ")}`);

export function address({ ip, cases }) {
  return cases.map((one) => make("div", {},
    make("p", {}, code(ip), " ", make("strong", {}, one.result), one.intended !== one.result && ` (the record means ${one.intended})`, assuming(one.assuming),
      ` · ${plural(one.lookups, "lookup")}, ${plural(one.voids, "void lookup")}`),
    make("ol", {}, ...one.by.map((place) => make("li", {}, place.term === null ? ENDS[place.end] ?? place.end ?? ENDS.default : code(place.term), place.term === null ? `: ${place.domain}` : ` of ${place.domain}`)))));
}

const delta = (words, { always, sometimes }, more) => make("p", {}, `${words} ${addresses(always.count)}${more}`,
  ...(sometimes.count === always.count ? [] : [`, up to ${addresses(sometimes.count)}, `, ...DEPENDS()]), ".");

const witnessed = (it) => it && make("p", {}, "Witness: ", code(it.ip), ` is ${it.left} by the first and ${it.right} by the second`, assuming(it.assuming), ".");

/** Where two records differ, and whether they do in what they mean. */
export function diff({ verdict, witness, ranges: rows, doubts, adds, removes, elsewhere = [] }, meant, silent) {
  const words = { equivalent: "Both say the same of every address.", different: "They differ.", undecided: "Undecided: whether they differ depends on what is not known." };
  const onlyNow = verdict === "equivalent" && (silent.length > 0 || meant?.verdict !== "equivalent");
  const out = onlyNow ? [make("p", { className: "warn" }, meant?.verdict === "different" ? "Receivers give the same results today, but the two do not mean the same: limits or errors alone keep that from having an effect." : "Receivers give the same results today. Whether the two mean the same is not known."), witnessed(meant?.witness)]
    : [make("p", { className: { equivalent: "good", different: "bad" }[verdict] ?? "warn" }, words[verdict] ?? verdict), witnessed(witness)];
  for (const other of elsewhere) out.push(make("p", { className: "warn" }, `At other kinds of receivers (${other.receivers.join(", ")}): ${(words[other.verdict] ?? other.verdict).toLowerCase()}`), witnessed(other.witness));
  if (some(adds.sometimes.count)) out.push(delta("The second authorises", adds, " more"), ranges(adds.sometimes.ranges));
  if (some(removes.sometimes.count)) out.push(delta("The second no longer authorises", removes, ""), ranges(removes.sometimes.ranges));
  const list = rows.slice(0, 100).map((row) => make("li", {}, code(row.range), ` ${row.left.join(" or ")} → ${row.right.join(" or ")}`));
  if (rows.length > 0) out.push(make("details", {}, make("summary", {}, plural(rows.length, "range")), make("ul", {}, ...list), rows.length > list.length && `and ${rows.length - list.length} more`));
  if (doubts.length > 0) out.push(make("p", { className: "warn" }, `${plural(doubts.length, "range")} could not be decided.`));
  return out.filter(Boolean);
}
