// A resolver with a few names: it reads and writes DNS messages (RFC 1035 section 4), with compression and an alias.

const TYPES = { A: 1, NS: 2, CNAME: 5, SOA: 6, MX: 15, TXT: 16, AAAA: 28 };
/** Records by name and type. */
const names = new Map();

function add(name, type, records, ttl = 300) {
  const node = names.get(name) ?? {};
  names.set(name, { ...node, [type]: { ttl, records } });
}

/** The resolver knows what a snapshot lists, and no other name. */
export function know({ answers }) {
  names.clear();
  for (const { name, type, records, ttl } of answers) if (records) add(name.replace(/\.$/, ""), type, records, ttl);
}

add("doh.example", "TXT", ["v=spf1 include:alias.example a:gone.example -all", "other text, with \u0007"]);
add("alias.example", "CNAME", ["target.example"]);
add("target.example", "TXT", ["v=spf1 ip4:198.51.100.0/24 -all"]);

const encode = (name) => Buffer.concat([...name.split(".").filter(Boolean).map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);
const numbers = (list, octets) => Buffer.concat(list.map((number) => { const one = Buffer.alloc(octets); one.writeUIntBE(Number(number), 0, octets); return one; }));

const DATA = {
  A: (text) => Buffer.from(text.split(".").map(Number)),
  NS: encode,
  CNAME: encode,
  SOA: (text) => { const [primary, mailbox, ...rest] = text.split(" "); return Buffer.concat([encode(primary), encode(mailbox), numbers(rest, 4)]); },
  MX: (text) => { const [preference, host] = text.split(" "); return Buffer.concat([numbers([preference], 2), encode(host)]); },
  TXT: (text) => Buffer.concat((Array.isArray(text) ? text : text.match(/[^]{1,255}/g)).map((string) => Buffer.from([string.length, ...Buffer.from(string)]))),
};

const set = (owner, type, { ttl, records }) => records.map((text) => {
  const data = DATA[type](text);
  return Buffer.concat([owner, numbers([TYPES[type], 1], 2), numbers([ttl], 4), numbers([data.length], 2), data]);
});

/** The SOA record of the zone that a name is in, if there is one. */
function authority(name) {
  const parts = name.split(".");
  const zone = parts.map((_, at) => parts.slice(at).join(".")).find((above) => names.get(above)?.SOA);
  return zone === undefined ? [] : set(encode(zone), "SOA", names.get(zone).SOA);
}

export function answerTo(query) {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
  const question = query.subarray(12, at + 5);
  const type = Object.keys(TYPES).find((name) => TYPES[name] === query.readUInt16BE(at + 1));
  let name = labels.join(".").toLowerCase();
  let owner = Buffer.of(0xc0, 12);
  const answers = [];
  const alias = names.get(name)?.CNAME;
  if (alias && type !== "CNAME") {
    answers.push(...set(owner, "CNAME", alias));
    [name] = alias.records;
    owner = encode(name);
  }
  const found = names.get(name)?.[type];
  if (found) answers.push(...set(owner, type, found));
  const exists = [...names.keys()].some((known) => known === name || known.endsWith(`.${name}`));
  const denial = found ? [] : authority(name);
  const head = numbers([0, 0x8180 | (exists ? 0 : 3), 1, answers.length, denial.length, 0], 2);
  return Buffer.concat([head, question, ...answers, ...denial]);
}
