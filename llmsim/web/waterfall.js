/** When each frame of a stream was due, and when it left: one line a frame, the first one above. */

import { svgElement } from "./dom.js";
import { count, millis } from "./format.js";

/**
 * @typedef {object} FrameTimes milliseconds after arrival
 * @property {number[]} due_ms none where frames are due by no time
 * @property {number[]} left_ms
 */

const MOST = 200; // lines drawn
const LINE = 3;
const LOW = 60;
const EDGE = 8;

/**
 * Draw it.
 * @param {SVGElement} svg
 * @param {FrameTimes} frames
 * @returns {string} what it shows, in words
 */
export function waterfall(svg, { due_ms: due, left_ms: left }) {
  const width = Math.max(280, svg.clientWidth);
  const step = Math.ceil(left.length / MOST);
  const lines = Math.ceil(left.length / step);
  const tall = Math.max(LOW, lines * LINE) + 2 * EDGE;
  const end = Math.max(1e-3, left[left.length - 1], due[due.length - 1] ?? 0);
  const x = (/** @type {number} */ ms) => EDGE + ((width - 2 * EDGE) * ms) / end;
  const y = (/** @type {number} */ index) => EDGE + ((tall - 2 * EDGE) * (index + 0.5)) / left.length;
  svg.setAttribute("viewBox", `0 0 ${width} ${tall + 16}`);
  svg.style.height = `${tall + 16}px`;
  const drawn = [];
  for (let index = 0; index < left.length; index += step) {
    const [at, planned] = [y(index), due[index]];
    if (planned !== undefined) {
      drawn.push(svgElement("line", { class: "late", x1: x(planned), x2: x(left[index]), y1: at, y2: at }));
      drawn.push(svgElement("circle", { class: "planned", cx: x(planned), cy: at, r: 2 }));
    }
    drawn.push(svgElement("circle", { class: "actual", cx: x(left[index]), cy: at, r: 2 }));
  }
  svg.replaceChildren(
    svgElement("line", { class: "axis", x1: x(0), x2: x(end), y1: tall, y2: tall }),
    ...drawn,
    svgElement("text", { x: x(0), y: tall + 14 }, "arrival"),
    svgElement("text", { x: x(end), y: tall + 14, "text-anchor": "end" }, millis(end)),
  );
  const late = left.map((at, index) => at - (due[index] ?? at));
  const shown = step > 1 ? `, one of ${step} drawn` : "";
  const worst = due.length ? ` The latest left ${millis(Math.max(0, ...late))} after it was due.` : "";
  return `${count(left.length)} frames${shown}, the first one above: when each was due, and when it left.${worst}`;
}
