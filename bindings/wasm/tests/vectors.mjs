// The vectors of `tests/vectors`, and what an answer to one has to be (the README there).

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const root = process.env.SENDERSHIFT_ROOT;

export function* vectors() {
  const folder = join(root, "tests/vectors");
  for (const path of readdirSync(folder, { recursive: true }).sort()) {
    if (path.endsWith(".json")) {
      const { op, cases } = JSON.parse(readFileSync(join(folder, path), "utf8"));
      for (const one of cases) {
        yield { op, path, ...one, input: sorted(one.input) };
      }
    }
  }
}

/** Spans in an input are those of its text with sorted keys. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** Compares what is contract in an answer: `output` is a document, `error` what was thrown. */
export function compare(expected, output, error) {
  if (expected.ok !== undefined) {
    assert.ifError(error);
    assert.deepEqual(output, expected.ok);
  } else if (expected.findings !== undefined) {
    assert.ifError(error);
    assert.equal(output.format, "sendershift-lint/1");
    assert.deepEqual(output.findings.map(like(expected.findings)), expected.findings);
  } else {
    assert.ok(error, "it has an answer");
    const { code, problems, questions } = expected.error;
    assert.ok(code !== undefined || questions !== undefined, "an expectation that everything meets");
    if (code !== undefined) assert.equal(error.code, code);
    if (questions !== undefined) assert.deepEqual(error.questions, questions);
    if (problems !== undefined) assert.deepEqual(error.problems.map(like(problems)), problems);
  }
}

/** An object with only the keys that its counterpart has. */
const like = (expected) => (actual, index) =>
  Object.fromEntries(Object.keys(expected[index] ?? actual).map((key) => [key, actual[key]]));
