// The task "Plan a split" in Chromium.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clean, context, looks, open, page, readable, resolver, shows, text } from "./harness.mjs";
import { know } from "./resolver.mjs";

const root = process.env.SENDERSHIFT_ROOT;
const read = (path) => readFileSync(join(root, path), "utf8");
/** JSON without the white space between its tokens, by the text alone. */
const dense = (json) => json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string) => string ?? "");
const command = (...words) => spawnSync(process.env.SENDERSHIFT_COMMAND, [...words, "--json"], { encoding: "utf8", maxBuffer: 1 << 28, cwd: root }).stdout;

async function saved(button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`#downloads button:has-text("${button}")`)]);
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

const proven = (words = "Safe: under the assumptions") => page.locator("#proof", { hasText: words }).waitFor({ timeout: 120_000 });

test("from typing a migration to copying a record and saving the plan: octet by octet that of the command, for every example", async () => {
  await open("#plan");
  for (const name of readdirSync(join(root, "docs/examples"))) {
    const folder = `docs/examples/${name}`;
    await page.evaluate(() => (document.getElementById("plan-evidence-box").open = true));
    await page.fill("#plan-evidence", read(`${folder}/dns.json`));
    await page.fill("#migration", read(`${folder}/migration.toml`));
    await proven();
    const told = command("plan", `${folder}/migration.toml`, "--dns", `${folder}/dns.json`);
    const plan = await saved("plan (JSON)");
    assert.equal(plan.name, "plan.json");
    assert.equal(plan.text, dense(told), name);
    const { steps } = JSON.parse(told);
    assert.equal(await page.locator("#steps > ol > li").count(), steps.length);
    const records = JSON.parse((await saved("records")).text);
    assert.deepEqual(records.flatMap(({ changes }) => changes), steps.flatMap(({ changes }) => changes));
    assert.match((await saved("plan (text)")).text, new RegExp(steps[0].title));
  }
  await page.click("#steps summary >> nth=0");
  await page.click("#steps details[open] .record + button");
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^v=DKIM1; k=rsa; p=/);
  clean();
});

test("the example, its picture, and a link to it", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("qualys")');
  await shows("#timeline svg.timeline", "Publish the mail exchanges of qualys.net");
  // What is remembered of a name that was not there: the negative TTL of its zone, a day, and three days that resolvers may be late.
  await shows("#timeline", "qualys.net MX: caches may still say for 4 d: there is none");
  const width = () => page.evaluate(() => document.querySelector("#timeline .picture svg").getBoundingClientRect().width);
  const before = await width();
  await page.focus("#zoom");
  for (let press = 0; press < 4; press += 1) await page.keyboard.press("ArrowRight");
  assert.ok(Math.abs((await width()) / before - 2) < 0.01);
  await proven();
  assert.ok(Math.abs((await width()) / before - 2) < 0.01);
  // Of what was typed since nothing is proven.
  await page.evaluate(() => { const area = document.getElementById("migration"); area.value += "\n"; area.dispatchEvent(new Event("input")); });
  assert.match(await text("#proof"), /^Nothing is proven yet\.$/);
  const link = await page.evaluate(() => location.hash);
  await open(link);
  await proven();
  assert.match(await text("#proof"), /Safe: under the assumptions below[^]*Margin[^]*Resolvers may answer from an entry after its TTL for[^]*What others publish on a date may take[^]*All three together may be/);
  clean();
});

test("the way back has its waits and records, and every step the last day on which it may begin", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("qualys")');
  await proven();
  const plan = JSON.parse((await saved("plan (JSON)")).text);
  const taken = plan.steps.find(({ undo }) => Array.isArray(undo) && undo.some(({ after }) => after.some(({ at_least: least }) => least !== "PT0S")) && undo.some(({ changes }) => changes.length > 0));
  const step = page.locator(`[id="step-${taken.id}"]`);
  await step.locator("summary").click();
  assert.match(await step.innerText(), /To undo:[^]*Not before:\s+(\d+ (d|h|min|s) ?)+after /);
  const texts = taken.undo.flatMap(({ changes }) => changes).flatMap(({ add, remove }) => [...(add ?? []), ...(remove ?? [])]).flat();
  for (const one of texts) assert.ok((await step.innerText()).includes(one.slice(0, 40)), one);
  for (const { id } of plan.steps.filter(({ latest }) => latest)) assert.match(await page.locator(`[id="step-${id}"]`).evaluate((it) => it.textContent), /[aA]t the latest it starts at \d{4}-/);
  clean();
});

