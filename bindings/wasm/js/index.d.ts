// The documents are those of docs/format.md. Octets are counted in UTF-8; counts of addresses are decimal strings.

/** Where something is, in octets of the text: the first, and the one after the last. */
export type Span = [number, number];
/** A string, or the character-strings of a TXT record. */
export type RecordText = string | string[];
export type Timestamp = string;
/** A duration, such as `PT3600S`. */
export type Duration = string;
export type SpfResult = "pass" | "fail" | "softfail" | "neutral" | "none" | "temperror" | "permerror";
export type DkimResult = SpfResult | "policy";
export type DmarcResult = "pass" | "fail" | "none" | "temperror";
export type DmarcPolicy = "none" | "quarantine" | "reject";
export type Severity = "error" | "warning" | "note";

export interface Problem {
  /** Stable; the message may change. */
  code: string;
  message: string;
  span: Span | null;
  line: number | null;
  /** In characters, counted from 1. */
  column: number | null;
  help: string | null;
}

export interface Question {
  name: string;
  type: string;
}

export interface Answer {
  name: string;
  type: string;
  ttl?: number;
  status?: "noerror" | "nxdomain" | "servfail" | "timeout";
  records?: RecordText[];
  authoritative?: boolean;
  server?: string;
  at?: Timestamp;
  assumed?: string;
}

export interface Snapshot {
  format: "sendershift-snapshot/1";
  taken?: Timestamp;
  closed?: boolean;
  zones?: string[];
  public_suffixes?: string[];
  answers: Answer[];
}

/** A snapshot, the text of a snapshot or of a zone file (full module), or several of these. */
export type Evidence = Snapshot | string | (Snapshot | string)[];

/** A domain, or a record (`v=spf1 ...`) to be read at `domain`. */
export interface Subject {
  dns: Evidence;
  subject: string;
  domain?: string;
}

export interface Counts {
  lookups: number;
  voids: number;
}

export interface Addresses {
  count: string;
  ranges: string[];
}

export interface Between {
  least: number;
  most: number;
}

export interface Unknown {
  mechanism: "exists" | "include" | "mx" | "ptr" | "redirect" | "a";
  target: string;
  sender_domain?: string;
  domain?: string;
}

export interface Turnout extends Unknown {
  turnout: string;
  void_queries: number;
}

export interface SpfCheckInput {
  dns: Evidence;
  ip: string;
  /** Empty for the null sender. */
  mail_from: string;
  helo?: string;
  receiver?: string;
  trace?: boolean;
}

export interface SpfChecked extends Counts {
  result: SpfResult;
  problem: { code: string; domain: string | null; span: Span | null } | null;
  explanation: string | null;
}

export interface SpfCheck extends SpfChecked {
  format: "sendershift-check/1";
  ip: string;
  mail_from: string;
  helo: string | null;
  domain: string | null;
  receiver: string;
  trace?: SpfTraced[];
}

export interface SpfTraced extends Counts {
  depth: number;
  domain: string;
  term: string;
  span: Span;
  asked: { name: string; type: string; answer: unknown }[];
  outcome: string;
}

export interface SpfCostInput extends Subject {
  receiver?: string;
  /** An address whose deciding terms shall be told. */
  ip?: string;
}

export interface WorstCase {
  lookups: number;
  written: number;
  void_terms: number;
  void_queries: number;
  mx_names: number;
  mx_addresses: number;
  unbounded: number;
}

export interface TermCost {
  lookups: number;
  assumed: number;
  voids_v4: number;
  voids_v6: number;
}

export interface Place {
  domain: string;
  term: string | null;
  span: Span | null;
  end: string | null;
}

export interface Spending {
  lookups: Between;
  voids: Between;
}

export interface SpfTerm {
  term: string;
  span: Span;
  own: TermCost;
  total: TermCost;
  assumed: string | null;
  problem: { code: string; message: string } | null;
  note: "shown_above" | "truncated" | "depends_on_message" | "depends_on_family" | "idle" | null;
  role: "decides" | "turns_away" | "idle" | null;
  idle: string | null;
  decides: (Addresses & { v4: Spending | null; v6: Spending | null }) | null;
  child: SpfTree | null;
}

