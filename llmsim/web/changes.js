/** Changes of the configuration in effect, and taking them back. */

import { act } from "./access.js";

/**
 * @typedef {object} Change
 * @property {string} section
 * @property {unknown} before
 * @property {unknown} after what the server had in effect once it was made
 * @property {string} label
 */

export class Changes {
  /** What is in effect, by section. @type {Record<string, any>} */
  config = {};
  /** @type {Change[]} */
  #made = [];

  /** Read what is in effect. */
  async read() {
    this.config = await act("GET", "config");
  }

  /** What undo would take back. @returns {Change | undefined} */
  get last() {
    return this.#made.at(-1);
  }

  /**
   * Put a section into effect; null is its default. Throws what the server says against it.
   * @param {string} section
   * @param {unknown} value
   * @param {string} label
   */
  async make(section, value, label) {
    const before = this.config[section] ?? null;
    await put(section, value);
    await this.read();
    this.#made.push({ section, before, after: this.config[section] ?? null, label });
  }

  /** Take the last change back. Throws if somebody else has changed the same since. */
  async undo() {
    const change = this.#made.pop();
    if (!change) return;
    await this.read();
    if (!same(this.config[change.section] ?? null, change.after)) {
      throw new Error(`${change.section} was changed from elsewhere since: not undone`);
    }
    await put(change.section, change.before);
    await this.read();
  }
}

/** @param {string} section @param {unknown} value */
async function put(section, value) {
  const none = value === null || (Array.isArray(value) && value.length === 0);
  if (none) await act("DELETE", `config/${section}`);
  else await act("PUT", `config/${section}`, value);
}

/** @param {unknown} one @param {unknown} other */
function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
