import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { SendershiftError, callText, nameParse, plan, prove, spfCheck } from "sendershift";
import { root } from "./vectors.mjs";

const read = (path) => readFileSync(join(root, path), "utf8");
const example = () => ({
  migration: read("docs/examples/qualys/migration.toml"),
  dns: JSON.parse(read("docs/examples/qualys/dns.json")),
});

/** JSON without the white space between its tokens, by the text alone. */
const dense = (text) => text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string) => string ?? "");

/** What the command prints, whatever its verdict. */
const command = (...words) => {
  const { stdout, status } = spawnSync(process.env.SENDERSHIFT_COMMAND, [...words, "--json"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    cwd: root,
  });
  assert.ok([0, 1, 2, 3].includes(status), `${words}: ${status} ${stdout}`);
  return stdout;
};

test("plans are those of the command, octet by octet", () => {
  const examples = readdirSync(join(root, "docs/examples"));
  assert.ok(examples.length > 0);
  for (const name of examples) {
    const folder = `docs/examples/${name}`;
    const input = { migration: read(`${folder}/migration.toml`), dns: JSON.parse(read(`${folder}/dns.json`)) };
    const told = command("plan", `${folder}/migration.toml`, "--dns", `${folder}/dns.json`);
    assert.equal(callText("plan", JSON.stringify(input)), dense(told), name);
    // The plain object is as good as the text.
    assert.equal(`${JSON.stringify(plan(input), null, 2)}\n`, told, name);
  }
});

const places = ({ format, code, problems }) => [format, code, problems.map(({ code, span }) => [code, span])];

test("proofs are those of the command, octet by octet", () => {
  const plans = readdirSync(join(root, "tests/plans"), { recursive: true }).filter((path) => path.endsWith(".json"));
  let judged = 0;
  for (const path of plans) {
    const text = read(join("tests/plans", path));
    const [got, told] = [callText("prove", text), command("prove", `tests/plans/${path}`)];
    const refused = JSON.parse(told);
    if (refused.format === "sendershift-error/1") {
      // The command says in which file.
      assert.deepEqual(places(JSON.parse(got)), places(refused), path);
    } else {
      judged += 1;
      assert.equal(got, dense(told), path);
    }
  }
  assert.ok(judged > 50);
});

test("what is wrong is an error with its problems", () => {
  const wrong = () => nameParse({ name: "a..b" });
  assert.throws(wrong, (error) => {
    assert.ok(error instanceof SendershiftError && error instanceof Error);
    assert.equal(error.name, "SendershiftError");
    assert.equal(error.code, "name.empty-label");
    assert.deepEqual(error.problems[0].span, [2, 2]);
    assert.deepEqual(error.questions, []);
    return true;
  });
  assert.throws(() => callText("plan", { migration: "" }), TypeError);
});

test("missing evidence is an error with its questions", () => {
  const dns = { format: "sendershift-snapshot/1", answers: [] };
  assert.throws(() => spfCheck({ dns, ip: "192.0.2.1", mail_from: "a@shop.example" }), (error) => {
    assert.equal(error.code, null);
    assert.deepEqual(error.questions, [{ name: "shop.example", type: "TXT" }]);
    return true;
  });
});

test("a long call tells its progress, and ends where it is told to", () => {
  const counts = [];
  const whole = plan(example(), { progress: (count) => void counts.push(count) });
  assert.equal(whole.proof.verdict, "safe");
  assert.ok(counts.length > 0 && counts.every(Number.isSafeInteger));
  const ended = prove(whole, { progress: () => false });
  assert.equal(ended.verdict, "undecided");
  assert.ok(ended.undecided.some((remark) => remark.code === "proof.cancelled"));
});

test("what a progress function throws comes out, and the module goes on", () => {
  const thrown = new Error("no more");
  assert.throws(() => plan(example(), { progress: () => { throw thrown; } }), (error) => error === thrown);
  assert.equal(nameParse({ name: "A.example" }).name, "a.example");
});

test("the README's example prints what it says", () => {
  const [, code] = /```js\n(.*?)```/s.exec(read("bindings/wasm/README.md"));
  const path = join(import.meta.dirname, "readme-example.mjs");
  writeFileSync(path, code);
  const says = code.split("\n").filter((line) => line.startsWith("// ")).map((line) => line.slice(3));
  const prints = execFileSync(process.execPath, [path], { encoding: "utf8" }).trimEnd().split("\n");
  assert.deepEqual(prints, says);
});

test("who waits for everything, in vain perhaps, keeps nobody from less", () => {
  const folder = join(import.meta.dirname, "node_modules/sendershift");
  const program = `
    import { readFileSync } from "node:fs";
    import { init, spfParse } from ${JSON.stringify(join(folder, "index.js"))};
    const late = new Promise((resolve) => setTimeout(() => resolve(new Uint8Array([1, 2, 3])), 500));
    const failing = init({ full: true, wasm: late }).then(() => "loaded", () => "failed");
    await init({ wasm: readFileSync(${JSON.stringify(join(folder, "light_bg.wasm"))}) });
    console.log(spfParse({ record: "v=spf1 -all" }).record, await failing);`;
  // A process of its own: in this one everything is there.
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  assert.equal(said, "v=spf1 -all failed\n");
});

test("in a browser the modules are fetched, a failure is told, and more does not become less", async () => {
  const folder = join(import.meta.dirname, "node_modules/sendershift");
  const browser = await import(join(folder, "index.js"));
  const wasm = (name) => readFileSync(join(folder, `${name}_bg.wasm`));
  await assert.rejects(browser.init({ wasm: new Uint8Array([1, 2, 3]) }), WebAssembly.CompileError);
  await browser.init({ wasm: wasm("light") });
  assert.throws(() => browser.plan(example()), (error) => error.code === "wire.unknown-operation");
  await browser.init({ full: true, wasm: wasm("full") });
  await browser.init();
  assert.equal(browser.plan(example()).proof.verdict, "safe");
});