export interface SpfTree {
  domain: string;
  record: string | null;
  octets: number | null;
  ttl: number | null;
  assumed: string | null;
  problem: { code: string; message: string } | null;
  total: TermCost;
  terms: SpfTerm[];
}

export interface SpfCost {
  format: "sendershift-cost/1";
  domain: string;
  published: boolean;
  receiver: string;
  within: boolean;
  lookups: { total: number; published: number; assumed: number };
  limits: { lookups: number; counting: "evaluated" | "written"; voids: number; void_unit: "term" | "query" };
  remaining: Counts;
  worst_v4: WorstCase;
  worst_v6: WorstCase;
  beyond: { always: Addresses; sometimes: Addresses; open: Addresses };
  behind: (Addresses & Spending & { reach: "always" | "sometimes" | "open"; by: Place[] })[];
  broken: Addresses;
  classes: (Addresses & Spending)[];
  address?: {
    ip: string;
    cases: (Counts & { assuming: Turnout[]; result: SpfResult; intended: SpfResult; by: Place[] })[];
  };
  unknowns: Unknown[];
  truncated: boolean;
  tree: SpfTree;
}

export interface SpfDiffInput {
  dns: Evidence;
  left: string;
  right: string;
  /** Other evidence for the right side. */
  right_dns?: Evidence;
  domain?: string;
  /** Another domain for the right side. */
  right_domain?: string;
  intended?: boolean;
  receiver?: string;
}

export interface Witness {
  ip: string;
  left: SpfResult;
  right: SpfResult;
  assuming: Turnout[];
}

export type DiffVerdict = "equivalent" | "different" | "undecided";

export interface SpfDiff {
  format: "sendershift-diff/1";
  left: { domain: string; published: boolean };
  right: { domain: string; published: boolean };
  compared: "actual" | "intended";
  receiver: string | null;
  equivalent: boolean;
  verdict: DiffVerdict;
  witness: Witness | null;
  elsewhere: { receivers: string[]; verdict: DiffVerdict; witness: Witness | null }[];
  ranges: {
    range: string;
    count: string;
    left: SpfResult[];
    right: SpfResult[];
    cases: Omit<Witness, "ip">[];
  }[];
  doubts: { code: string; range: string; count: string }[];
  adds: { always: Addresses; sometimes: Addresses };
  removes: { always: Addresses; sometimes: Addresses };
}

export interface SpfCompactInput extends Subject {
  receivers?: string[];
  reserve?: number;
  octets?: number;
  max_records?: number;
  keep?: string[];
  flatten?: string[];
  drop?: string[];
  repair?: boolean;
  contract?: boolean;
  budget?: number;
}

export interface SpfSize extends Counts {
  octets: number;
}

export interface Objective {
  frozen: number;
  extra_records: number;
  changed_terms: number;
  octets: number;
}

export interface SpfCompact {
  format: "sendershift-compact/1";
  domain: string;
  receivers: string[];
  reserve: number;
  records: { name: string; type: "TXT"; ttl: number | null; records: RecordText[]; octets: number }[];
  obsolete: string[];
  unchanged: boolean;
  before: SpfSize;
  after: SpfSize | null;
  healed: { always: Addresses; sometimes: Addresses; open: Addresses };
  broken: Addresses;
  opened: { name: string; mechanism: string; volatile: boolean; ttl: number | null; assumed: string | null }[];
  unopened: unknown[];
  idle: string[];
  removed: {
    record: string;
    term: string;
    why: "drop" | "repair";
    adds: { always: Addresses; sometimes: Addresses };
    removes: { always: Addresses; sometimes: Addresses };
  }[];
  proof: {
    equivalent: boolean;
    minimal: "proven" | "unknown";
    reason?: string;
    objective: Objective | null;
    bound: Objective;
    examined: number;
  };
  infeasible:
    | (SpfSize & {
        reason: string;
        allowed: number[];
        stays: (Counts & { term: string; why: string })[];
        remedies: { kind: string; name: string | null; text: string }[];
      })
    | null;
}

