// What people paste into "SPF record", and what DNS does to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, open, page, requests, resolver, shows, text } from "./harness.mjs";

const snapshot = (records, more = []) => JSON.stringify({ format: "sendershift-snapshot/1", closed: true, answers: [...Object.entries(records).map(([name, record]) => ({ name, type: "TXT", records: [record] })), ...more] });
const evidence = async (records, more) => {
  await page.evaluate(() => (document.getElementById("evidence-box").open = true));
  await page.fill("#evidence", snapshot(records, more));
};
const settled = () => page.waitForFunction(() => document.getElementById("spf-said").textContent !== "");
/** Which answers are of the input before. */
const stale = () => page.evaluate(() => [...document.querySelectorAll('#results [aria-busy="true"][inert]')].map(({ id }) => id));

test("an answer of the input before is dimmed, and nothing of it can be copied", async () => {
  await open();
  await page.fill("#subject", "v=spf1 ip4:192.0.2.0/24 ip4:192.0.3.0/24 -all");
  await settled();
  assert.match(await text("#spf-said"), /^Within the limits/);
  const busy = await page.evaluate(() => {
    const subject = document.getElementById("subject");
    subject.value = "v=spf1 ip4:192.0.2.0/25 -all";
    subject.dispatchEvent(new Event("input"));
    return [...document.querySelectorAll("#results [inert]")].map(({ id }) => id);
  });
  assert.deepEqual(busy, ["cost", "tree", "lint", "best", "who", "address", "diff"]);
  await shows("#who", "128 addresses");
  await settled();
  assert.deepEqual(await stale(), []);
  // An address that one asks about leaves the rest alone.
  await page.fill("#ip", "192.0.2.1");
  assert.deepEqual((await stale()).filter((id) => id !== "address"), []);
  await shows("#address", "192.0.2.1 pass");
  await page.fill("#ip", "192.0.2.200");
  await shows("#address", "192.0.2.200 fail");
  clean();
});

test("where DNS does not answer nothing is told as a fact of the record", async () => {
  await open();
  await evidence({ "b.example": "v=spf1 include:i.example ip4:192.0.2.9 -all" }, [{ name: "i.example", type: "TXT", status: "servfail" }]);
  await page.fill("#subject", "b.example");
  await shows("#cost", "Not known: DNS did not answer about i.example");
  await shows("#who", "Not known: DNS did not answer about i.example");
  assert.doesNotMatch(await text("#results"), /0 addresses|Broken|undefined/);
  // Two records that begin with what nobody knows are the same today alone.
  await page.fill("#other", "v=spf1 include:i.example +all");
  await shows("#diff", "Whether the two mean the same is not known");
  clean();
});

test("records that limits alone make the same are not called the same", async () => {
  const many = Array.from({ length: 11 }, (_, at) => `include:i${at}.example`).join(" ");
  await open();
  await evidence({
    "b.example": `v=spf1 ${many} ip4:192.0.2.1 -all`, "c.example": `v=spf1 ${many} ip4:198.51.100.0/24 +all`,
    ...Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`i${at}.example`, "v=spf1 -all"])),
  });
  await page.fill("#subject", "b.example");
  await settled();
  await page.fill("#other", "c.example");
  await shows("#diff", "the two do not mean the same");
  await shows("#diff", "At other kinds of receivers");
  // A record beside a domain is one of that domain.
  await page.fill("#other", "v=spf1 mx -all");
  await shows("#diff", "They differ");
  clean();
});

test("a record in quotation marks is taken out of them", async () => {
  await open();
  for (const [pasted, record] of [
    ['b.example. 300 IN TXT "v=spf1 ip4:192.0.2.0" "/24 -all"', "v=spf1 ip4:192.0.2.0/24 -all"],
    ["\u201cv=spf1 ip4:192.0.2.0/24 -all\u201d", "v=spf1 ip4:192.0.2.0/24 -all"],
  ]) {
    await page.fill("#subject", pasted);
    await page.click('#subject-problems button:has-text("Take the record out")');
    assert.equal(await page.inputValue("#subject"), record);
    await shows("#who", "256 addresses");
  }
  await page.fill("#subject", "v=spf1 ip4:192.0.2.0/24\n  -all\n");
  await shows("#who", "256 addresses");
  for (const address of ["192.0.2.1", "2001:db8::/32"]) {
    await page.fill("#subject", address);
    await shows("#subject-problems", "this is an address");
  }
  await page.fill("#subject", "v=spf1\u00a0-all");
  await shows("#subject-problems", "v=spf1");
  assert.doesNotMatch(await text("#subject-problems"), /label/);
  clean();
});

test("servers that contradict themselves are told, and what they said can be forgotten", async () => {
  // `b.example` has a record, and does not exist where its hosts are asked for.
  const answer = ({ name, type }) => {
    const labels = Buffer.concat([...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);
    const question = Buffer.concat([labels, Buffer.from([0, type, 0, 1])]);
    const has = name === "b.example" && type === 16;
    const record = Buffer.from("v=spf1 mx -all");
    const data = Buffer.concat([Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 1, 44, 0, record.length + 1, record.length]), record]);
    return Buffer.concat([Buffer.from([0, 0, 0x81, has ? 0x80 : 0x83, 0, 1, 0, has ? 1 : 0, 0, 0, 0, 0]), question, ...(has ? [data] : [])]);
  };
  await open();
  await page.route(`${resolver}/**`, (route) => {
    const query = Buffer.from(new URL(route.request().url()).searchParams.get("dns"), "base64url");
    const end = query.indexOf(0, 12);
    const name = query.toString("latin1", 13, end).replaceAll(/[\x01-\x1f]/g, ".");
    return route.fulfill({ body: answer({ name, type: query.readUInt16BE(end + 1) }), contentType: "application/dns-message", headers: { "access-control-allow-origin": "*" } });
  });
  await page.fill("#subject", "b.example");
  await page.selectOption("#resolver", "");
  await page.fill("#own", `${resolver}/dns-query{?dns}`);
  await page.click("#ask");
  await shows("#tree", "mx");
  await shows("#status", "Servers contradict themselves about b.example, which is taken to exist.");
  await shows("#who", "0 addresses");
  assert.ok(requests.every((url) => !url.includes("{")));
  await shows("#told-when", `of ${new URL(resolver).host}, the oldest of 20`);
  assert.doesNotMatch(await text("#told-when"), /link/);
  // What a link holds nobody has asked here.
  await page.reload();
  await shows("#told-when", "as the link to this page says");
  await page.click("#again");
  await shows("#questions", "b.example TXT");
  clean(resolver);
});
