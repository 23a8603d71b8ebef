// The questions that a task still has, and the button that asks a resolver: the only place from which DNS is asked.
import { byId, code, make } from "./dom.js";
import { Engine, Refusal } from "./engine.js";
import { plural } from "./words.js";

const MOST_QUESTIONS = 400;
/** How many milliseconds a resolver has for an answer. */
const TIMEOUT = 5000;
/** DNS tells the length of a message in 16 bits. */
const LONGEST_MESSAGE = 65_535;
/** The core writes the questions and reads the answers. Nothing else waits for this one. */
const core = new Engine();
/** What ends the asking that goes on, if any does. */
let asking;
/** The task whose questions are shown: `{ name, fetched, answer, save }`. */
let task;

/** Resolvers are told by templates, too (RFC 8484). */
const resolver = () => (byId("resolver").value || byId("own").value.trim()).replace("{?dns}", "");
const key = ({ name, type }) => `${String(name).replace(/\.$/, "")} ${type}`;

const FAILED = { status: "servfail" };
const isFailed = ({ status }) => ["servfail", "timeout"].includes(status);

/** What a resolver has said, by name and type. */
const answers = (list) => new Map((Array.isArray(list) ? list : []).filter((one) => typeof one?.name === "string" && typeof one.type === "string").map((one) => [key(one), one]));

/** Questions by what they ask, each once. */
export function collect(questions, more) {
  for (const question of more) questions.set(key(question), question);
}

/**
 * Some servers say that a name does not exist, and answer for it or for one below it. Then it exists, and has nothing of what was asked for: to SPF both are
 * void lookups (RFC 7208 section 4.6.4). Gives the names back.
 */
function reconcile(fetched) {
  const all = [...fetched.values()];
  const below = (name, { name: other, records }) => records?.length > 0 && (other === name || other.endsWith(`.${name}`));
  const lying = all.filter(({ name, status }) => status === "nxdomain" && all.some((one) => below(name, one)));
  for (const one of lying) fetched.set(key(one), { ...one, status: "noerror", records: [] });
  return lying.map(({ name }) => name);
}

/** Makes a task the one that people see. */
export function use(chosen) {
  if (task !== chosen) end();
  task = chosen;
  byId(`${task.name}-open`).append(byId("open"));
  byId("status").textContent = "";
  show(task, new Map());
}

/** Ends the asking: what it was for has changed. */
export const end = () => asking?.abort();

/** Forgets what resolvers said. */
export function forget(of) {
  end();
  of.fetched.clear();
  of.linked = false;
}

/** Takes over what a link says that resolvers have said. */
export function trust(of, list) {
  of.fetched = answers(list);
  of.linked = of.fetched.size > 0;
}

export function status(text) {
  byId("status").textContent = text;
}

/** Shows the questions of a task, and what pressing the button does. */
export function show(from, questions) {
  if (from !== task) return;
  const list = [...questions.values()];
  byId("missing").hidden = list.length === 0 && !asking;
  const times = [...task.fetched.values()].map(({ at }) => at).filter(Boolean).sort();
  byId("told").hidden = task.fetched.size === 0 || list.length > 0 || Boolean(asking);
  byId("told-when").textContent = `This goes by ${plural(task.fetched.size, "answer")} of ${[...new Set([...task.fetched.values()].map(({ server }) => server ?? "somebody"))].join(", ")}${times.length > 0 ? `, the oldest of ${times[0]}` : ""}${task.linked ? ", as the link to this page says" : ""}.`;
  byId("questions").replaceChildren(...list.map(({ name, type }) => make("li", {}, code(`${name} ${type}`))));
  let host = "the resolver";
  try { host = new URL(resolver()).host; } catch { /* it is being typed */ }
  byId("missing-what").textContent = `${host} will be asked ${list.length === 1 ? "this question" : `these ${list.length} questions`}, and those that follow from its answers:`;
  byId("ask").textContent = `Ask ${host}`;
}

/** All octets of an answer; whatever sends more than a message may have is not read to its end. */
async function octets(reader) {
  const message = new Uint8Array(LONGEST_MESSAGE);
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (length + part.value.length > LONGEST_MESSAGE) {
      reader.cancel().catch(() => {});
      throw new Error("the resolver sends more than a DNS message");
    }
    message.set(part.value, length);
    length += part.value.length;
  }
  return message.slice(0, length);
}