test("what cannot be read is underlined where it is", async () => {
  await open("#plan");
  await page.fill("#migration", 'format = "sendershift-migration/1"\nfoo = 1\n');
  await shows("#migration-problems", "line 2, column 1");
  await page.locator("#migration-marks mark", { hasText: /^foo$/ }).waitFor();
  await page.click('#migration-problems .place:has-text("line 2")');
  assert.equal(await page.evaluate(() => { const area = document.activeElement; return area.value.slice(area.selectionStart, area.selectionEnd); }), "foo");
  assert.equal(await page.isVisible("#plan-results"), false);
  await page.fill("#migration", '{"format": "sendershift-plan/1", "streams": 7}');
  await shows("#migration-problems", "line 1");
  assert.equal(await page.isVisible("#plan-evidence-box"), false);
  await page.click('#plan-examples button:has-text("qualys")');
  await shows("#timeline", "qualys.net");
  await page.click("#plan-evidence-box summary");
  await page.fill("#plan-evidence", '{"format": 1');
  await shows("#plan-evidence-problems", "unterminated object");
  await page.fill("#plan-evidence", "");
  await shows("#questions", "qualys.com TXT");
  clean();
});

test("a form edits the text, and keeps its comments", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("qualys")');
  await page.click("#form-box summary");
  const migration = () => page.inputValue("#migration");
  const before = await migration();
  const field = (group, label) => page.locator("fieldset", { hasText: group }).first().getByLabel(label, { exact: true });
  const change = async (input, value) => { await input.fill(value); await input.press("Tab"); };
  assert.equal(await field("The whole", "Finished by").inputValue(), "2022-12-31");
  await change(field("The whole", "Finished by"), "2023-03-31");
  await page.waitForFunction(() => document.getElementById("migration").value.includes("deadline = 2023-03-31 # FACT"));
  await change(field("Wave accounts", "Title"), 'Accounts, "later" \\ é');
  await page.waitForFunction(() => document.getElementById("migration").value.includes("later"));
  // Nothing but the two values has changed.
  assert.equal(await migration(), before.replace("deadline = 2022-12-31", "deadline = 2023-03-31").replace('title = "Account management"\nwatch', 'title = "Accounts, \\"later\\" \\\\ é"\nwatch'));
  await shows("#timeline", "deadline, 2023-04-01 00:00");
  await shows("#timeline", 'Move: Accounts, "later" \\ é');
  // What is no value is not written; what is one, and wrong, is underlined in the text.
  const sound = await migration();
  for (const wrong of ["soon", "2022-01-01 # or later", "2022-01-01, 2", ""]) {
    await field("The whole", "Announced on").evaluate((input, value) => { input.value = value; input.dispatchEvent(new Event("change")); }, wrong);
    await page.locator("fieldset .problems:not(:empty)").first().waitFor();
    await page.waitForTimeout(300);
    assert.equal(await migration(), sound, wrong);
  }
  await change(field("Domain qualys.net", "DMARC policy in the end"), "rejekt");
  await shows("#migration-problems", "rejekt");
  await page.locator("#migration-marks mark", { hasText: "rejekt" }).waitFor();
  clean();
});

