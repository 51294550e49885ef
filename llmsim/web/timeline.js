/** One request's times as bars: planned above, actual below, on one scale. */

import { svgElement } from "./dom.js";
import { millis } from "./format.js";

/**
 * A request as `/llmsim/requests` describes it. Times in milliseconds after arrival.
 * @typedef {object} RequestRecord
 * @property {string} id
 * @property {string} endpoint
 * @property {string} model
 * @property {number | null} status
 * @property {number} seed
 * @property {number} arrived Unix time, seconds
 * @property {{ttft_ms: number | null, total_ms: number | null}} planned
 * @property {{first_ms: number | null, total_ms: number | null}} actual
 * @property {number | null} lateness_max_ms
 * @property {number | null} [arrival_lag_ms]
 * @property {number | null} [output_lag_max_ms]
 * @property {number | null} [delivery_lateness_max_ms]
 * @property {{planned: number, sent: number}} frames
 * @property {boolean} [stream]
 * @property {Record<string, number>} [tokens]
 * @property {string | null} [error]
 * @property {boolean} [injected]
 * @property {string | null} [mock]
 * @property {string | null} [x_request_id]
 * @property {string | null} [traceparent]
 * @property {string | null} [marker]
 * @property {Details | null} [details]
 * @property {unknown} [request]
 *
 * @typedef {object} Details what is kept of some requests: docs/journal.md
 * @property {string | null} url
 * @property {[string, string][]} headers
 * @property {string | null} key
 * @property {string | null} message
 * @property {string | null} rule
 * @property {string | null} override
 * @property {string | null} recording
 * @property {{limit: string, of: number, before: number, after: number}[]} limits
 * @property {[string, string][]} [response_headers]
 * @property {string} answer
 * @property {number} answer_bytes
 * @property {import("./waterfall.js").FrameTimes} frames
 */

const LEFT = 64;
const RIGHT = 14;
const ROWS = { planned: 14, actual: 60 };
const BAR = 26;
const AXIS = 104;

/**
 * Draw it.
 * @param {SVGElement} svg
 * @param {RequestRecord} request
 */
export function timeline(svg, request) {
  const width = Math.max(280, svg.clientWidth);
  const { planned, actual } = request;
  const end = Math.max(1e-3, planned.total_ms ?? 0, actual.total_ms ?? 0, actual.first_ms ?? 0);
  const x = (/** @type {number} */ ms) => LEFT + ((width - LEFT - RIGHT) * ms) / end;
  svg.setAttribute("viewBox", `0 0 ${width} 132`);
  svg.replaceChildren(...axis(end, x));
  row("planned", "Planned", planned.ttft_ms, planned.total_ms);
  row("actual", "Actual", actual.first_ms, actual.total_ms);
  if (planned.ttft_ms !== null) {
    const at = x(planned.ttft_ms);
    svg.append(svgElement("line", { class: "mark", x1: at, x2: at, y1: 8, y2: ROWS.actual + BAR + 6 }));
  }

  /**
   * @param {"planned" | "actual"} kind
   * @param {string} name
   * @param {number | null} first
   * @param {number | null} total
   */
  function row(kind, name, first, total) {
    const y = ROWS[kind];
    svg.append(svgElement("text", { class: "name", x: 0, y: y + BAR / 2 + 4 }, name));
    if (first === null) {
      svg.append(svgElement("text", { x: LEFT, y: y + BAR / 2 + 4 }, "not yet"));
      return;
    }
    const stop = total ?? first;
    const bar = { y, height: BAR, rx: 3 };
    svg.append(svgElement("rect", { class: "wait", ...bar, x: x(0), width: Math.max(1, x(first) - x(0)) }));
    svg.append(svgElement("rect", { class: kind, ...bar, x: x(first), width: Math.max(3, x(stop) - x(first)) }));
  }
}

/** @param {number} end @param {(ms: number) => number} x */
function axis(end, x) {
  const step = roundStep(end / 4);
  const parts = [svgElement("line", { class: "axis", x1: x(0), x2: x(end), y1: AXIS, y2: AXIS })];
  for (let at = 0; at <= end; at += step) {
    parts.push(svgElement("line", { class: "axis", x1: x(at), x2: x(at), y1: 8, y2: AXIS + 4 }));
    const anchor = at === 0 ? "start" : at + step > end ? "end" : "middle";
    parts.push(svgElement("text", { x: x(at), y: AXIS + 18, "text-anchor": anchor }, at ? millis(at) : "arrival"));
  }
  return parts;
}

/** The next larger of 1, 2, 5, 10, … @param {number} value */
function roundStep(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5].find((one) => one * power >= value) ?? 10);
}
