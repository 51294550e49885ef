/** The latest requests, and one of them told in full. */

import { ask } from "./access.js";
import { element, facts, html, say } from "./dom.js";
import { clock, count, difference, known, millis, NONE } from "./format.js";
import { fill, number } from "./table.js";
import { timeline } from "./timeline.js";

/** @typedef {import("./timeline.js").Told} Told */

const PAUSE = 1500; // ms between two looks, at least

export class Requests {
  #looked = -Infinity;
  #looking = false;
  #paused = false;
  #limit = element("requests-limit", HTMLSelectElement);

  constructor() {
    const pause = element("requests-pause", HTMLButtonElement);
    pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      pause.setAttribute("aria-pressed", String(this.#paused));
    });
    this.#limit.addEventListener("change", () => this.look(true));
  }

  /** Ask for the latest ones, unless that was done just now, or is not wanted. */
  async look(now = false) {
    const due = performance.now() - this.#looked > PAUSE && !this.#paused && !document.hidden;
    if (this.#looking || !(now || due)) return;
    this.#looking = true;
    try {
      const response = await ask(`requests?limit=${this.#limit.value}`);
      if (response.ok) this.#show((await response.json()).requests);
    } catch {
      // the connection's own state tells
    } finally {
      this.#looking = false;
      this.#looked = performance.now();
    }
  }

  /** @param {Told[]} list */
  #show(list) {
    html("requests-none").hidden = list.length > 0;
    fill(
      html("requests"),
      list.map((told) => [
        told.id,
        [
          {
            text: clock(told.arrived),
            label: `${clock(told.arrived)}: show request`,
            press: () => open(told.id),
          },
          { text: told.endpoint },
          { text: told.model || NONE },
          number(told.status ? String(told.status) : "open", (told.status ?? 0) >= 400 ? "bad" : ""),
          number(millis(told.actual.first_ms)),
          number(millis(told.actual.total_ms)),
          number(millis(told.lateness_max_ms)),
        ],
      ]),
    );
  }
}

/** Show one request. @param {string} id its own, or one its answer goes by */
export async function open(id) {
  const dialog = element("request", HTMLDialogElement);
  const state = html("request-state");
  html("request-content").hidden = true;
  say(state, "Asking …");
  if (!dialog.open) dialog.showModal();
  try {
    const response = await ask(`requests/${encodeURIComponent(id)}`);
    const told = await response.json();
    if (!response.ok) throw new Error(told.error?.message ?? `status ${response.status}`);
    say(state, "");
    show(told);
  } catch (error) {
    say(state, `It cannot be shown: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {Told} told */
function show(told) {
  html("request-content").hidden = false;
  facts(html("request-facts"), {
    Id: told.id,
    Endpoint: told.endpoint,
    Model: told.model || NONE,
    Status: told.status ? String(told.status) : "open",
    Arrived: clock(told.arrived),
    Seed: String(told.seed),
    "Frames sent": `${count(told.frames.sent)} of ${count(told.frames.planned)}`,
    "Latest frame": `${millis(told.lateness_max_ms)} late`,
  });
  timeline(element("timeline", SVGElement), told);
  const { planned, actual } = told;
  const pieces = told.frames.planned;
  say(
    html("timeline-text"),
    `Pale: nothing sent yet. Full: from the first token to the end. ` +
      `Planned: first token at ${millis(planned.ttft_ms)}, end at ${millis(planned.total_ms)}. ` +
      (pieces > 1
        ? `Actual: first token at ${millis(actual.first_ms)}, end at ${millis(actual.total_ms)}.`
        : `Actual: sent in one piece at ${millis(actual.total_ms)}.`),
  );
  fill(html("request-times"), [
    pieces > 1
      ? compared("First token", planned.ttft_ms, actual.first_ms)
      : compared("First token, not sent by itself", planned.ttft_ms, null),
    compared("End", planned.total_ms, actual.total_ms),
  ]);
  const body = told.request;
  say(html("request-body"), typeof body === "string" ? body : JSON.stringify(body, null, 2) ?? "");
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
