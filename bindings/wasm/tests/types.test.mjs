import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { lintRules, plan, prove, spfLint } from "sendershift";
import { root, vectors } from "./vectors.mjs";

const compile = (file) => {
  const tsc = join(import.meta.dirname, "node_modules/typescript/bin/tsc");
  const options = ["--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"];
  const { stdout, status } = spawnSync(process.execPath, [tsc, ...options, file], { encoding: "utf8" });
  assert.equal(status, 0, stdout.slice(0, 4000));
};

test("the example compiles", () => compile(join(import.meta.dirname, "example.ts")));

// Literals are compared with their types key by key, those that are not declared included.
test("documents are as their types say", () => {
  const lines = ['import type { Operations } from "sendershift";', "declare function is<T>(document: T): void;"];
  const says = (op, side, document) =>
    lines.push(`is<Operations[${JSON.stringify(op)}]["${side}"]>(${JSON.stringify(document)});`);
  for (const { op, input, ok, findings } of vectors()) {
    if (ok !== undefined || findings !== undefined) says(op, "input", input);
    if (ok !== undefined) says(op, "output", ok);
    if (findings !== undefined && op === "spf.lint") says(op, "output", spfLint(input));
  }
  says("lint.rules", "output", lintRules());
  for (const name of readdirSync(join(root, "docs/examples"))) {
    const read = (file) => readFileSync(join(root, "docs/examples", name, file), "utf8");
    const input = { migration: read("migration.toml"), dns: JSON.parse(read("dns.json")) };
    says("plan", "input", input);
    says("plan", "output", plan(input));
  }
  for (const verdict of ["safe", "unsafe", "undecided"]) {
    const folder = join(root, "tests/plans/corpus", verdict);
    for (const file of readdirSync(folder).slice(0, 20)) {
      const document = JSON.parse(readFileSync(join(folder, file), "utf8"));
      says("prove", "output", prove(document));
    }
  }
  const file = join(import.meta.dirname, "documents.ts");
  writeFileSync(file, lines.join("\n"));
  compile(file);
});
