/** The last minutes, second by second: what the charts show live. */

import { known } from "../format.js";

/** @typedef {import("../stats.js").Stats} Stats */

/**
 * What the charts show of a moment; null where it is not known.
 * @typedef {Record<string, number | null>} Point
 */

const TIMES = /** @type {const} */ (
  ["latency_ms", "ttft_ms", "itl_ms", "lateness_ms", "arrival_lag_ms", "output_lag_ms"]
);
const LENGTH = 700;
const SHORTEST = 0.05; // seconds between two documents that make a rate

/** Whether the second document is of a server that was started after the first. */
export function restarted(/** @type {Stats} */ before, /** @type {Stats} */ now) {
  return now.uptime_s < before.uptime_s || now.requests.total < before.requests.total;
}

/**
 * What happened between two documents of the same server, a second.
 * @param {Stats} before
 * @param {Stats} now
 * @returns {Point}
 */
export function rates(before, now) {
  const seconds = now.uptime_s - before.uptime_s;
  const grown = (/** @type {(stats: Stats) => number} */ counter) =>
    Math.max(0, counter(now) - counter(before)) / seconds;
  return {
    requests_per_second: grown((stats) => stats.requests.finished + stats.requests.aborted),
    errors_per_second: grown((stats) => stats.errors.total),
    prompt_tokens_per_second: grown((stats) => stats.tokens.prompt),
    completion_tokens_per_second: grown((stats) => stats.tokens.completion),
    ...loads(before, now, seconds),
  };
}

/**
 * How much of a processor the workers use, those that were there both times.
 * @param {Stats} before
 * @param {Stats} now
 * @param {number} seconds
 * @returns {Point}
 */
function loads(before, now, seconds) {
  const used = new Map(before.workers.map((worker) => [worker.pid, worker.cpu_s]));
  const each = [];
  for (const { pid, cpu_s: late } of now.workers) {
    const early = used.get(pid);
    if (known(early) && known(late)) each.push(Math.max(0, late - early) / seconds);
  }
  if (!each.length) return {};
  return { cpu_mean: each.reduce((sum, one) => sum + one, 0) / each.length, cpu_busiest: Math.max(...each) };
}

/** @param {Stats} stats @returns {Point} */
function gauges(stats) {
  /** @type {Point} */
  const point = { active: stats.requests.active, active_streaming: stats.requests.active_streaming };
  const lags = stats.workers.map((worker) => worker.lag_ms).filter(known);
  point.loop_lag_ms = lags.length ? Math.max(...lags) : null;
  for (const name of TIMES) {
    for (const share of /** @type {const} */ (["p50", "p95", "p99"])) {
      const times = stats.recent === undefined ? stats[name] : stats.recent?.[name];
      point[`${name}.${share}`] = times?.[share] ?? null;
    }
  }
  return point;
}

export class History {
  /** Unix times. @type {number[]} */
  times = [];
  /** @type {Point[]} */
  points = [];
  /** @type {Stats | null} */
  #before = null;

  /**
   * Take in a document that came at `time` (Unix). False if it says nothing new.
   * @param {Stats} stats
   * @param {number} time
   */
  add(stats, time) {
    const before = this.#before;
    const same = before !== null && !restarted(before, stats);
    if (same && stats.uptime_s - before.uptime_s < SHORTEST) return false;
    if (same && stats.uptime_s - before.uptime_s > 3) this.#push(time - 0.001, {});
    if (before !== null && !same) this.#push(time - 0.001, {}); // a gap, not a fall
    this.#push(time, { ...(same ? rates(before, stats) : {}), ...gauges(stats) });
    this.#before = stats;
    return true;
  }

  /**
   * Take in what the server remembers. What came live is kept where the server knows nothing.
   * @param {import("./past.js").Past} past
   */
  fill(past) {
    const [first, last] = [past.times[0] ?? 0, past.times.at(-1) ?? 0];
    const all = past.times.map((time, index) => ({ time, point: past.point(index) }));
    const remembered = all.filter(({ point }) => Object.values(point).some(known));
    const live = this.times.map((time, index) => ({ time, point: this.points[index] }));
    const kept = remembered.length ? live.filter(({ time }) => time < first || time > last) : live;
    const merged = [...kept, ...remembered].sort((one, other) => one.time - other.time).slice(-LENGTH);
    this.times = merged.map(({ time }) => time);
    this.points = merged.map(({ point }) => point);
  }

  /** @param {number} time @param {Point} point */
  #push(time, point) {
    this.times.push(time);
    this.points.push(point);
    if (this.times.length > LENGTH) {
      this.times.shift();
      this.points.shift();
    }
  }

  /** The latest point. @returns {Point} */
  get latest() {
    return this.points.at(-1) ?? {};
  }

  /** @param {string} name @returns {(number | null)[]} */
  series(name) {
    return this.points.map((point) => point[name] ?? null);
  }
}
