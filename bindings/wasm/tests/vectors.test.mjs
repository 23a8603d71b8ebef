import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import * as sendershift from "sendershift";
import { compare, root, vectors } from "./vectors.mjs";

const camelCase = (operation) => operation.replace(/\.(.)/g, (_, letter) => letter.toUpperCase());

test("each operation has its function, and there are no others", () => {
  const helpers = ["SendershiftError", "call", "callText", "init", "operations"];
  const functions = Object.keys(sendershift).filter((name) => !helpers.includes(name));
  assert.deepEqual(functions.sort(), sendershift.operations().map(camelCase).sort());
});

test("vectors", async (t) => {
  let count = 0;
  for (const vector of vectors()) {
    count += 1;
    await t.test(`${vector.op}/${vector.path}/${vector.name}`, () => {
      let output, error;
      try {
        output = sendershift[camelCase(vector.op)](vector.input);
      } catch (thrown) {
        assert.ok(thrown instanceof sendershift.SendershiftError, thrown);
        error = thrown;
      }
      compare(vector, output, error);
    });
  }
  assert.ok(count > 100);
});

// What the light module lacks is an error, or is missing from the answer; it is never another answer.
test("the light module answers as the full one, or not at all", async () => {
  const folder = join(import.meta.dirname, "node_modules/sendershift");
  const light = await import(join(folder, "light.js"));
  light.initSync({ module: readFileSync(join(folder, "light_bg.wasm")) });
  const operations = light.operations().split("\n");
  const lacking = sendershift.operations().filter((name) => !operations.includes(name));
  assert.deepEqual(lacking, ["dkim.lint", "dkim.parse", "dmarc.check", "dmarc.evaluate", "dmarc.lint", "dmarc.parse", "domain.lint", "drift", "lint.rules", "migration.read", "migration.values", "plan", "plan.course", "plan.draft", "plan.read", "plan.text", "prove"]);
  let [same, refused] = [0, 0];
  for (const { op, path, name, input } of vectors()) {
    if (lacking.includes(op)) continue;
    const text = JSON.stringify(input);
    const [got, wanted] = [light.call(op, text), sendershift.callText(op, text)];
    const lacksZones = /"dns":\s*(\[[^{]*)?"/.test(text) || JSON.stringify(input.dns ?? "").includes("SOA");
    if (got === wanted) {
      same += 1;
    } else if (JSON.parse(got).code === "name.no-idn") {
      // Octets outside ASCII, as they are or as a record or a name writes them.
      assert.match(text, /[^\0-\x7f]|\\\\(1[3-9]|12[89]|2)\d/, `${op}/${path}/${name}`);
      refused += 1;
    } else {
      assert.ok(lacksZones, `${op}/${path}/${name}: ${got}`);
      assert.match(got, /^\{"format":"sendershift-error\/1"/);
    }
  }
  assert.ok(same > 100 && refused > 0);
});

test("the version is that of the core", () => {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const core = /\[workspace\.package\]\nversion = "([^"]+)"/.exec(read("Cargo.toml"))[1];
  assert.equal(JSON.parse(read("bindings/wasm/package.json")).version, core);
});