test("entries and items come and go by the form, and comments stay", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("qualys")');
  await page.click("#form-box summary");
  const migration = () => page.inputValue("#migration");
  const press = (words) => page.getByRole("button", { name: words, exact: true }).click();
  const says = (words) => page.waitForFunction((words) => document.getElementById("migration").value.includes(words), words);
  const before = await migration();
  // An item behind the last one, which is filled in, and one that goes.
  await press("Add: Address of Source platform");
  await says('"203.0.113.70", "",');
  await page.waitForFunction(() => document.activeElement.labels?.[0]?.textContent === "Address 22");
  await page.keyboard.type("203.0.113.71");
  await page.keyboard.press("Tab");
  await says('"203.0.113.70", "203.0.113.71",');
  await press("Remove Address 1 of Source platform");
  await says('    "192.0.2.20", "192.0.2.30"');
  const edited = before.replace('"203.0.113.70",', '"203.0.113.70", "203.0.113.71",').replace('"192.0.2.10", ', "");
  assert.equal(await migration(), edited);
  // In a table of one line.
  await press("Add: DKIM selector, now of Stream corporate");
  await says('dkim = [{ selector = "qualyscom" }, { selector = "" }]');
  await press("Remove DKIM selector, now 2 of Stream corporate");
  await page.waitForFunction((text) => document.getElementById("migration").value === text, edited);
  // A stream that nobody has described yet, and its end.
  await press("Add a stream");
  await says('[[stream]]\nid = "new-stream"');
  await shows("#migration-problems", "line");
  await press("Remove stream new-stream");
  await page.waitForFunction((text) => document.getElementById("migration").value.trim() === text.trim(), edited);
  // What stands above the next entry is about that one.
  await press("Remove stream corporate");
  await page.waitForFunction(() => !document.getElementById("migration").value.includes('id = "corporate"'));
  const comments = (text) => text.split("\n").filter((line) => line.trimStart().startsWith("#")).length;
  assert.equal(comments(await migration()), comments(edited));
  clean();
});

test("a plan is judged on what DNS says today", async () => {
  const plan = read("tests/plans/safe-split.json");
  const { evidence } = JSON.parse(plan);
  await open("#plan");
  await page.fill("#migration", plan);
  await proven("Safe: under the assumptions and conditions below");
  assert.equal(await page.isVisible("#plan-evidence-box"), false);
  await page.check("#today");
  // Nothing is known of today, so everything is asked that the plan's evidence answers.
  await shows("#proof", "Not judged");
  await page.locator("#questions li").first().waitFor();
  await page.click("#plan-evidence-box summary");
  await page.fill("#plan-evidence", JSON.stringify(evidence));
  await shows("#proof h3", "Today");
  await shows("#proof", /Done: none.*Next: authorise-reports, announce/s);
  await shows("#proof", "Nothing else has changed since the plan was made.");
  writeFileSync(join(tmpdir(), "today.json"), JSON.stringify(evidence));
  assert.equal((await saved("proof")).text, dense(command("prove", "tests/plans/safe-split.json", "--dns", join(tmpdir(), "today.json"))));
  await page.uncheck("#today");
  await proven();
  assert.equal(await page.locator("#proof h3", { hasText: "Today" }).count(), 0);
  clean();
});

test("a resolver is asked for all that a plan stands on, the SOA records of its zones among it", async () => {
  const plan = read("tests/plans/safe-split.json");
  know(JSON.parse(plan).evidence);
  await open("#plan");
  await page.fill("#migration", plan);
  await proven();
  await page.check("#today");
  await shows("#questions", "example.net SOA");
  await page.selectOption("#resolver", "");
  await page.fill("#own", `${resolver}/dns-query`);
  await page.click("#ask");
  await shows("#proof h3", "Today");
  await shows("#proof", /Done: none.*Next: authorise-reports, announce/s);
  await shows("#proof", "Nothing else has changed since the plan was made.");
  assert.equal(await text("#status"), "");
  const link = await page.evaluate(() => location.hash);
  const { fetched } = JSON.parse(decodeURIComponent(link.slice("#plan=".length)));
  assert.ok(fetched.some(({ type, records }) => type === "SOA" && records?.length === 1));
  assert.ok(fetched.every(({ server, at }) => server === new URL(resolver).host && at.endsWith("Z")));
  clean(resolver);
});

