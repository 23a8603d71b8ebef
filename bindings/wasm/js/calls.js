// A function for each operation.

import { call } from "./core.js";

export { SendershiftError, call, callText, operations } from "./core.js";

const named = (operation) => (input, options) => call(operation, input, options);

export const dkimLint = named("dkim.lint");
export const dkimParse = named("dkim.parse");
export const dmarcCheck = named("dmarc.check");
export const dmarcEvaluate = named("dmarc.evaluate");
export const dmarcLint = named("dmarc.lint");
export const dmarcParse = named("dmarc.parse");
export const dnsAnswer = named("dns.answer");
export const dnsQuery = named("dns.query");
export const dnsRead = named("dns.read");
export const dnsSnapshot = named("dns.snapshot");
export const domainLint = named("domain.lint");
export const drift = named("drift");
export const lintRules = named("lint.rules");
export const migrationRead = named("migration.read");
export const migrationValues = named("migration.values");
export const nameParse = named("name.parse");
export const plan = named("plan");
export const planCourse = named("plan.course");
export const planDraft = named("plan.draft");
export const planRead = named("plan.read");
export const planText = named("plan.text");
export const prove = named("prove");
export const spfCheck = named("spf.check");
export const spfCompact = named("spf.compact");
export const spfCost = named("spf.cost");
export const spfDiff = named("spf.diff");
export const spfLint = named("spf.lint");
export const spfParse = named("spf.parse");
