/** The charts: one for each thing that changes, drawn by uPlot. */

import { make, setText } from "../dom.js";
import { csv, fileName, picture, save } from "./download.js";
import { clock, count, millis, percent, rate } from "../format.js";

/**
 * What there is to show: the live history, or a part of the past.
 * @typedef {object} Moments
 * @property {number[]} times Unix times
 * @property {(name: string) => (number | null)[]} series
 * @property {import("./history.js").Point} latest
 *
 * @typedef {object} Shown
 * @property {Moments} moments
 * @property {number} since Unix time
 * @property {number} until
 * @property {boolean} live whether it ends now
 *
 * @typedef {object} Line
 * @property {string} name of the history's series
 * @property {string} label
 *
 * @typedef {object} Chart
 * @property {string} title
 * @property {Line[]} lines
 * @property {(value: number | null | undefined) => string} format
 */

/** @param {string} name @returns {Line[]} */
function quantiles(name) {
  return ["p50", "p95", "p99"].map((share) => ({ name: `${name}.${share}`, label: share }));
}

/** @type {Chart[]} */
const CHARTS = [
  {
    title: "Requests/s",
    lines: [
      { name: "requests_per_second", label: "answered" },
      { name: "errors_per_second", label: "errors" },
    ],
    format: rate,
  },
  {
    title: "Tokens/s",
    lines: [
      { name: "completion_tokens_per_second", label: "completion" },
      { name: "prompt_tokens_per_second", label: "prompt" },
    ],
    format: rate,
  },
  {
    title: "Active now",
    lines: [
      { name: "active", label: "requests" },
      { name: "active_streaming", label: "streams" },
    ],
    format: count,
  },
  { title: "TTFT: time to first token", lines: quantiles("ttft_ms"), format: millis },
  { title: "ITL: inter-token latency", lines: quantiles("itl_ms"), format: millis },
  { title: "Latency", lines: quantiles("latency_ms"), format: millis },
  { title: "Frame lateness", lines: quantiles("lateness_ms"), format: millis },
  {
    title: "What lateness is made of, p99",
    lines: [
      { name: "arrival_lag_ms.p99", label: "arrival" },
      { name: "lateness_ms.p99", label: "hand-over" },
      { name: "output_lag_ms.p99", label: "output" },
    ],
    format: millis,
  },
  {
    title: "CPU of the workers",
    lines: [
      { name: "cpu_busiest", label: "busiest" },
      { name: "cpu_mean", label: "mean" },
    ],
    format: percent,
  },
  { title: "Event loop lag", lines: [{ name: "loop_lag_ms", label: "worst" }], format: millis },
];

const COLOURS = ["--one", "--two", "--three"];
const DASHES = [
  { look: "solid", canvas: [] },
  { look: "dashed", canvas: [6, 3] },
  { look: "dotted", canvas: [2, 3] },
];
const HEIGHT = 150;
const MARKS = 5; // labels of the time axis, at most
const STEPS = [2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600];
const WHOLE = [1, 2, 5].flatMap((one) => Array.from({ length: 12 }, (_, power) => one * 10 ** power)).sort((one, other) => one - other);

class ChartView {
  /** @type {HTMLElement[]} */
  #values = [];
  /** @type {Shown} */
  #shown = { moments: { times: [], series: () => [], latest: {} }, since: 0, until: 1, live: true };
  #plot;
  #place;
  #at;

