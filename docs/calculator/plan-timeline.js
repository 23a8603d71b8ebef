// A plan as a picture: identities, versions of records and steps over time. The core says what happens when (`plan.course`).
import { make } from "./dom.js";
import { Clock, joined, length, seconds } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const DAY = 86_400_000;
const STEPS = [60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 182 * DAY, 365 * DAY, 3650 * DAY];
const [AXIS, LABEL, LANE, GAP] = [30, 17, 11, 9];

function draw(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter(Boolean));
  return element;
}

const ms = (time) => (time === null || time === undefined ? null : Date.parse(time));

/** The rows of a picture: each has a label and bars in lanes, `{ from, to, kind, words }` in milliseconds. */
function streams(plan, times, end, only) {
  const queue = (length(plan.parameters.queue_lifetime) ?? 0) * 1000;
  const rows = [];
  for (const stream of plan.streams.filter(({ id }) => !only || id === only)) {
    const lanes = stream.identities.map((identity, at) => {
      const mine = (use) => use.stream === stream.id && use.identity === identity.id;
      const changes = plan.steps.flatMap((step) => {
        const { start, done } = times.get(step.id) ?? {};
        // Of an identity of which only a share stops some is left.
        const stops = done != null && step.stops.some((use) => mine(use) && (use.share === null || use.share >= 1000));
        return [start != null && step.starts.some(mine) && { at: start, uses: true }, stops && { at: done, uses: false }].filter(Boolean);
      }).sort((one, other) => one.at - other.at);
      // It may be used again.
      const stretches = stream.live.includes(identity.id) ? [[-Infinity]] : [];
      for (const { at: instant, uses } of changes) {
        const isUsed = stretches.at(-1)?.length === 1;
        if (uses && !isUsed) stretches.push([instant]);
        if (!uses && isUsed) stretches.at(-1).push(instant);
      }
      const words = `${stream.title || stream.id}, identity ${identity.id}: From ${identity.author_domain}, MAIL FROM ${identity.mail_from ?? "the null sender"}`;
      return stretches.flatMap(([from, to]) => {
        const bar = { from, to: to ?? end, kind: `identity i${at % 4}`, words, text: identity.author_domain };
        return to === undefined ? [bar] : [{ from: to, to: to + queue, kind: "tail", words: `${words}: messages may still wait in queues` }, bar];
      });
    });
    rows.push({ label: stream.title || stream.id, lanes: lanes.filter((lane) => lane.length > 0) });
  }
  return rows;
}

function rrsets(versions, times, end, held) {
  const rows = new Map();
  for (const version of versions) {
    const label = `${version.name} ${version.type}`;
    if (!rows.has(label)) rows.set(label, { label, lanes: [] });
    const from = version.published_by === null ? -Infinity : times.get(version.published_by)?.start;
    if (from === undefined || from === null) continue;
    const gone = version.replaced_by === null ? null : times.get(version.replaced_by)?.done;
    const until = gone ?? end;
    const what = version.records === null ? "there is none" : version.records.map(joined).join(" | ");
    const holds = held?.some((other) => other.name === version.name && other.type === version.type && other.published_by === version.published_by && JSON.stringify(other.records) === JSON.stringify(version.records));
    const kind = `${version.records === null ? "absent" : "present"}${holds ? " held" : ""}`;
    const bars = [{ from, to: until, kind, words: `${label}: ${what}`, text: version.records === null ? "none" : what }];
    if (gone !== null && gone !== undefined) {
      bars.push({ from: gone, to: gone + version.kept_for * 1000, kind: `tail${holds ? " held" : ""}`, words: `${label}: caches may still say for ${seconds(version.kept_for)}: ${what}` });
    }
    const { lanes } = rows.get(label);
    const free = lanes.find((lane) => lane.every((bar) => bar.to <= from));
    if (free) free.push(...bars); else lanes.push(bars);
  }
  return [...rows.values()];
}