export interface SpfRecord {
  record: string;
  lookup_terms: number;
  terms: {
    text: string;
    span: Span;
    kind: "directive" | "modifier";
    name: string;
    qualifier?: "pass" | "fail" | "softfail" | "neutral";
    costs_lookup: boolean;
    prefix4?: number;
    prefix6?: number;
    network?: string;
    domain?: string;
    value?: string;
  }[];
}

export interface Finding extends Problem {
  severity: Severity;
  name: string;
  type: string;
  record: string | null;
  via: string[];
}

export interface Report {
  format: "sendershift-lint/1";
  area: string;
  subject: string;
  receiver?: string | null;
  counts: { error: number; warning: number; note: number };
  findings: Finding[];
  skipped?: Question[];
}

export interface Rule {
  code: string;
  severity: Severity;
  title: string;
  why: string;
  remedy: string;
  source: string;
}

export interface DkimKey {
  record: string;
  algorithm: string;
  bits: number | null;
  revoked: boolean;
  hashes: string[] | null;
  services: string[];
  testing: boolean;
  strict: boolean;
}

export interface DmarcRecord {
  record: string;
  p: DmarcPolicy;
  sp: DmarcPolicy | null;
  np: DmarcPolicy | null;
  psd: "yes" | "no" | "unspecified";
  t: boolean;
  adkim: "relaxed" | "strict";
  aspf: "relaxed" | "strict";
  rua: { uri: string; host: string | null; size: string | null }[];
  ruf: { uri: string; host: string | null; size: string | null }[];
  fo: string[];
  notes: Problem[];
}

export interface Message {
  from: string;
  spf: { domain: string; result: SpfResult } | null;
  dkim: { domain: string; result: DkimResult }[];
}

export interface DmarcQuery {
  domain: string;
  found: "record" | "absent" | "several" | "broken" | "failed" | "unknown";
  record?: string;
  count?: number;
  problems?: Problem[];
}

export type Organization =
  | { method: "treewalk"; domain: string | null; chosen_by: string; queries: DmarcQuery[] }
  | { method: "psl"; domain: string | null; rule: string; section: "icann" | "private" | "unlisted" | "told" };

export interface DmarcReading {
  result: DmarcResult;
  policy: { policy: DmarcPolicy; percent: number; otherwise: DmarcPolicy | null } | null;
  policy_record: {
    domain: string;
    source: "author_domain" | "organizational_domain" | "public_suffix";
    record: string;
    tag: "p" | "sp" | "np";
    declared: DmarcPolicy;
  } | null;
  author: Organization;
  queries?: DmarcQuery[];
  identifiers: {
    method: "spf" | "dkim";
    domain: string;
    mode: "relaxed" | "strict";
    aligned: boolean | null;
    organization: Organization | null;
  }[];
  reports: { tag: "rua" | "ruf"; uri: string; status?: string; name?: string }[];
}

export interface DmarcCheck extends Message {
  format: "sendershift-dmarc/1";
  rfc9989: DmarcReading;
  /** Null where no list of public suffixes says anything of the names, as in the light module. */
  rfc7489: DmarcReading | null;
  differences: { what: string; domain: string; rfc9989: string; rfc7489: string; why: string }[];
}

export interface DmarcVerdict {
  result: DmarcResult;
  policy: DmarcPolicy | null;
  spf_aligned: boolean;
  dkim_aligned: boolean;
  discovery: {
    walk: { queries: DmarcQuery[]; organizational_domain: string | null; chosen_by: string };
    applied: {
      domain: string;
      source: "author_domain" | "organizational_domain" | "public_suffix";
      record: string;
      tag: "p" | "sp" | "np";
      declared: DmarcPolicy;
      policy: DmarcPolicy;
      lowered: boolean;
    } | null;
    temperror: boolean;
  };
}

export interface Remark {
  code: string;
  subject: string | null;
  message: string;
}

