// A resolver with a few names: it reads and writes DNS messages (RFC 1035 section 4), with compression and an alias.

const TYPES = { A: 1, CNAME: 5, TXT: 16, AAAA: 28 };
const NAMES = {
  "doh.example": { TXT: ["v=spf1 include:alias.example a:gone.example -all", "other text, with \u0007"] },
  "alias.example": { CNAME: "target.example" },
  "target.example": { TXT: ["v=spf1 ip4:198.51.100.0/24 -all"] },
};

const encode = (name) => Buffer.concat([...name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.of(0)]);

function record(owner, type, data) {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(300, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}

export function answerTo(query) {
  const labels = [];
  let at = 12;
  for (; query[at] > 0; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
  const question = query.subarray(12, at + 5);
  const type = query.readUInt16BE(at + 1);
  let node = NAMES[labels.join(".").toLowerCase()];
  let owner = Buffer.of(0xc0, 12);
  const answers = [];
  if (node?.CNAME) {
    answers.push(record(owner, TYPES.CNAME, encode(node.CNAME)));
    [owner, node] = [encode(node.CNAME), NAMES[node.CNAME]];
  }
  if (node?.TXT && type === TYPES.TXT) {
    for (const text of node.TXT) answers.push(record(owner, TYPES.TXT, Buffer.concat([Buffer.of(text.length), Buffer.from(text)])));
  }
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0x8180 | (node ? 0 : 3), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  return Buffer.concat([head, question, ...answers]);
}
