// DNS over HTTPS (RFC 8484): one question, and what its answer says in the words of a snapshot.

const TYPES = { A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28 };
const TIMEOUT = 5000;

/** The answers of a resolver to a question: of every name on the way, if there are aliases. */
export async function ask(resolver, { name, type }, signal) {
  const url = new URL(resolver);
  url.searchParams.set("dns", base64url(query(name, type)));
  const failed = (status) => [{ name, type, status }];
  let message;
  try {
    const response = await fetch(url, {
      headers: { accept: "application/dns-message" },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]),
      credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
      // Nobody but the chosen resolver is asked.
      redirect: "error",
    });
    if (!response.ok) throw new Error(`the resolver answers with HTTP status ${response.status}`);
    message = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    if (error.name === "TimeoutError" && !signal.aborted) return failed("timeout");
    throw error;
  }
  return read(message, name, type);
}

/** A query with the identifier 0 (RFC 8484 section 4.1) that wants recursion. */
export function query(name, type) {
  if (!(type in TYPES)) throw new Error(`a question of type ${type} cannot be asked`);
  const octets = [0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  for (const label of labels(name)) octets.push(label.length, ...label);
  octets.push(0, 0, TYPES[type], 0, 1);
  return Uint8Array.from(octets);
}

/** Reads an answer. Throws where it is none to the question: what is not understood is never taken for absence. */
export function read(message, name, type) {
  const reader = new Reader(message);
  const [, flags, questions, answers] = [0, 2, 4, 6].map((at) => reader.u16(at));
  const code = flags & 15;
  if (!(flags & 0x8000) || questions !== 1) throw new Error("the resolver sends no DNS answer");
  let [asked, at] = reader.name(12);
  const start = canonical(name);
  if (asked !== start || reader.u16(at) !== TYPES[type] || reader.u16(at + 2) !== 1) {
    throw new Error("the resolver answers another question");
  }
  // Cut short, or neither success nor NXDOMAIN: the resolver could not say.
  if (flags & 0x0200 || (code !== 0 && code !== 3)) return [{ name, type, status: "servfail" }];
  at += 4;
  const records = [];
  for (let left = answers; left > 0; left -= 1) {
    const [owner, after] = reader.name(at);
    const [kind, ttl, length] = [reader.u16(after), reader.u32(after + 4), reader.u16(after + 8)];
    reader.octets(after + 10, length);
    if (reader.u16(after + 2) === 1) records.push({ owner, kind, ttl, from: after + 10, length });
    at = after + 10 + length;
  }
  const found = [];
  const seen = new Set();
  let here = start;
  for (;;) {
    if (seen.has(here)) return [{ name, type, status: "servfail" }];
    seen.add(here);
    const own = records.filter((record) => record.owner === here);
    const data = own.filter((record) => record.kind === TYPES[type]);
    const alias = own.find((record) => record.kind === TYPES.CNAME);
    if (data.length > 0 || alias === undefined || type === "CNAME") {
      const answer = { name: here, type, status: data.length === 0 && code === 3 ? "nxdomain" : "noerror" };
      if (data.length > 0) {
        answer.ttl = Math.min(...data.map(({ ttl }) => ttl));
        answer.records = data.map((record) => reader.rdata(record, type));
      }
      return [...found, answer];
    }
    const target = reader.rdata(alias, "CNAME");
    found.push({ name: here, type: "CNAME", ttl: alias.ttl, records: [target] });
    here = target;
  }
}

class Reader {
  constructor(message) {
    this.message = message;
    this.view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  }
  // A DataView throws where the message ends too soon.
  u16(at) { return this.view.getUint16(at); }
  u32(at) { return this.view.getUint32(at); }
  octets(at, length) {
    if (at + length > this.message.length) throw new Error("the resolver's answer is cut short");
    return this.message.subarray(at, at + length);
  }

  /** A name in canonical text, and where it ends. Pointers only lead backwards (RFC 1035 section 4.1.4). */
  name(at) {
    let text = "";
    let end;
    for (let limit = at; ; ) {
      const length = this.view.getUint8(at);
      if (length >= 192) {
        const target = this.u16(at) & 0x3fff;
        end ??= at + 2;
        if (target >= limit) throw new Error("the resolver's answer has a name without end");
        at = limit = target;
      } else if (length >= 64) {
        throw new Error("the resolver's answer has a label of an unknown type");
      } else if (length === 0) {
        return [text || ".", end ?? at + 1];
      } else {
        text += `${[...this.octets(at + 1, length)].map(labelOctet).join("")}.`;
        if (text.length > 1100) throw new Error("the resolver's answer has a name that is too long");
        at += length + 1;
      }
    }
  }

  rdata({ from, length }, type) {
    const data = this.octets(from, length);
    const whole = (right) => { if (!right) throw new Error(`the resolver's answer has a broken ${type} record`); };
    if (type === "A") { whole(length === 4); return data.join("."); }
    if (type === "AAAA") {
      whole(length === 16);
      return Array.from({ length: 8 }, (_, group) => this.u16(from + 2 * group).toString(16)).join(":");
    }
    if (type === "TXT") {
      const strings = [];
      for (let at = 0; at < length; at += 1 + data[at]) {
        whole(at + 1 + data[at] <= length);
        strings.push([...data.subarray(at + 1, at + 1 + data[at])].map(textOctet).join(""));
      }
      whole(strings.length > 0);
      return strings;
    }
    const skip = type === "MX" ? 2 : 0;
    const [name, end] = this.name(from + skip);
    whole(end === from + length);
    return skip ? `${this.u16(from)} ${name}` : name;
  }
}

const ddd = (octet) => `\\${String(octet).padStart(3, "0")}`;
const textOctet = (octet) => (octet < 32 || octet > 126 || octet === 92 ? ddd(octet) : String.fromCharCode(octet));
const plain = (octet) => (octet >= 48 && octet <= 57) || (octet >= 97 && octet <= 122) || octet === 45 || octet === 95;
function labelOctet(octet) {
  const lower = octet >= 65 && octet <= 90 ? octet + 32 : octet;
  return plain(lower) ? String.fromCharCode(lower) : ddd(lower);
}

/** The labels of a name as the core writes it: ASCII, with `\DDD` and `\X`. */
function labels(name) {
  const all = [[]];
  for (const [, number, escaped, dot, other] of name.replace(/\.$/, "").matchAll(/\\(\d{3})|\\(.)|(\.)|(.)/gs)) {
    if (dot) all.push([]);
    else all.at(-1).push(number ? Number(number) : (escaped ?? other).charCodeAt(0));
  }
  const right = (label) => label.length > 0 && label.length < 64 && label.every((octet) => octet < 256);
  if (!all.every(right) || all.reduce((sum, label) => sum + label.length + 1, 1) > 255) throw new Error(`${name} is no name`);
  return all;
}

const canonical = (name) => labels(name).map((label) => `${label.map(labelOctet).join("")}.`).join("");
const base64url = (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
