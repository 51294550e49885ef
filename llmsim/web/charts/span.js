/** Which part of the time the charts show: a range up to now, or a part that was zoomed into. */

import { element, html, setText } from "../dom.js";
import { clock } from "../format.js";
import { past } from "./past.js";

/** @typedef {import("./charts.js").Shown} Shown */

const LIVE = 300; // seconds that are shown as they come
const SHORTEST = 10;
const LONGEST = 86_400;

/**
 * A span of time: `until` is null where it ends now. In seconds, Unix times.
 * @typedef {{length: number, until: number | null}} Span
 */

export class SpanView {
  /** @type {Span} */
  #span = { length: LIVE, until: null };
  /** @type {import("./past.js").Past | null} */
  #past = null;
  #fetched = -Infinity;
  #asked = 0;

  /**
   * @param {import("./history.js").History} history
   * @param {(shown: Shown) => void} onShown
   */
  constructor(history, onShown) {
    this.history = history;
    this.onShown = onShown;
    for (const button of html("span-ranges").querySelectorAll("button")) {
      button.addEventListener("click", () => this.#show({ length: Number(button.value), until: null }));
    }
    element("span-earlier", HTMLButtonElement).addEventListener("click", () => this.#move(-0.5));
    element("span-later", HTMLButtonElement).addEventListener("click", () => this.#move(0.5));
    element("span-in", HTMLButtonElement).addEventListener("click", () => this.#scale(0.5));
    element("span-out", HTMLButtonElement).addEventListener("click", () => this.#scale(2));
    element("span-live", HTMLButtonElement).addEventListener("click", () => this.#show({ length: LIVE, until: null }));
    this.#describe();
  }

  /** Show what lies between two Unix times. @param {number} since @param {number} until */
  zoom(since, until) {
    const length = Math.min(LONGEST, Math.max(SHORTEST, until - since));
    this.#show({ length, until: (since + until + length) / 2 });
  }

  /** A second has passed. */
  tick() {
    const { length, until } = this.#span;
    if (length <= LIVE && until === null) return this.#draw(this.history);
    const due = until === null && performance.now() - this.#fetched > 1000 * Math.max(5, this.#past?.step ?? 0);
    if (due && !document.hidden) void this.#fetch();
  }

  /** @param {Span} span */
  #show(span) {
    const now = Date.now() / 1000;
    const until = span.until !== null && span.until >= now - 1 ? null : span.until;
    this.#span = { length: span.length, until };
    this.#past = null;
    this.#describe();
    if (span.length <= LIVE && until === null) this.#draw(this.history);
    else void this.#fetch();
  }

  /** By a share of its length. @param {number} share */
  #move(share) {
    const { length, until } = this.#span;
    const now = Date.now() / 1000;
    this.#show({ length, until: Math.max((until ?? now) + share * length, now - LONGEST + length) });
  }

  /** Around its middle, or up to now. @param {number} factor */
  #scale(factor) {
    const { length, until } = this.#span;
    const scaled = Math.min(LONGEST, Math.max(SHORTEST, length * factor));
    this.#show({ length: scaled, until: until === null ? null : until + (scaled - length) / 2 });
  }

  async #fetch() {
    const asked = ++this.#asked;
    this.#fetched = performance.now();
    const { length, until } = this.#span;
    const end = until ?? Date.now() / 1000;
    try {
      const found = await past(end - length, end);
      if (asked !== this.#asked) return;
      this.#past = found;
      this.#draw(found);
      this.#describe();
    } catch {
      // the state of the connection shows it
    }
  }

  /** @param {import("./charts.js").Moments} moments */
  #draw(moments) {
    const end = this.#span.until ?? Date.now() / 1000;
    this.onShown({ moments, since: end - this.#span.length, until: end, live: this.#span.until === null });
  }

  #describe() {
    const { length, until } = this.#span;
    for (const button of html("span-ranges").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(until === null && Number(button.value) === length));
    }
    element("span-later", HTMLButtonElement).disabled = until === null;
    element("span-live", HTMLButtonElement).disabled = until === null && length <= LIVE;
    element("span-in", HTMLButtonElement).disabled = length <= SHORTEST;
    element("span-out", HTMLButtonElement).disabled = length >= LONGEST;
    const step = this.#past ? this.#past.step : 1;
    const which = until === null ? `the last ${spoken(length)}` : `${day(until - length)} to ${day(until)}`;
    setText(html("span-text"), `${which}, in steps of ${step} s`);
  }
}

/** @param {number} seconds */
function spoken(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 6) / 10} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}

/** @param {number} at Unix time */
function day(at) {
  const days = Math.floor(Date.now() / 86_400_000) - Math.floor(at / 86_400);
  return days > 0 ? new Date(at * 1000).toLocaleString() : clock(at).slice(0, 8);
}
