/** The statistics as they come: follows the server's events and reconnects when it is lost. */

import { fetchOwn, TokenRequired } from "./access.js";
import { events } from "./sse.js";

const SILENCE = 5000; // ms without an event after which a connection counts as dead
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 4000;

/**
 * @typedef {"connecting" | "live" | "lost" | "token"} State
 * @typedef {import("./stats.js").Stats} Stats
 */

export class Feed {
  /** @type {AbortController | null} */
  #connection = null;
  /** @type {(() => void) | null} */
  #wake = null;
  #pause = FIRST_PAUSE;

  /**
   * @param {(stats: Stats) => void} onStats
   * @param {(state: State) => void} onState
   */
  constructor(onStats, onState) {
    this.onStats = onStats;
    this.onState = onState;
  }

  /** Follow for as long as the page is open. */
  async run() {
    this.onState("connecting");
    for (;;) {
      try {
        await this.#follow();
        this.#pause = FIRST_PAUSE; // it ended in good order: the server stops, or wants a new connection
      } catch (error) {
        this.onState(error instanceof TokenRequired ? "token" : "lost");
        if (error instanceof TokenRequired) await this.#woken();
      }
      await Promise.race([this.#woken(), after(this.#pause)]);
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    }
  }

  /** Try again at once. */
  retry() {
    this.#wake?.();
  }

  async #follow() {
    const connection = (this.#connection = new AbortController());
    let silence = setTimeout(() => {}, 0);
    const restartSilence = () => {
      clearTimeout(silence);
      silence = setTimeout(() => connection.abort(), SILENCE);
    };
    try {
      restartSilence();
      const response = await fetchOwn("events", connection.signal);
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      for await (const event of events(response.body)) {
        restartSilence();
        this.#pause = FIRST_PAUSE;
        this.onState("live");
        this.onStats(JSON.parse(event.data));
      }
    } finally {
      clearTimeout(silence);
      connection.abort();
    }
  }

  /** @returns {Promise<void>} */
  #woken() {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** @param {number} ms @returns {Promise<void>} */
function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
