// What people do to the inputs of "Plan a split", faster and slower than the page.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { clean, context, open, page, shows, text } from "./harness.mjs";

const root = process.env.SENDERSHIFT_ROOT;
const UNSAFE = readFileSync(join(root, "tests/plans/broken-negative-cache.json"), "utf8");
const migration = () => page.inputValue("#migration");
const says = (words) => page.waitForFunction((words) => document.getElementById("migration").value.includes(words), words);
const example = async (name) => {
  await page.click(`#plan-examples button:has-text("${name}")`);
  await page.locator("#steps > ol").waitFor();
};
const form = async () => {
  await page.click("#form-box summary");
  await page.locator("#form fieldset").first().waitFor();
};
/** What a service worker fetches cannot be delayed. */
const SLOW = { serviceWorkers: "block" };
const later = (path, milliseconds) => page.route(`**/${path}`, async (route) => {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  await route.continue();
});

test("a proof that ends does not take the focus from whoever types", async () => {
  await open("#plan");
  await page.fill("#migration", UNSAFE);
  await page.press("#migration", "Control+End");
  await page.keyboard.type(" ");
  await shows("#proof", "Unsafe");
  await page.keyboard.type("abc");
  assert.ok((await migration()).endsWith(" abc"));
  clean();
});

test("a link holds whether a plan is judged on what DNS says today", async () => {
  await open("#plan");
  await example("newsletters");
  await page.fill("#migration", UNSAFE);
  await shows("#proof", "Unsafe");
  for (const today of [false, true]) {
    await page.setChecked("#today", today);
    await page.waitForFunction((today) => location.hash.includes(`%22today%22%3A${today}`), today);
    const said = today ? "Not judged" : "Unsafe";
    await shows("#proof", said);
    await page.reload();
    await shows("#proof", said);
    assert.equal(await page.isChecked("#today"), today);
  }
  clean();
});

test("what is saved as text begins with what was found", async () => {
  await open("#plan");
  const saved = async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click('#downloads button:has-text("plan (text)")')]);
    return readFile(await download.path(), "utf8");
  };
  await page.click('#plan-examples button:has-text("unsafe")');
  await shows("#proof", "Unsafe");
  const unsafe = await saved();
  assert.match(unsafe, /^Unsafe: /);
  assert.match(unsafe, /^P1 authenticated for \S+: p1\./m);
  await page.click('#plan-examples button:has-text("newsletters")');
  await shows("#proof", "Safe: under");
  const safe = await saved();
  assert.match(safe, /^Safe: under the assumptions and conditions/);
  assert.match(safe, /^Conditions:\n {2}- /m);
  clean();
});

test("an example that comes late overwrites nothing", async () => {
  await open("#plan", SLOW);
  await later("qualys/dns.json", 1000);
  await page.click('#plan-examples button:has-text("qualys")');
  await example("newsletters");
  await page.waitForTimeout(1200);
  assert.match(await migration(), /shop\.example/);
  await page.click('#plan-examples button:has-text("qualys")');
  await page.fill("#migration", "title = 1");
  await page.waitForTimeout(1200);
  assert.equal(await migration(), "title = 1");
  await page.route("**/newsletters/dns.json", (route) => route.fulfill({ status: 404, body: "not here" }));
  await page.click('#plan-examples button:has-text("newsletters")');
  await shows("#status", "The example could not be loaded: HTTP status 404");
  assert.equal(await migration(), "title = 1");
});

