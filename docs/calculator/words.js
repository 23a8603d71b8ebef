// Times and durations of the core's documents in words.

/** Seconds in the largest units that say them exactly. */
export function seconds(number) {
  if (number === 0) return "at once";
  const parts = [];
  let left = number;
  for (const [unit, size] of [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const many = Math.floor(left / size);
    if (many > 0) parts.push(`${many} ${unit}`);
    left -= many * size;
  }
  return parts.join(" ");
}

/** How many seconds the core's text of a duration has. */
export function length(text) {
  const [, number] = /^PT(\d+)S$/.exec(text) ?? [];
  return number === undefined ? null : Number(number);
}

export const duration = (text) => (length(text) === null ? text : seconds(length(text)));

/** Instants by the clock that a plan goes by. */
export class Clock {
  constructor(offset = "+00:00") {
    const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? ["", "+", "00", "00"];
    this.shift = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
    this.name = `UTC${offset === "+00:00" ? "" : offset}`;
  }
  /** The text of an instant without seconds, where there are none. */
  time(milliseconds) {
    const text = new Date(milliseconds + this.shift).toISOString().replace("T", " ").slice(0, 19);
    return text.replace(/:00$/, "");
  }
  day(milliseconds) { return this.time(milliseconds).slice(0, 10); }
}

export const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
export const joined = (record) => (Array.isArray(record) ? record.join("") : record);