function stepRows(plan, times, clock, only) {
  return plan.steps.filter(({ id }) => !only || times.has(id)).flatMap((step) => {
    const { start, done } = times.get(step.id) ?? {};
    const words = step.title || step.id;
    if (start === null || start === undefined) return [{ label: `${words} (never, as it stands)`, lanes: [[]] }];
    const critical = !only && plan.critical_path.includes(step.id);
    const bars = [{ from: start, to: done, kind: `step ${step.kind}${critical ? " critical" : ""}`, words: `${words}: ${clock.time(start)}${done > start ? ` to ${clock.time(done)}` : ""}${critical ? ", on the critical path" : ""}`, dot: true, id: step.id }];
    const latest = only ? null : ms(step.latest);
    if (latest !== null && latest > done) bars.unshift({ from: done, to: latest, kind: "slack", words: `${words}: at the latest ${clock.time(latest)}` });
    return [{ label: words, lanes: [bars] }];
  });
}

export class Picture {
  #zoom = 1;
  #place;
  #scene;
  #plan;
  #course;
  #clock;

  constructor(place) {
    this.#place = place;
    new ResizeObserver(() => { if (this.#scene) this.#paint(); }).observe(place);
  }

  /** A plan as it goes if everything goes well. */
  show(plan, course) {
    [this.#plan, this.#course, this.#clock] = [plan, course, new Clock(plan.parameters.utc_offset)];
    const times = new Map(course.steps.map(({ id, start, done }) => [id, { start: ms(start), done: ms(done) }]));
    this.#compose(times, undefined);
  }

  /** The course of events in which a promise breaks; without one, the plan again. Who has asked for it is led there. */
  tell(counterexample, asked = false) {
    if (counterexample === undefined) return this.#scene?.counterexample && this.show(this.#plan, this.#course);
    const times = new Map();
    for (const { at, what, step } of counterexample.schedule) {
      if (step === null) continue;
      const known = times.get(step) ?? {};
      times.set(step, { ...known, [what === "started" ? "start" : "done"]: ms(at) });
    }
    this.#compose(times, counterexample);
    if (asked) this.#place.firstElementChild?.focus();
  }

  #compose(times, counterexample) {
    const [plan, clock] = [this.#plan, this.#clock];
    const happenings = counterexample?.schedule.filter(({ step }) => step === null) ?? [];
    const held = counterexample?.holding;
    const versions = held ? this.#course.versions.filter((version) => held.some(({ name, type }) => name === version.name && type === version.type)) : this.#course.versions;
    const known = [...times.values()].flatMap(({ start, done }) => [start, done]).concat(happenings.map(({ at }) => ms(at)));
    const kept = versions.map((version) => (times.get(version.replaced_by)?.done ?? NaN) + (version.kept_for ?? 0) * 1000);
    const deadline = counterexample ? null : ms(plan.parameters.deadline);
    const instants = [counterexample ? NaN : ms(plan.parameters.start), ...known, ...kept, deadline ?? NaN].filter(Number.isFinite);
    const first = instants.reduce((a, b) => Math.min(a, b), Infinity);
    const last = instants.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!Number.isFinite(first)) { this.#scene = undefined; return this.#place.replaceChildren(make("p", {}, "Nothing happens in this plan.")); }
    const pad = Math.max((last - first) * 0.03, 60_000);
    const [from, to] = [first - pad, last + pad];
    const lines = happenings.map(({ at, what }) => ({ at: ms(at), words: `message ${what}`, kind: "message" }));
    if (deadline !== null) lines.push({ at: deadline, words: "deadline", kind: "deadline" });
    const point = counterexample ? undefined : times.get(plan.point_of_no_return)?.start;
    if (Number.isFinite(point)) lines.push({ at: point, words: "point of no return", kind: "point" });
    const groups = [
      ["Who is used as sender", streams(plan, times, to, counterexample ? counterexample.stream ?? "" : undefined)],
      [counterexample ? "What the receiver holds" : "What DNS says", rrsets(versions, times, to, held)],
      [counterexample ? "Steps that play a part" : "Steps", stepRows(plan, times, clock, counterexample !== undefined)],
    ].filter(([, rows]) => rows.length > 0);
    // Who reads a part of the plan goes on reading it.
    if (counterexample !== this.#scene?.counterexample) this.#zoom = 1;
    this.#scene = { from, to, groups, lines, counterexample };
    this.#frame();
  }

  /** What stands around the picture. */
  #frame() {
    const { counterexample } = this.#scene;
    const slider = make("input", { type: "range", min: 0, max: 6, step: 0.25, value: Math.log2(this.#zoom), id: "zoom" });
    slider.oninput = () => this.#resize(2 ** Number(slider.value));
    const title = make("p", { className: counterexample ? "bad" : "note", tabIndex: -1 },
      counterexample ? `The course of events in which the plan breaks: ${counterexample.code}.` : `As it goes if everything goes well, by the clock of ${this.#clock.name}. Hatched: what caches may still hold, and messages that may still be in queues.`);
    const back = counterexample && make("button", { type: "button", onclick: () => this.tell(undefined) }, "Back to the plan");
    const scroller = make("div", { className: "picture", tabIndex: 0 });
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", "Timeline, to be scrolled");
    // Labels stay where they can be read.
    scroller.onscroll = () => { for (const label of scroller.querySelectorAll(".stay")) label.setAttribute("transform", `translate(${scroller.scrollLeft} 0)`); };
    this.#place.replaceChildren(title, make("div", { className: "row" }, make("div", {}, make("label", { htmlFor: "zoom" }, "Zoom"), slider), back), scroller, this.#legend());
    this.#paint();
  }

  #legend() {
    const plain = !this.#scene.counterexample;
    const entries = [["identity i0", "identity before"], ["identity i1", "identity after"], ["present", "records"], ["absent", "no records"], ["tail", "may still be held"],
      ...(plain ? [["step critical", "step on the critical path"], ["step", "other step"], ["slack", "may come as late"]] : [["present held", "what this receiver holds"]])];
    const items = entries.map(([kind, words]) => {
      const key = draw("svg", { width: 18, height: 10, class: "timeline", "aria-hidden": "true" }, draw("rect", { class: kind, width: 18, height: 10, rx: 2 }));
      return make("li", {}, key, ` ${words}`);
    });
    return make("ul", { className: "legend" }, ...items);
  }

  #resize(zoom) {
    const scroller = this.#place.querySelector(".picture");
    const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / scroller.scrollWidth;
    this.#zoom = zoom;
    this.#paint();
    scroller.scrollLeft = middle * scroller.scrollWidth - scroller.clientWidth / 2;
  }

  #paint() {
    const { from, to, groups, lines, counterexample } = this.#scene;
    const scroller = this.#place.querySelector(".picture");
    const width = Math.max(280, scroller.clientWidth - 2) * this.#zoom;
    const x = (at) => Math.min(width, Math.max(0, ((at - from) / (to - from)) * width));
    const [back, front, dots] = [[], [], new Map()];
    // Labels stay in view, so they have the width of what is in view.
    const room = Math.floor((scroller.clientWidth - 6) / 6.6);
    let y = AXIS + 14 * lines.length;
    for (const [title, rows] of groups) {
      y += 22;
      front.push(draw("text", { class: "group stay", x: 2, y: y - 5 }, title));
      for (const row of rows) {
        for (const words of wrapped(row.label, room)) {
          front.push(draw("text", { class: "label stay", x: 2, y: y + 12 }, words));
          y += LABEL - 3;
        }
        y += 3;
        for (const lane of row.lanes) {
          for (const bar of lane) front.push(...this.#bar(bar, x, y, dots));
          y += LANE + 2;
        }
        y += GAP;
      }
    }
    for (const { at, words } of ticks(from, to, width, this.#clock)) {
      back.push(draw("line", { class: "grid", x1: x(at), x2: x(at), y1: AXIS - 8, y2: y }));
      if (x(at) + 6 * words.length <= width) back.push(draw("text", { class: "tick", x: x(at) + 3, y: AXIS - 12 }, words));
    }
    lines.forEach(({ at, words, kind }, index) => {
      const said = `${words}, ${this.#clock.time(at)}`;
      // Beside its line, as far as there is room.
      const left = Math.max(2, Math.min(x(at) + 4, width - 7 * said.length));
      back.push(draw("line", { class: `mark ${kind}`, x1: x(at), x2: x(at), y1: AXIS + 14 * index, y2: y }));
      front.push(draw("text", { class: `mark ${kind}`, x: left, y: AXIS + 14 * index + 10 }, said));
    });
    const path = counterexample ? [] : this.#plan.critical_path.map((id) => dots.get(id)).filter(Boolean);
    if (path.length > 1) back.push(draw("polyline", { class: "path", points: path.map(({ left, right, middle }) => `${left},${middle} ${right},${middle}`).join(" ") }));
    const picture = draw("svg", { width, height: y + 4, role: "img", class: "timeline" }, ...hatch(), ...back, ...front);
    picture.setAttribute("aria-label", `${counterexample ? "The counterexample" : "The plan"} over time: ${groups.map(([title, rows]) => `${title}: ${rows.length} rows`).join("; ")}. The list of steps below says the same in words.`);
    scroller.replaceChildren(picture);
  }

  #bar({ from, to, kind, words, text, dot, id }, x, y, dots) {
    const [left, right] = [x(from), x(to)];
    const title = draw("title", {}, words);
    if (id) dots.set(id, { left, right, middle: y + LANE / 2 });
    const bar = draw("rect", { class: kind, x: left, y, width: Math.max(right - left, dot ? 1 : 2), height: LANE, rx: 2 }, title);
    if (dot) return [bar, draw("circle", { class: kind, cx: left, cy: y + LANE / 2, r: LANE / 2 }, draw("title", {}, words))];
    const room = Math.floor((right - left - 6) / 5.6);
    if (!text || room <= 3) return [bar];
    // Letters are not all as wide: what is cut ends with its bar.
    const inside = draw("svg", { x: left + 4, y, width: right - left - 6, height: LANE, "aria-hidden": "true" });
    inside.append(draw("text", { class: "in", x: 0, y: 9 }, text.length > room ? `${text.slice(0, room - 1)}…` : text));
    return [bar, inside];
  }
}

/** A text in lines of so many letters, broken between words where there are any. */
function wrapped(text, room) {
  const lines = [""];
  for (const word of text.split(" ").flatMap((word) => word.match(new RegExp(`.{1,${Math.max(room, 8)}}`, "gs")) ?? [])) {
    const line = lines.at(-1);
    if (line !== "" && line.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}

/** The pattern of what may still be held. */
const hatch = () => [draw("defs", {}, draw("pattern", { id: "hatch", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("line", { class: "hatch", x1: 0, x2: 0, y1: 0, y2: 5 })),
  draw("pattern", { id: "hatch-held", width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("line", { class: "hatch held", x1: 0, x2: 0, y1: 0, y2: 5 })))];

/** Instants to be named, as close as their names allow. */
function ticks(from, to, width, clock) {
  const most = Math.max(2, Math.floor(width / 95));
  const size = STEPS.find((step) => (to - from) / step <= most) ?? STEPS.at(-1);
  const all = [];
  for (let at = Math.ceil((from + clock.shift) / size) * size - clock.shift; at < to && all.length < 500; at += size) {
    all.push({ at, words: size < DAY ? clock.time(at).slice(5) : clock.day(at) });
  }
  return all;
}