  /** @param {Chart} chart @param {HTMLElement} parent @param {(since: number, until: number) => void} onZoom */
  constructor(chart, parent, onZoom) {
    this.chart = chart;
    const box = make("div", undefined, "chart");
    const bar = make("div", undefined, "bar");
    const key = make("div", undefined, "key");
    chart.lines.forEach((line, index) => {
      const entry = make("span");
      const swatch = make("i");
      swatch.style.color = `var(${COLOURS[index]})`;
      swatch.dataset.dash = DASHES[index].look;
      const value = make("b", "–");
      entry.append(swatch, line.label, value);
      key.append(entry);
      this.#values.push(value);
    });
    this.#at = make("span", "", "at");
    key.append(this.#at);
    bar.append(make("h3", chart.title), this.#button("CSV", () => this.#saveNumbers()), this.#button("PNG", () => void this.#savePicture()));
    this.#place = make("div", undefined, "plot");
    this.#place.setAttribute("role", "img");
    box.append(bar, key, this.#place);
    parent.append(box);
    this.#plot = new uPlot(this.#options(onZoom), [[], ...chart.lines.map(() => [])], this.#place);
    new ResizeObserver(() => this.#fit()).observe(this.#place);
  }

  /** @param {Shown} shown */
  show(shown) {
    this.#shown = shown;
    const { lines, format, title } = this.chart;
    const { moments } = shown;
    this.#plot.setData([moments.times, ...lines.map((line) => moments.series(line.name))]);
    if (this.#plot.cursor.idx == null) this.#describe(null);
    const texts = lines.map((line) => `${line.label} ${format(moments.latest[line.name])}`);
    this.#place.setAttribute("aria-label", `${title}: ${texts.join(", ")}`);
  }

  /** Colours have changed. */
  repaint() {
    this.#plot.redraw(false, true);
  }

  /** Say the values at a moment, or the latest. @param {number | null | undefined} index */
  #describe(index) {
    const { moments } = this.#shown;
    this.chart.lines.forEach((line, place) => {
      const value = index == null ? moments.latest[line.name] : this.#plot.data[place + 1][index];
      setText(this.#values[place], this.chart.format(value));
    });
    setText(this.#at, index == null ? "" : `at ${clock(moments.times[index]).slice(0, 8)}`);
  }

  /** @param {string} text @param {() => void} press */
  #button(text, press) {
    const button = make("button", text, "small");
    button.type = "button";
    button.setAttribute("aria-label", `${this.chart.title}: save as ${text}`);
    button.addEventListener("click", press);
    return button;
  }

  #saveNumbers() {
    const { moments, since, until } = this.#shown;
    const wanted = moments.times.flatMap((time, index) => (time >= since && time <= until ? [index] : []));
    const columns = this.chart.lines.map((line) => {
      const values = moments.series(line.name);
      return { label: line.name, values: wanted.map((index) => values[index]) };
    });
    const text = csv(wanted.map((index) => moments.times[index]), columns);
    save(fileName(this.chart.title, "csv"), new Blob([text], { type: "text/csv" }));
  }

  async #savePicture() {
    const key = this.chart.lines.map((line, index) => ({
      label: line.label,
      colour: colour(COLOURS[index]),
      dash: DASHES[index].canvas,
    }));
    const colours = { page: colour("--panel"), text: colour("--text"), quiet: colour("--quiet") };
    const plot = /** @type {HTMLCanvasElement} */ (this.#place.querySelector("canvas"));
    save(fileName(this.chart.title, "png"), await picture(plot, this.chart.title, key, colours));
  }

  #fit() {
    this.#plot.setSize({ width: Math.max(120, this.#place.clientWidth), height: HEIGHT });
  }

  /** @param {(since: number, until: number) => void} onZoom */
  #options(onZoom) {
    const { lines, format } = this.chart;
    const grid = { stroke: () => colour("--line"), width: 1 };
    const axis = { stroke: () => colour("--quiet"), font: "12px system-ui, sans-serif", grid };
    return {
      width: Math.max(120, this.#place.clientWidth),
      height: HEIGHT,
      padding: [8, null, null, null],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: "charts", filters: { pub: moves } }, points: { size: 6 } },
      select: { show: true },
      hooks: {
        setCursor: [(/** @type {any} */ plot) => this.#describe(plot.cursor.idx)],
        setSelect: [
          (/** @type {any} */ plot) => {
            const { left, width } = plot.select;
            if (width < 4) return;
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          },
        ],
      },
      scales: {
        x: { range: () => [this.#shown.since, this.#shown.until] },
        y: { range: (/** @type {unknown} */ _, /** @type {number} */ low, /** @type {number} */ high) => above(high) },
      },
      axes: [
        {
          ...axis,
          ticks: { show: false },
          size: 24,
          splits: () => marks(this.#shown),
          values: (/** @type {unknown} */ _, /** @type {number[]} */ splits) => splits.map((at) => named(at, this.#shown)),
        },
        {
          ...axis,
          ticks: { show: false },
          size: 62,
          space: 26,
          ...(format === count ? { incrs: WHOLE } : {}),
          values: (/** @type {unknown} */ _, /** @type {number[]} */ splits) => splits.map(format),
        },
      ],
      series: [
        {},
        ...lines.map((line, index) => ({
          label: line.label,
          stroke: () => colour(COLOURS[index]),
          dash: DASHES[index].canvas,
          width: 2,
          points: { show: false },
        })),
      ],
    };
  }
}

/** Other charts follow the pointer, not what is selected. @param {string} event */
function moves(event) {
  return event === "mousemove" || event === "mouseleave";
}

/** A scale from nothing to a little over the highest value. @param {number | null} high */
function above(high) {
  return [0, high ? high * 1.1 : 1];
}

/** Where the time axis has labels: at whole steps before now, or of the clock. @param {Shown} shown */
export function marks({ since, until, live }) {
  const step = STEPS.find((one) => (until - since) / one <= MARKS) ?? STEPS[STEPS.length - 1];
  const zone = new Date(until * 1000).getTimezoneOffset() * 60;
  const last = live ? until : Math.floor((until - zone) / step) * step + zone;
  const found = [];
  for (let at = last; at >= since + (until - since) / 20; at -= step) found.unshift(at);
  return found;
}

/** A label of the time axis. @param {number} at @param {Shown} shown */
function named(at, { since, until, live }) {
  if (!live) return clock(at).slice(0, until - since < 600 ? 8 : 5);
  const back = Math.round(until - at);
  if (!back) return "now";
  if (until - since <= 120) return `−${back} s`;
  return until - since <= 7200 ? `−${back / 60} min` : `−${back / 3600} h`;
}

/** A colour of the style sheet in the theme in use. @param {string} name */
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const probe = make("span");
probe.hidden = true;
document.body.append(probe);

/**
 * Draw all charts into that element. `onZoom` hears which part of the time was selected in one.
 * @param {HTMLElement} parent
 * @param {(since: number, until: number) => void} onZoom
 */
export function charts(parent, onZoom) {
  const views = CHARTS.map((chart) => new ChartView(chart, parent, onZoom));
  return {
    /** @param {Shown} shown */
    show: (shown) => views.forEach((one) => one.show(shown)),
    repaint: () => views.forEach((one) => one.repaint()),
  };
}