/** What a resolver answers to a question over HTTPS (RFC 8484), in the words of a snapshot. */
async function ask(resolver, { name, type }, signal) {
  const url = new URL(resolver);
  url.searchParams.set("dns", (await core.call("dns.query", { name, type })).message);
  const at = `${new Date().toISOString().slice(0, 19)}Z`;
  const failed = (status) => [{ name, type, status, server: url.host, at }];
  const late = AbortSignal.timeout(TIMEOUT);
  let message;
  try {
    const response = await fetch(url, {
      headers: { accept: "application/dns-message" },
      signal: AbortSignal.any([signal, late]),
      credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store",
      // Nobody but the chosen resolver is asked.
      redirect: "error",
    });
    if (!response.ok) throw new Error(`the resolver answers with HTTP status ${response.status}`);
    message = await octets(response.body.getReader());
  } catch (error) {
    if (late.aborted && !signal.aborted) return failed("timeout");
    throw error;
  }
  try {
    return (await core.call("dns.read", { name, type, message: base64url(message), server: url.host, at })).answers;
  } catch (error) {
    // Cut short, and there is no longer answer to ask for: the resolver could not say.
    if (error instanceof Refusal && error.problems[0]?.code === "dns.truncated") return failed("servfail");
    throw error;
  }
}

const base64url = (octets) => btoa(String.fromCharCode(...octets)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Asks until nothing is open, each question once. */
async function fetchAll() {
  const [chosen, mine] = [resolver(), task];
  let url;
  try { url = new URL(chosen); } catch { return status("The resolver needs a URL, such as https://resolver.example/dns-query"); }
  asking = new AbortController();
  const { signal } = asking;
  byId("stop").hidden = false;
  byId("ask").disabled = true;
  const [asked, lying] = [new Set(), new Set()];
  let failure = "";
  try {
    for (let open = await mine.answer(); open?.size > 0; open = await mine.answer()) {
      signal.throwIfAborted();
      const fresh = [...open.entries()].filter(([question]) => !asked.has(question));
      if (fresh.length === 0) break;
      if (asked.size + fresh.length > MOST_QUESTIONS) throw new Error(`more than ${MOST_QUESTIONS} questions`);
      status(`Asking ${url.host}: ${plural(fresh.length, "question")}…`);
      await Promise.all(fresh.map(async ([name, question]) => {
        asked.add(name);
        const said = await ask(chosen, question, signal);
        signal.throwIfAborted();
        for (const one of said) {
          // Whoever asks again after a failure wants another answer.
          // That there is no such name is told of whatever was asked.
          const said = one.status === "nxdomain" && one.name === question.name ? { ...one, type: question.type } : one;
          if (isFailed(mine.fetched.get(key(said)) ?? FAILED)) mine.fetched.set(key(said), said);
        }
      }));
      // What a plan is judged on stays as it was said: whether a name exists matters there.
      if (mine.name === "spf") for (const name of reconcile(mine.fetched)) lying.add(name);
    }
  } catch (error) {
    const offline = navigator.onLine ? "" : " This computer is offline.";
    failure = signal.aborted ? "Stopped." : `${url.host} could not be asked: ${error.message}.${offline}`;
    asking.abort();
  }
  asking = undefined;
  byId("stop").hidden = true;
  byId("ask").disabled = false;
  mine.save();
  const open = await mine.answer();
  const silent = [...(open?.keys() ?? [])].filter((question) => asked.has(question));
  if (failure) return status(failure);
  if (silent.length > 0) return status(`${url.host} does not say: ${silent.join(", ")}`);
  return lying.size > 0 && status(`Servers contradict themselves about ${[...lying].join(", ")}, which is taken to exist.`);
}

byId("ask").onclick = fetchAll;
byId("stop").onclick = end;
byId("again").onclick = () => { forget(task); task.save(); return task.answer(); };
byId("resolver").onchange = () => { byId("own-field").hidden = byId("resolver").value !== ""; task.answer(); };
byId("own").addEventListener("input", () => task.answer());
