/** Windows: statistics of parts of the time, side by side. */

import { act } from "./access.js";
import { element, html, make, setText } from "./dom.js";
import { clock, count, duration, millis, NONE, percent, rate } from "./format.js";

/**
 * @typedef {object} StatsWindow
 * @property {string} name
 * @property {number} opened Unix time
 * @property {number | null} closed
 * @property {number} seconds
 *
 * @typedef {{windows: StatsWindow[], compared: Record<string, Record<string, number | null>>}} Windows
 */

const PAUSE = 3000; // ms between two looks while a window is open

/** @type {[string, string, (value: number | null) => string][]} */
const FIGURES = [
  ["requests.finished", "Requests", count],
  ["requests.per_second", "Requests/s", rate],
  ["errors.total", "Errors", count],
  ["errors.share", "Errors, share", percent],
  ["tokens.per_second", "Tokens/s", rate],
  ...[
    ["ttft", "TTFT"],
    ["itl", "ITL"],
    ["latency", "Latency"],
  ].flatMap(([key, name]) =>
    ["p50", "p95", "p99"].map((share) => /** @type {[string, string, typeof millis]} */ ([`${key}_ms.${share}`, `${name}, ${share}`, millis])),
  ),
  ["lateness_ms.p99", "Frame lateness, p99", millis],
  ["arrival_lag_ms.p99", "Arrival lag, p99", millis],
  ["output_lag_ms.p99", "Output lag, p99", millis],
];

export class WindowsView {
  #looked = -Infinity;
  #open = true; // until it is known
  #known = false;
  #listed = "";

  constructor() {
    const form = element("windows-form", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#doing("POST", "windows", { name: String(new FormData(form).get("name")).trim() });
      form.reset();
    });
  }

  /** A second has passed. */
  tick() {
    const pause = this.#open ? PAUSE : 10 * PAUSE;
    if (!document.hidden && performance.now() - this.#looked > (this.#known ? pause : 0)) void this.#look();
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  async #doing(method, path, body) {
    const wrong = html("windows-wrong");
    try {
      await act(method, path, body);
      wrong.hidden = true;
    } catch (error) {
      wrong.hidden = false;
      setText(wrong, error instanceof Error ? error.message : String(error));
    }
    await this.#look();
  }

  async #look() {
    this.#looked = performance.now();
    try {
      this.#show(await act("GET", "windows"));
      this.#known = true;
    } catch {
      // the state of the connection shows it
    }
  }

  /** @param {Windows} found */
  #show({ windows, compared }) {
    this.#open = windows.some((window) => window.closed === null);
    html("windows-none").hidden = windows.length > 0;
    html("windows-table").hidden = windows.length === 0;
    this.#showHeads(windows);
    html("windows").replaceChildren(...FIGURES.map(([key, name, format]) => figure(name, windows.map((window) => compared[key]?.[window.name] ?? null), format)));
  }

  /** Buttons are made anew only where there are others: the focus stays. @param {StatsWindow[]} windows */
  #showHeads(windows) {
    const listed = JSON.stringify(windows.map(({ name, opened, closed }) => [name, opened, closed]));
    if (listed !== this.#listed) {
      const head = make("tr");
      head.append(scope(make("th", "Window"), "col"), ...windows.map((window) => this.#head(window)));
      if (windows.length > 1) head.append(scope(make("th", "Last against first", "number"), "col"));
      html("windows-head").replaceChildren(head);
      this.#listed = listed;
    }
    html("windows-head").querySelectorAll("small").forEach((note, index) => setText(note, noted(windows[index])));
  }

  /** @param {StatsWindow} window */
  #head(window) {
    const { name, closed } = window;
    const head = scope(make("th", undefined, "number"), "col");
    head.append(make("b", name), make("br"), make("small"), make("br"));
    const path = `windows/${encodeURIComponent(name)}`;
    if (closed === null) head.append(action("Close", name, () => this.#doing("POST", `${path}/close`)));
    else head.append(action("Reopen", name, () => this.#doing("POST", "windows", { name })));
    head.append(" ", action("Delete", name, () => this.#doing("DELETE", path)));
    return head;
  }
}

/** @param {StatsWindow} window */
function noted({ opened, closed, seconds }) {
  return `${clock(opened).slice(0, 8)} · ${closed === null ? "open for " : ""}${duration(seconds)}`;
}

/** @param {HTMLTableCellElement} cell @param {string} value */
function scope(cell, value) {
  cell.setAttribute("scope", value);
  return cell;
}

/** @param {string} text @param {string} name @param {() => Promise<void>} press */
function action(text, name, press) {
  const button = make("button", text, "small");
  button.type = "button";
  button.setAttribute("aria-label", `${text} window ${name}`);
  button.addEventListener("click", () => void press());
  return button;
}

/** @param {string} name @param {(number | null)[]} values @param {(value: number | null) => string} format */
function figure(name, values, format) {
  const row = make("tr");
  row.append(scope(make("th", name), "row"), ...values.map((value) => make("td", format(value), "number")));
  if (values.length > 1) row.append(make("td", against(values[0], values[values.length - 1]), "number"));
  return row;
}

/** By how much the last is more than the first. @param {number | null} first @param {number | null} last */
export function against(first, last) {
  if (first === null || last === null || first === 0) return NONE;
  const change = (last - first) / first;
  return `${change < 0 ? "−" : "+"}${Math.abs(change * 100).toFixed(1)} %`;
}
