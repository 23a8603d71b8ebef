// The reader of DNS answers: what is broken, cut or about something else is never taken for absence.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { answerTo } from "./resolver.mjs";

const source = await readFile(join(process.env.SENDERSHIFT_PAGE, "dns.js"), "utf8");
const { query, read } = await import(`data:text/javascript,${encodeURIComponent(source)}`);
const answer = (name, type) => new Uint8Array(answerTo(Buffer.from(query(name, type))));

test("an alias, texts with octets that are no letters, and absence (RFC 1034 section 3.6.2, RFC 2308 section 2)", () => {
  assert.deepEqual(read(answer("Alias.Example", "TXT"), "alias.example", "TXT"), [
    { name: "alias.example.", type: "CNAME", ttl: 300, records: ["target.example."] },
    { name: "target.example.", type: "TXT", status: "noerror", ttl: 300, records: [["v=spf1 ip4:198.51.100.0/24 -all"]] },
  ]);
  assert.deepEqual(read(answer("doh.example", "TXT"), "doh.example", "TXT")[0].records[1], ["other text, with \\007"]);
  assert.deepEqual(read(answer("doh.example", "A"), "doh.example", "A"), [{ name: "doh.example.", type: "A", status: "noerror" }]);
  assert.deepEqual(read(answer("gone.example", "A"), "gone.example", "A"), [{ name: "gone.example.", type: "A", status: "nxdomain" }]);
});

test("an answer that is cut anywhere is none", () => {
  const whole = answer("alias.example", "TXT");
  for (let end = 0; end < whole.length; end += 1) assert.throws(() => read(whole.slice(0, end), "alias.example", "TXT"), undefined, String(end));
});

test("another question, a query, a truncated message, a refusal and a name without end", () => {
  const changed = (at, octet) => Uint8Array.from(answer("gone.example", "A"), (old, index) => (index === at ? octet : old));
  assert.throws(() => read(answer("gone.example", "A"), "other.example", "A"), /another question/);
  assert.throws(() => read(answer("gone.example", "A"), "gone.example", "AAAA"), /another question/);
  assert.throws(() => read(changed(2, 0x01), "gone.example", "A"), /no DNS answer/);
  for (const message of [changed(2, 0x83), changed(3, 0x82), changed(3, 0x85)]) {
    assert.deepEqual(read(message, "gone.example", "A"), [{ name: "gone.example", type: "A", status: "servfail" }]);
  }
  assert.throws(() => read(Uint8Array.from([...changed(12, 0xc0).slice(0, 13), 12, 0, 1, 0, 1]), "gone.example", "A"), /name without end/);
});
