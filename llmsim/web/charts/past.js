/** What the server remembers of the last hour and day: `/llmsim/stats/history`. */

import { fetchOwn } from "../access.js";

const STEPS = [1, 2, 5, 15, 30, 60, 120, 300];
const MOST = 720; // moments that a chart has room for
const FINE = 3600; // seconds that the server remembers one by one
const COARSE = 15;

/** One span of it. Times are of this browser's clock, whatever the server's says. */
export class Past {
  /** @param {{now: number, step_s: number, times: number[], series: Record<string, (number | null)[]>}} document */
  constructor(document) {
    const ahead = clockAhead(document.now);
    this.step = document.step_s;
    this.times = document.times.map((time) => time + ahead);
    this.columns = document.series;
  }

  /** @param {string} name @returns {(number | null)[]} */
  series(name) {
    return this.columns[name] ?? this.times.map(() => null);
  }

  /** All series at a moment. @param {number} index @returns {import("./history.js").Point} */
  point(index) {
    return Object.fromEntries(Object.entries(this.columns).map(([name, column]) => [name, column[index] ?? null]));
  }

  /** @returns {import("./history.js").Point} */
  get latest() {
    return this.times.length ? this.point(this.times.length - 1) : {};
  }
}

let ahead = 0;

/** By how many seconds this browser's clock is ahead of the server's. @param {number} server */
function clockAhead(server) {
  ahead = Date.now() / 1000 - server;
  return ahead;
}

/**
 * The step in seconds for a span: as fine as there is room for, and as the server remembers.
 * @param {number} length seconds
 * @param {number} age seconds since it began
 */
export function stepFor(length, age) {
  const least = age > FINE ? COARSE : 1;
  return STEPS.find((step) => step >= least && length / step <= MOST) ?? STEPS[STEPS.length - 1];
}

/**
 * What happened from one time to another, Unix times of this browser. Throws if it is not known.
 * @param {number} since
 * @param {number} until
 * @returns {Promise<Past>}
 */
export async function past(since, until) {
  const step = stepFor(until - since, Date.now() / 1000 - since);
  const query = new URLSearchParams({
    since: (since - ahead).toFixed(3),
    until: (until - ahead).toFixed(3),
    step: String(step),
  });
  const response = await fetchOwn(`stats/history?${query}`);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Past(await response.json());
}