test("the form goes by the text: its names, what is typed fast, and what is taken back", async () => {
  await open("#plan");
  await example("newsletters");
  await form();
  // Entries change their places in the text: the form names them as they are.
  const before = await migration();
  await page.fill("#migration", before.replace('id = "office"', 'id = "@"').replace('id = "esp"', 'id = "office"').replace('id = "@"', 'id = "esp"'));
  await page.waitForFunction(() => [...document.querySelectorAll("legend")].findIndex(({ textContent }) => textContent === "Source esp") < [...document.querySelectorAll("legend")].findIndex(({ textContent }) => textContent === "Source office"));
  await page.getByRole("button", { name: "Remove source esp", exact: true }).waitFor();
  await page.fill("#migration", before);
  // Three fields, faster than the page.
  await page.getByRole("group", { name: "The whole" }).getByLabel("Title", { exact: true }).focus();
  for (const words of ["T1", "2026-11-09", "2027-04-30"]) {
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText(words);
    await page.keyboard.press("Tab");
  }
  await says('title = "T1"');
  await says("announce = 2026-11-09");
  await says("deadline = 2027-04-30");
  // Who removes an entry goes on beside it, and can take that back.
  await page.getByRole("button", { name: "Remove source esp", exact: true }).click();
  await page.waitForFunction(() => !document.getElementById("migration").value.includes('id = "esp"'));
  await page.waitForFunction(() => document.activeElement.tagName === "BUTTON");
  await page.focus("#migration");
  await page.keyboard.press("Control+Z");
  await says('id = "esp"');
  clean();
});

test("comments at the end are about nothing that stands before them", async () => {
  await open("#plan");
  const file = 'title = "t"\n\n[[source]]\nid = "a"\naddresses = [\n  "192.0.2.1",\n]\n# About it.\n\n# ---- End. Reviewed by Ann.\n';
  await page.fill("#migration", file);
  await form();
  await page.getByRole("button", { name: "Remove source a", exact: true }).click();
  await page.waitForFunction(() => !document.getElementById("migration").value.includes("[[source]]"));
  assert.equal(await migration(), 'title = "t"\n\n# ---- End. Reviewed by Ann.\n');
  // What has several lines is not written as one.
  await page.fill("#migration", "title = '''\nNews\nletters'''\n");
  const title = page.getByLabel("Title", { exact: true });
  await page.waitForFunction(() => document.querySelector("#form input").title.includes("several lines"));
  assert.equal(await title.getAttribute("readonly"), "");
  clean();
});

test("a task that is left before it is there stays away", async () => {
  await open("", SLOW);
  await later("plan.js", 600);
  await page.click("#task-plan");
  await page.click("#task-spf");
  await page.waitForTimeout(900);
  assert.equal(await page.isHidden("#plan-task"), true);
  await page.fill("#subject", "doh.example");
  await shows("#missing", "this question");
  assert.equal(await page.locator("#spf-task #missing").count(), 1);
  clean();
});

test("an identity that is used again is on the picture again", async () => {
  await open("#plan");
  const plan = JSON.parse(UNSAFE);
  const [stream] = plan.streams;
  const [old, fresh] = stream.identities.map(({ id }) => id);
  const last = plan.steps.at(-1).id;
  plan.steps.push({ id: "back", kind: "send", title: "Back", after: [{ step: last, at_least: "P10D" }], starts: [{ stream: stream.id, identity: old }], stops: [{ stream: stream.id, identity: fresh }] });
  await page.fill("#migration", JSON.stringify(plan));
  await shows("#steps", "Back");
  await shows("#proof", "");
  const back = page.getByRole("button", { name: "Back to the plan" });
  if (await back.count() > 0) await back.click();
  await page.waitForFunction(() => document.querySelectorAll("#timeline rect.identity.i0").length > 0);
  const bars = await page.locator("#timeline svg.timeline[role=img] rect.identity.i0").count();
  assert.equal(bars, 2);
  clean();
});

test("a proof that was stopped is begun again, and files are read as what they are", async () => {
  await open("#plan");
  await example("qualys");
  await page.locator("#proof-stop").click();
  await shows("#proof", "Stopped: nothing is proven.");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Prove");
  await page.keyboard.press("Enter");
  await shows("#proof", "Safe: under");
  assert.match(await text("#proof-said"), /^Safe: under/);
  const before = await migration();
  await page.setInputFiles("#migration-file", { name: "latin.toml", mimeType: "text/plain", buffer: Buffer.from([0x74, 0xe9]) });
  await shows("#migration-problems", "latin.toml is not UTF-8 text");
  assert.equal(await migration(), before);
  clean();
  await context.close();
});
