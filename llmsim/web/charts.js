/** The charts: one for each thing that changes, drawn by uPlot from the history. */

import { make, setText } from "./dom.js";
import { count, millis, percent, rate } from "./format.js";

/** @typedef {import("./history.js").History} History */

/**
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
      { name: "requests", label: "answered" },
      { name: "errors", label: "errors" },
    ],
    format: rate,
  },
  {
    title: "Tokens/s",
    lines: [
      { name: "completion", label: "completion" },
      { name: "prompt", label: "prompt" },
    ],
    format: rate,
  },
  {
    title: "Active now",
    lines: [
      { name: "active", label: "requests" },
      { name: "streams", label: "streams" },
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
      { name: "busiest", label: "busiest" },
      { name: "load", label: "mean" },
    ],
    format: percent,
  },
  { title: "Event loop lag", lines: [{ name: "lag", label: "worst" }], format: millis },
];

const COLOURS = ["--one", "--two", "--three"];
const DASHES = [
  { look: "solid", canvas: [] },
  { look: "dashed", canvas: [6, 3] },
  { look: "dotted", canvas: [2, 3] },
];
const SPAN = 120; // seconds shown
const STEP = 30; // seconds between two labels of the time axis
const HEIGHT = 150;
const WHOLE = [1, 2, 5].flatMap((one) => Array.from({ length: 12 }, (_, power) => one * 10 ** power)).sort((one, other) => one - other);

class ChartView {
  /** @type {HTMLElement[]} */
  #values = [];
  #plot;
  #place;

  /** @param {Chart} chart @param {HTMLElement} parent */
  constructor(chart, parent) {
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
    bar.append(make("h3", chart.title), key);
    this.#place = make("div", undefined, "plot");
    this.#place.setAttribute("role", "img");
    box.append(bar, this.#place);
    parent.append(box);
    this.#plot = new uPlot(this.#options(), [[], ...chart.lines.map(() => [])], this.#place);
    new ResizeObserver(() => this.#fit()).observe(this.#place);
  }

  /** @param {History} history */
  show(history) {
    const { lines, format, title } = this.chart;
    this.#plot.setData([history.times, ...lines.map((line) => history.series(line.name))]);
    const texts = lines.map((line, index) => {
      const text = format(history.latest[line.name]);
      setText(this.#values[index], text);
      return `${line.label} ${text}`;
    });
    this.#place.setAttribute("aria-label", `${title}: ${texts.join(", ")}`);
  }

  /** Colours have changed. */
  repaint() {
    this.#plot.redraw(false, true);
  }

  #fit() {
    this.#plot.setSize({ width: Math.max(120, this.#place.clientWidth), height: HEIGHT });
  }

  #options() {
    const { lines, format } = this.chart;
    const grid = { stroke: () => colour("--line"), width: 1 };
    const axis = { stroke: () => colour("--quiet"), font: "12px system-ui, sans-serif", grid };
    const last = () => Date.now() / 1000;
    return {
      width: Math.max(120, this.#place.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: () => [last() - SPAN, last()] },
        y: { range: (/** @type {unknown} */ _, /** @type {number} */ low, /** @type {number} */ high) => above(high) },
      },
      axes: [
        { ...axis, ticks: { show: false }, size: 24, splits: steps, values: ago },
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

/** A scale from nothing to a little over the highest value. @param {number | null} high */
function above(high) {
  return [0, high ? high * 1.1 : 1];
}

/** Where the time axis has labels. @param {{scales: any}} plot */
function steps({ scales }) {
  const marks = [];
  for (let back = SPAN - STEP; back >= 0; back -= STEP) marks.push(scales.x.max - back);
  return marks;
}

/** Labels of the time axis: how long ago. @param {unknown} _ @param {number[]} marks */
function ago(_, marks) {
  return marks.map((mark, index) => {
    const back = STEP * (marks.length - 1 - index);
    return back ? `−${back} s` : "now";
  });
}

/** A colour of the style sheet in the theme in use. @param {string} name */
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const probe = make("span");
probe.hidden = true;
document.body.append(probe);

/** Draw all charts into that element. @param {HTMLElement} parent */
export function charts(parent) {
  const views = CHARTS.map((chart) => new ChartView(chart, parent));
  return {
    /** @param {History} history */
    show: (history) => views.forEach((one) => one.show(history)),
    repaint: () => views.forEach((one) => one.repaint()),
  };
}