export interface Identity {
  id: string;
  author_domain: string;
  mail_from: string | null;
  helo?: string | null;
  dkim?: { domain: string; selector: string }[];
  sources: string[];
}

export interface Use {
  stream: string;
  identity: string;
  share?: number | null;
  over?: Duration | null;
}

export interface Change {
  name: string;
  type: string;
  ttl_before: number | null;
  ttl_after: number | null;
  remove?: RecordText[] | null;
  add?: RecordText[] | null;
  expect?: "absent" | RecordText[] | null;
  preview?: { before: RecordText[] | null; after: RecordText[] | null } | null;
}

export interface Step {
  id: string;
  kind: "customer" | "dns" | "external" | "gate" | "notify" | "send";
  after: { step: string; at_least: Duration }[];
  phase?: string;
  owner?: string;
  title?: string;
  why?: string;
  on?: Timestamp | null;
  changes?: Change[];
  starts?: Use[];
  stops?: Use[];
  gives_up?: ({ source: string } | { name: string })[];
  done_when?: string;
  abort_when?: string;
  /** A text for people, or the steps that take this one back. */
  undo?: string | Step[];
  reversible?: boolean;
  earliest?: Timestamp;
  latest?: Timestamp | null;
  slack?: string | null;
}

/** A plan, as it comes from `plan` or as a person writes it: what may be left out is optional. */
export interface Plan {
  format: "sendershift-plan/1";
  title?: string;
  parameters: {
    start: Timestamp;
    deadline?: Timestamp | null;
    utc_offset?: string;
    queue_lifetime?: Duration;
    signature_lifetime?: Duration;
    resolver_stale?: Duration;
    ttl_ceiling?: Duration;
    publication_delay?: Duration;
    receivers?: string[];
    within_limits_from?: string | null;
  };
  sources: { id: string; addresses?: string[]; include?: string | null; assumed?: string | null }[];
  streams: {
    id: string;
    title?: string;
    identities: Identity[];
    live: string[];
    needs_both?: boolean;
    spf_only?: boolean;
    signed_at?: "injection" | "delivery";
    judged_from?: string | null;
  }[];
  customers?: {
    id: string;
    streams: string[];
    lead_time?: Duration;
    notified_by?: string | null;
    own_domains?: string[];
    ready_when?: unknown;
    fallback?: unknown;
  }[];
  /** The MTA-STS policies of domains, in their order: those with `from` are published by that step. */
  mta_sts?: { domain: string; policy: string; from?: string | null }[];
  steps: Step[];
  evidence: Snapshot;
  assumptions?: Remark[];
  findings?: Remark[];
  blockers?: Remark[];
  critical_path?: string[];
  point_of_no_return?: string | null;
  /** `prove` ignores it. */
  proof?: object;
}

export type Verdict = "safe" | "unsafe" | "undecided";

/** A version of an RRset. */
export interface Version extends Question {
  /** Null where there are none. */
  records: RecordText[] | null;
  published_by: string | null;
  replaced_by: string | null;
  /** How many seconds after `replaced_by` is done a cache may still answer with it. */
  kept_for: number | null;
}

export interface Course {
  format: "sendershift-course/1";
  /** Null for steps that cannot happen. */
  steps: { id: string; start: Timestamp | null; done: Timestamp | null }[];
  versions: Version[];
}

export interface Counterexample {
  code: string;
  stream: string | null;
  identity: string | null;
  delivered_by: string | null;
  domain: string | null;
  customer: string | null;
  address: string | null;
  mail_from: string | null;
  helo: string | null;
  judgement: string | null;
  holding: Version[];
  /** The MTA-STS policy that the sender of a bounce or answer holds. */
  mta_sts?: {
    domain: string;
    policy: string;
    published_by: string | null;
    replaced_by: string | null;
    kept_for: number | null;
  } | null;
  assuming: unknown[];
  schedule: { at: Timestamp; what: string; step: string | null }[];
  spf: SpfChecked | null;
  dmarc: DmarcResult | null;
  policy: DmarcPolicy | null;
  story: string[];
}

