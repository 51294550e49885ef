/** The latest requests, and one of them in full. */

import { fetchOwn } from "./access.js";
import { element, fillFacts, html, setText } from "./dom.js";
import { clock, count, difference, known, millis, NONE } from "./format.js";
import { fill, number } from "./table.js";
import { timeline } from "./timeline.js";

/** @typedef {import("./timeline.js").RequestRecord} RequestRecord */

const PAUSE = 1500; // ms between two refreshes, at least

export class Requests {
  #refreshed = -Infinity;
  #refreshing = false;
  #paused = false;
  #limit = element("requests-limit", HTMLSelectElement);

  constructor() {
    const pause = element("requests-pause", HTMLButtonElement);
    pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      pause.setAttribute("aria-pressed", String(this.#paused));
    });
    this.#limit.addEventListener("change", () => this.refresh(true));
  }

  /** Fetch the latest ones, unless that was done just now, or the list is paused or hidden. */
  async refresh(now = false) {
    const due = performance.now() - this.#refreshed > PAUSE && !this.#paused && !document.hidden;
    if (this.#refreshing || !(now || due)) return;
    this.#refreshing = true;
    try {
      const response = await fetchOwn(`requests?limit=${this.#limit.value}`);
      if (response.ok) this.#show((await response.json()).requests);
    } catch {
      // the state of the connection shows it
    } finally {
      this.#refreshing = false;
      this.#refreshed = performance.now();
    }
  }

  /** @param {RequestRecord[]} list */
  #show(list) {
    html("requests-none").hidden = list.length > 0;
    fill(
      html("requests"),
      list.map((request) => [
        request.id,
        [
          {
            text: clock(request.arrived),
            label: `${clock(request.arrived)}: show request`,
            press: () => open(request.id),
          },
          { text: request.endpoint },
          { text: request.model || NONE },
          number(request.status ? String(request.status) : "open", (request.status ?? 0) >= 400 ? "bad" : ""),
          number(millis(request.actual.first_ms)),
          number(millis(request.actual.total_ms)),
          number(millis(request.lateness_max_ms)),
        ],
      ]),
    );
  }
}

/** Show one request. @param {string} id its own, or one of its response */
export async function open(id) {
  const dialog = element("request", HTMLDialogElement);
  const state = html("request-state");
  html("request-content").hidden = true;
  setText(state, "Loading …");
  if (!dialog.open) dialog.showModal();
  try {
    const response = await fetchOwn(`requests/${encodeURIComponent(id)}`);
    const request = await response.json();
    if (!response.ok) throw new Error(request.error?.message ?? `status ${response.status}`);
    setText(state, "");
    show(request);
  } catch (error) {
    setText(state, `Cannot be shown: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {RequestRecord} request */
function show(request) {
  html("request-content").hidden = false;
  fillFacts(html("request-facts"), {
    Id: request.id,
    Endpoint: request.endpoint,
    Model: request.model || NONE,
    Status: request.status ? String(request.status) : "open",
    Arrived: clock(request.arrived),
    Seed: String(request.seed),
    "Frames sent": `${count(request.frames.sent)} of ${count(request.frames.planned)}`,
    "Arrival lag": millis(request.arrival_lag_ms),
    "Frame lateness (hand-over), max": millis(request.lateness_max_ms),
    "Output lag, max": millis(request.output_lag_max_ms),
    "Lateness at the socket, max": millis(request.delivery_lateness_max_ms),
  });
  timeline(element("timeline", SVGElement), request);
  const { planned, actual } = request;
  const frames = request.frames.planned;
  setText(
    html("timeline-text"),
    `Pale: waiting for the first token. Solid: from the first token to the end. ` +
      `Planned: first token at ${millis(planned.ttft_ms)}, end at ${millis(planned.total_ms)}. ` +
      (frames > 1
        ? `Actual: first token at ${millis(actual.first_ms)}, end at ${millis(actual.total_ms)}.`
        : `Actual: sent as a whole at ${millis(actual.total_ms)}.`),
  );
  fill(html("request-times"), [
    frames > 1
      ? compared("First token", planned.ttft_ms, actual.first_ms)
      : compared("First token (response sent as a whole)", planned.ttft_ms, null),
    compared("End", planned.total_ms, actual.total_ms),
  ]);
  const body = request.request;
  setText(html("request-body"), typeof body === "string" ? body : JSON.stringify(body, null, 2) ?? "");
}

/**
 * @param {string} name
 * @param {number | null} planned
 * @param {number | null} actual
 * @returns {[string, import("./table.js").Cell[]]}
 */
function compared(name, planned, actual) {
  const late = known(planned) && known(actual) ? actual - planned : null;
  const cells = [millis(planned), millis(actual), difference(late)].map((text) => number(text));
  return [name, [{ text: name }, ...cells]];
}