test("an unsafe plan has its counterexample on the timeline", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("unsafe")');
  await proven("Unsafe: there is a course of events");
  await shows("#proof .counterexample[open]", "The receiver holds for sub1._domainkey.help.firm.example TXT: that there is none");
  await shows("#timeline", "The course of events in which the plan breaks: p1.no-dkim-under-enforcement");
  await shows("#timeline svg.timeline", "message judged, 2026-11-02 01:05");
  assert.ok((await page.locator("#timeline .tail.held").count()) > 0);
  const told = command("prove", "tests/plans/broken-negative-cache.json");
  assert.equal((await saved("proof")).text, dense(told));
  // What the verdict says nothing about is said.
  const { not_judged: rest } = JSON.parse(told);
  assert.ok(rest.length > 0);
  for (const promise of rest) await shows("#proof", new RegExp(`Not judged at all:.*${promise.toUpperCase()} `));
  await page.click('#timeline button:has-text("Back to the plan")');
  await shows("#timeline", "As it goes if everything goes well");
  await page.click('.counterexample button:has-text("Show on the timeline") >> nth=0');
  await shows("#timeline", "The course of events in which the plan breaks");
  clean();
});

test("a proof tells how far it is, and is stopped", async () => {
  await open("#plan");
  await page.click('#plan-examples button:has-text("qualys")');
  await shows("#proof-progress", "sets of cached records looked at");
  await page.click("#proof-stop");
  await shows("#proof", "Stopped: nothing is proven.");
  assert.equal(await page.locator("#downloads button").count(), 0);
  clean();
});

test("script in the names of a migration is text, and so is a plan that is markup", async () => {
  await open("#plan");
  const script = "<img src=x onerror=alert(1)><script>alert(1)</script>";
  const migration = read("docs/examples/qualys/migration.toml").replace(/title = "[^"]*"/g, `title = "${script}"`).replaceAll("role = \"", `role = "${script}`);
  await page.evaluate(() => (document.getElementById("plan-evidence-box").open = true));
  await page.fill("#plan-evidence", read("docs/examples/qualys/dns.json"));
  await page.fill("#migration", migration);
  await shows("#timeline", script);
  await proven();
  for (const input of [script, `{"format": "${script.replaceAll('"', "'")}"}`, `["${"[".repeat(100_000)}`]) {
    await page.fill("#migration", input);
    await page.locator("#migration-problems li").first().waitFor();
  }
  assert.equal(await page.locator("main img, main script").count(), 0);
  clean();
});

test("without a network, once it was used", async () => {
  await open("#plan");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.click('#plan-examples button:has-text("qualys")');
  await shows("#timeline", "qualys.net");
  await context.setOffline(true);
  await page.goto(page.url().replace(/#.*/, "#plan"));
  await page.reload();
  await page.click('#plan-examples button:has-text("unsafe")');
  await proven("Unsafe");
});

/** What the picture cuts off at its right end. */
const beyond = () => page.evaluate(() => {
  const { right } = document.querySelector(".picture").getBoundingClientRect();
  return [...document.querySelectorAll(".timeline text:not(.in)")].filter((it) => it.getBoundingClientRect().right > right).map((it) => it.textContent);
});

test("readable by everybody, at every width", async () => {
  for (const { name, ...look } of looks) {
    await open("#plan", look);
    await page.click('#plan-examples button:has-text("qualys")');
    await proven();
    await page.evaluate(() => document.querySelectorAll("#steps details").forEach((step) => (step.open = true)));
    await page.click("#form-box summary");
    await shows("#form", "Finished by");
    await readable(`plan-${name}`);
    assert.deepEqual(await beyond(), [], name);
    await page.click('#plan-examples button:has-text("unsafe")');
    await proven("Unsafe");
    await readable(`unsafe-${name}`);
    assert.deepEqual(await beyond(), [], name);
    await page.check("#today");
    await shows("#questions", "sub1._domainkey.help.firm.example TXT");
    await readable(`questions-${name}`);
    clean();
  }
});

test("a cold load draws a plan soon", async () => {
  const state = { migration: read("docs/examples/qualys/migration.toml"), "plan-evidence": read("docs/examples/qualys/dns.json") };
  const start = performance.now();
  await open(`#plan=${encodeURIComponent(JSON.stringify(state))}`);
  await shows("#timeline", "qualys.net");
  const drawn = performance.now();
  await proven();
  console.log(`Plan a split, from an empty cache to the picture of the Qualys plan: ${(drawn - start).toFixed(0)} ms; to its proof: ${(performance.now() - start).toFixed(0)} ms`);
  clean();
});