export interface Most<V> {
  /** Null: any up to a hundred years. */
  value: V | null;
  then: { promise: string | null; receiver: string | null; code: string; step: string | null } | null;
}

/** How far a plan has come by what DNS says now, and what others have changed since its evidence. */
export interface Progress {
  taken: Timestamp | null;
  steps: number;
  done: string[];
  implied: string[];
  begun: string[];
  next: string[];
  drift: (Question & { before: RecordText[]; after: RecordText[]; changes_verdict: boolean | null })[];
  without_drift: Verdict | null;
}

export interface Proof {
  format: "sendershift-proof/1";
  verdict: Verdict;
  judged: string[];
  /** What the verdict says nothing about. */
  not_judged: string[];
  promises: { promise: string; receiver: string; verdict: Verdict; counterexample: Counterexample | null }[];
  explored: {
    rrsets_in_flux: number;
    rrsets_forked: number;
    pairs_excluded: number;
    mixes_judged: number;
    address_classes: number;
    bindings: number;
    /** Ways to give the plan up half way and take it back. */
    courses: number;
  };
  undecided: Remark[];
  assumptions: Remark[];
  conditions: Remark[];
  findings: Remark[];
  margin: {
    resolver_stale: Most<Duration>;
    queue_lifetime: Most<Duration>;
    publication_delay: Most<Duration>;
    factor_per_mille: Most<number>;
  } | null;
  /** There where `dns` was given. */
  progress?: Progress | null;
}

export interface ProvenPlan extends Plan {
  proof: Proof;
}

export interface PlanInput {
  /** The text of a migration file (TOML). */
  migration: string;
  dns: Evidence;
}

/** Every operation, with the document that it takes and the one that it gives. */
export interface Operations {
  "dkim.lint": { input: { dns: Evidence; domains: string[]; selectors?: string[]; earlier?: Evidence }; output: Report };
  "dkim.parse": { input: { record: string }; output: DkimKey };
  "dmarc.check": { input: Message & { dns: Evidence }; output: DmarcCheck };
  "dmarc.evaluate": {
    input: { dns: Evidence; from: string; spf: string | null; dkim: string[] };
    output: DmarcVerdict;
  };
  "dmarc.lint": { input: Subject; output: Report };
  "dmarc.parse": { input: { record: string }; output: DmarcRecord };
  "dns.answer": {
    input: Question & { dns: Evidence };
    output: {
      answer: "records" | "alias" | "nodata" | "nxdomain" | "failed" | "unknown";
      ttl?: number;
      authoritative?: boolean;
      records?: RecordText[];
    };
  };
  /** A message for DNS over HTTPS (RFC 8484), in base64url. */
  "dns.query": { input: Question; output: { message: string } };
  /** What a message, in base64url, says; `server` and `at` are noted with its answers. */
  "dns.read": { input: Question & { message: string; server?: string; at?: string }; output: Snapshot };
  "dns.snapshot": { input: { dns: Evidence }; output: Snapshot };
  "domain.lint": { input: { dns: Evidence; domain: string }; output: Report };
  drift: {
    input: { before: Evidence; after: Evidence };
    output: {
      format: "sendershift-drift/1";
      changes: (Question & { before: RecordText[]; after: RecordText[] })[];
      not_compared: Question[];
    };
  };
  "lint.rules": { input: Record<string, never> | void; output: Rule[] };
  "migration.read": {
    input: { migration: string };
    output: {
      format: "sendershift-migration/1";
      title: string;
      announce: Timestamp;
      deadline: Timestamp | null;
      domains: string[];
      sources: string[];
      waves: string[];
      streams: string[];
      customers: string[];
    };
  };
  /** The values of a migration file, whatever they mean, with their places: for forms. */
  "migration.values": {
    input: { migration: string };
    output: {
      format: "sendershift-values/1";
      values: { path: (string | number)[]; value: string | number | boolean; span: Span }[];
    };
  };
  "name.parse": { input: { name: string }; output: { name: string; labels: number } };
  plan: { input: PlanInput; output: ProvenPlan };
  /** When steps happen if everything goes well, and which versions of records there are: for pictures. */
  "plan.course": { input: Plan; output: Course };
  /** A plan that nobody has proven yet. */
  "plan.draft": { input: PlanInput; output: Plan };
  "plan.read": { input: Plan; output: Plan };
  "plan.text": { input: Plan; output: { text: string } };
  prove: { input: Plan | { plan: Plan; dns: Evidence }; output: Proof };
  "spf.check": { input: SpfCheckInput; output: SpfCheck };
  "spf.compact": { input: SpfCompactInput; output: SpfCompact };
  "spf.cost": { input: SpfCostInput; output: SpfCost };
  "spf.diff": { input: SpfDiffInput; output: SpfDiff };
  "spf.lint": { input: Subject & { receiver?: string }; output: Report };
  "spf.parse": { input: { record: string }; output: SpfRecord };
}

