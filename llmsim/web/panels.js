/** Tiles and tables: the statistics that are not charts, all from one document. */

import { html, make, setText } from "./dom.js";
import { bytes, count, duration, known, millis, NONE, percent, rate } from "./format.js";
import { bar, fill, number } from "./table.js";

/**
 * @typedef {import("./stats.js").Stats} Stats
 * @typedef {import("./stats.js").Times} Times
 * @typedef {import("./charts/history.js").Point} Point
 * @typedef {import("./table.js").Cell} Cell
 */

const LATE = 10; // ms of lateness from which the results of a load test are in doubt

/**
 * @typedef {object} Tile
 * @property {string} name
 * @property {(stats: Stats, now: Point) => string} value
 * @property {(stats: Stats, now: Point) => string} note
 * @property {(stats: Stats, now: Point) => string} [tone]
 */

/** @type {Tile[]} */
const TILES = [
  {
    name: "Requests/s",
    value: (_, now) => rate(now.requests_per_second),
    note: (stats) => `now · ${count(stats.requests.total)} in total`,
  },
  {
    name: "Tokens/s",
    value: (_, now) => rate(now.completion_tokens_per_second),
    note: (stats) => `now · ${count(stats.tokens.completion)} in total`,
  },
  {
    name: "Active requests",
    value: (stats) => count(stats.requests.active),
    note: (stats) => `now · ${count(stats.requests.active_streaming)} streams`,
  },
  {
    name: "TTFT, p95",
    value: (_, now) => millis(now["ttft_ms.p95"]),
    note: (_, now) => `last 10 s · median ${millis(now["ttft_ms.p50"])}`,
  },
  {
    name: "ITL, p95",
    value: (_, now) => millis(now["itl_ms.p95"]),
    note: (_, now) => `last 10 s · median ${millis(now["itl_ms.p50"])}`,
  },
  {
    name: "Latency, p95",
    value: (_, now) => millis(now["latency_ms.p95"]),
    note: (_, now) => `last 10 s · median ${millis(now["latency_ms.p50"])}`,
  },
  {
    name: "Lateness, p99",
    value: (_, now) => millis(now["lateness_ms.p99"]),
    note: (stats) => `last 10 s · max since start ${millis(stats.lateness_ms.max)}`,
    tone: (_, now) => ((now["lateness_ms.p99"] ?? 0) > LATE ? "warn" : ""),
  },
  {
    name: "Errors",
    value: (stats) => count(stats.errors.total),
    note: (stats) => `since start · ${percent(share(stats.errors.total, stats.requests.total))}`,
    tone: (_, now) => (now.errors_per_second ? "bad" : ""),
  },
];

/** @param {number} part @param {number} whole */
function share(part, whole) {
  return whole ? part / whole : 0;
}

/** @type {Record<string, string>} */
const TIMES = {
  latency_ms: "Latency",
  ttft_ms: "Time to first token",
  itl_ms: "Inter-token latency",
  queue_ms: "Time in queue",
  lateness_ms: "Frame lateness (hand-over)",
  arrival_lag_ms: "Arrival lag",
  output_lag_ms: "Output lag",
  delivery_lateness_ms: "Lateness at the socket",
};

/** Make the tiles; returns a function that shows a document in all panels. */
export function panels() {
  const values = TILES.map((tile) => {
    const [box, value, note] = [make("div"), make("dd", NONE), make("small", "")];
    const noted = make("dd");
    noted.append(note);
    box.append(make("dt", tile.name), value, noted);
    html("tiles").append(box);
    return { tile, value, note };
  });
  return (/** @type {Stats} */ stats, /** @type {Point} */ now) => {
    for (const { tile, value, note } of values) {
      setText(value, tile.value(stats, now));
      setText(note, tile.note(stats, now));
      value.dataset.tone = tile.tone?.(stats, now) ?? "";
    }
    header(stats);
    times(stats);
    models(stats);
    shares("endpoints", stats.endpoints);
    errors(stats);
    limits(stats);
    workers(stats);
  };
}

/** @param {Stats} stats */
function header(stats) {
  const alive = stats.workers.length;
  setText(html("version"), stats.version ?? "");
  setText(html("uptime"), `up ${duration(stats.uptime_s)}`);
  setText(html("worker-count"), `${alive} ${alive === 1 ? "worker" : "workers"}`);
}

