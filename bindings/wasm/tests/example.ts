// What a person writes against the types: it has to compile, and the lines that expect an error must have one.

import { SendershiftError, call, init, lintRules, plan, spfCost, type Plan, type SpfTree, type Verdict } from "sendershift";

await init({ full: true });

function deepest(tree: SpfTree): number {
  return 1 + Math.max(0, ...tree.terms.map((term) => (term.child === null ? 0 : deepest(term.child))));
}

const dns = { format: "sendershift-snapshot/1" as const, answers: [] };
try {
  const depth: number = deepest(spfCost({ dns, subject: "shop.example" }).tree);
  console.log(depth, lintRules()[0]?.code, call("name.parse", { name: "a.example" }).labels);
} catch (error) {
  if (error instanceof SendershiftError) {
    const names: string[] = error.questions.map((question) => question.name);
    console.log(error.code?.toUpperCase(), names, error.problems[0]?.span?.[0]);
  }
}

const planned = plan({ migration: "", dns }, { progress: (count) => count < 1000 });
const verdict: Verdict = planned.proof.verdict;
const again: Plan = planned;
console.log(verdict, again.steps.length);

// @ts-expect-error the evidence is missing
spfCost({ subject: "shop.example" });
// @ts-expect-error there is no such operation
call("spf.parsed", { record: "v=spf1 -all" });
// @ts-expect-error keys are spelled as in the documents
spfCost({ dns, subject: "shop.example", Receiver: "strict" });
// @ts-expect-error one verdict is not another word
const wrong: Verdict = "fine";
console.log(wrong);