export interface CallOptions {
  /**
   * Called now and then by `plan`, `prove` and `spf.compact`, with how many mixes or drafts were looked at. Where it returns `false` the
   * operation ends with what it has: a proof that is undecided, a record that is not proven the best.
   */
  progress?: (count: number) => boolean | void;
}

/** Why an operation has no answer. */
export class SendershiftError extends Error {
  private constructor();
  /** The code of the first problem; null where evidence is missing. */
  readonly code: string | null;
  /** Every problem that was found, in the order of the text. */
  readonly problems: Problem[];
  /** The questions to DNS that are still open: ask them all, add the answers, call again. */
  readonly questions: Question[];
}

export interface InitOptions {
  /** Whether to load plans, the public suffix list and the reader of zone files too. */
  full?: boolean;
  /** Where the module is, if it is not beside this file. */
  wasm?: string | URL | Request | Response | BufferSource | WebAssembly.Module | Promise<Response>;
}

/** Loads the module; in Node it is there from the start. */
export function init(options?: InitOptions): Promise<void>;

/** The names of the operations that the loaded module has, sorted. */
export function operations(): string[];

/**
 * Carries out an operation.
 * @throws {SendershiftError} if there is no answer
 */
export function call<O extends keyof Operations>(
  operation: O,
  input: Operations[O]["input"],
  options?: CallOptions,
): Operations[O]["output"];

/** The same with JSON text in and the core's own JSON text out. What is wrong is a document too. */
export function callText(operation: string, input: string, options?: CallOptions): string;

type Call<O extends keyof Operations> = (input: Operations[O]["input"], options?: CallOptions) => Operations[O]["output"];

export const dkimLint: Call<"dkim.lint">;
export const dkimParse: Call<"dkim.parse">;
export const dmarcCheck: Call<"dmarc.check">;
export const dmarcEvaluate: Call<"dmarc.evaluate">;
export const dmarcLint: Call<"dmarc.lint">;
export const dmarcParse: Call<"dmarc.parse">;
export const dnsAnswer: Call<"dns.answer">;
export const dnsQuery: Call<"dns.query">;
export const dnsRead: Call<"dns.read">;
export const dnsSnapshot: Call<"dns.snapshot">;
export const domainLint: Call<"domain.lint">;
export const drift: Call<"drift">;
export const lintRules: Call<"lint.rules">;
export const migrationRead: Call<"migration.read">;
export const migrationValues: Call<"migration.values">;
export const nameParse: Call<"name.parse">;
export const plan: Call<"plan">;
export const planCourse: Call<"plan.course">;
export const planDraft: Call<"plan.draft">;
export const planRead: Call<"plan.read">;
export const planText: Call<"plan.text">;
export const prove: Call<"prove">;
export const spfCheck: Call<"spf.check">;
export const spfCompact: Call<"spf.compact">;
export const spfCost: Call<"spf.cost">;
export const spfDiff: Call<"spf.diff">;
export const spfLint: Call<"spf.lint">;
export const spfParse: Call<"spf.parse">;