/** @param {Stats} stats */
function times(stats) {
  /** @type {[string, Cell[]][]} */
  const rows = [];
  for (const [key, name] of Object.entries(TIMES)) {
    const of = /** @type {Times | undefined} */ (stats[/** @type {keyof Stats} */ (key)]);
    if (!of) continue;
    const shown = [of.avg, of.p50, of.p95, of.p99, of.max].map((value) => number(millis(value)));
    rows.push([key, [{ text: name }, ...shown]]);
  }
  fill(html("times"), rows);
}

/** @param {Stats} stats */
function models(stats) {
  const all = Object.entries(stats.models);
  const sum = all.reduce((total, [, model]) => total + (model.requests ?? 0), 0);
  html("models-none").hidden = all.length > 0;
  fill(
    html("models"),
    all.map(([name, model]) => [
      name,
      [
        { text: name || "(none)" },
        number(count(model.requests)),
        bar(model.requests ?? 0, sum),
        number(count(model.prompt)),
        number(count(model.completion)),
        number(count(model.errors), model.errors ? "bad" : ""),
      ],
    ]),
  );
}

/** A table of counts with their shares. @param {string} id @param {Record<string, number>} counts */
function shares(id, counts) {
  const all = Object.entries(counts);
  const sum = all.reduce((total, [, one]) => total + one, 0);
  const none = document.getElementById(`${id}-none`);
  if (none) none.hidden = all.length > 0;
  fill(
    html(id),
    all.map(([name, one]) => [name, [{ text: name }, number(count(one)), bar(one, sum)]]),
  );
}

/** @param {Stats} stats */
function errors(stats) {
  const kinds = Object.entries(stats.errors.by_kind ?? {});
  html("errors-none").hidden = kinds.length > 0 || stats.errors.total > 0;
  fill(
    html("errors-kind"),
    kinds.map(([kind, { injected, real }]) => [
      kind,
      [{ text: kind }, number(count(injected)), number(count(real), real ? "bad" : "")],
    ]),
  );
  html("errors-statuses").hidden = Object.keys(stats.statuses).length === 0;
  shares("errors-status", stats.statuses);
}

/** @param {Stats} stats */
function limits(stats) {
  const all = stats.rate_limits ?? [];
  html("limits-none").hidden = all.length > 0;
  setText(html("limited"), count(stats.rate_limited ?? 0));
  fill(
    html("limits"),
    all.map(({ rule, key, model, what, limit, remaining, reset_s }) => [
      JSON.stringify([rule, key, model, what]),
      [
        { text: rule },
        { text: key || "any" },
        { text: model || "any" },
        { text: measure(what) },
        number(count(remaining), remaining <= 0 ? "bad" : ""),
        number(count(limit)),
        bar(limit - remaining, limit),
        number(known(reset_s) ? millis(reset_s * 1000) : NONE),
      ],
    ]),
  );
}

/** What a limit counts: `input_tokens_per_minute` is input tokens/min. @param {string} what */
function measure(what) {
  return what.replace("_per_minute", "/min").replace("_per_day", "/day").replaceAll("_", " ");
}

/** @param {Stats} stats */
function workers(stats) {
  setText(html("restarts"), count(stats.worker_restarts ?? 0));
  fill(
    html("workers"),
    stats.workers.map((worker) => [
      `${worker.slot} ${worker.pid}`,
      [
        { text: String(worker.slot) },
        number(String(worker.pid)),
        number(duration(Date.now() / 1000 - worker.since)),
        number(cpu(worker)),
        number(bytes(worker.rss_bytes)),
        number(millis(worker.lag_ms)),
        number(count(worker.open_connections)),
      ],
    ]),
  );
}

/** @type {Map<string, {at: number, used: number, load: number | null}>} */
const loads = new Map();

/** How much of a processor a worker uses. @param {import("./stats.js").Worker} worker */
function cpu({ slot, pid, cpu_s: used }) {
  if (!known(used)) return NONE;
  const key = `${slot} ${pid}`;
  const at = performance.now() / 1000;
  const before = loads.get(key);
  if (before && at - before.at < 0.5) return percent(before.load);
  const load = before ? Math.max(0, (used - before.used) / (at - before.at)) : null;
  loads.set(key, { at, used, load });
  return percent(load);
}
