/** Switches for failures, latency, limits and mocks: what is in effect, and changing it. */

import { act, TokenRequired } from "./access.js";
import { Changes } from "./changes.js";
import { element, html, make, setText } from "./dom.js";
import { count, percent } from "./format.js";

const SECTIONS = ["errors", "latency", "scenario", "rate_limits", "mocks"];
const USUAL_RATE = 0.1; // of a failure that is switched on
const RATES = {
  rate_limit_rate: "Rate limit (429)",
  server_error_rate: "Server error (500)",
  overloaded_rate: "Overloaded (503, 529)",
  timeout_rate: "Timeout (504)",
  bad_gateway_rate: "Bad gateway (502)",
  authentication_rate: "Authentication (401)",
};
const LIMITS = /_per_minute$|_per_day$|^concurrent_requests$/;

/**
 * An entry of a list (a limit or a mock) that was switched off, and where it was.
 * @typedef {{section: string, at: number, entry: any}} Off
 */

export class Settings {
  #changes = new Changes();
  #generation = -1;
  /** @type {Off[]} */
  #off = [];
  /** The rates of failures that were switched off. @type {Record<string, number>} */
  #rates = {};
  /** @type {Record<string, number>} */
  #hits = {};
  #busy = false;

  constructor() {
    element("settings-undo", HTMLButtonElement).addEventListener("click", () => void this.#undo());
    this.#form("limit-form", (form) => {
      const limit = {
        key: form.get("key") || "*",
        model: form.get("model") || "*",
        [String(form.get("what"))]: Number(form.get("limit")),
      };
      const limits = this.#list("rate_limits");
      return this.#make("rate_limits", [...limits, limit], `limit for ${limit.key} ${limit.model}`);
    });
    this.#form("mock-form", (form) => {
      const words = String(form.get("contains"));
      const mock = { name: words, match: { content_contains: words }, response: { content: String(form.get("content")) } };
      return this.#make("mocks", [mock, ...this.#list("mocks")], `mock ${words}`);
    });
    for (const name of ["profile", "scenario"]) {
      const select = element(`setting-${name}`, HTMLSelectElement);
      select.addEventListener("change", () => {
        const latency = { ...this.#changes.config.latency, profile: select.value };
        if (name === "profile") void this.#make("latency", latency, `latency ${select.value}`);
        else void this.#make("scenario", select.value || null, `scenario ${select.value || "none"}`);
      });
    }
    const section = element("json-section", HTMLSelectElement);
    section.addEventListener("change", () => this.#showJSON());
    this.#form("json-form", (form) => {
      const text = String(form.get("json")).trim();
      return this.#make(section.value, text ? JSON.parse(text) : null, `${section.value} as JSON`);
    });
    element("json-form", HTMLFormElement).closest("details")?.addEventListener("toggle", () => this.#showJSON());
  }

  /** A document of statistics has come. @param {import("./stats.js").Stats} stats */
  async update({ generation }) {
    if (generation === undefined || generation === this.#generation || this.#busy || document.hidden) return;
    this.#generation = generation;
    await this.#doing(async () => {
      await Promise.all([this.#changes.read(), this.#choices()]);
    });
  }

  async #choices() {
    const profile = element("setting-profile", HTMLSelectElement);
    if (profile.options.length) return;
    const { profiles, scenarios } = await act("GET", "models");
    profile.replaceChildren(...profiles.map((/** @type {string} */ name) => new Option(name)));
    const named = scenarios.map((/** @type {string} */ name) => new Option(name));
    element("setting-scenario", HTMLSelectElement).replaceChildren(new Option("none", ""), ...named);
  }

  /** @param {string} section @param {unknown} value @param {string} label */
  async #make(section, value, label) {
    return this.#doing(async () => {
      await this.#changes.make(section, value, label);
      setText(html("settings-state"), `In effect: ${label}.`);
    });
  }

  async #undo() {
    const change = this.#changes.last;
    await this.#doing(async () => {
      await this.#changes.undo();
      this.#off = this.#off.filter((off) => !contains(this.#list(off.section), off.entry));
      setText(html("settings-state"), `Undone: ${change?.label}.`);
    });
  }

  /**
   * Do something, and show what is in effect then, or why it could not be done.
   * @param {() => Promise<void>} work
   * @returns {Promise<boolean>} whether it was done
   */
  async #doing(work) {
    this.#busy = true;
    const state = html("settings-state");
    state.dataset.tone = "";
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof TokenRequired) this.#generation = -1;
      state.dataset.tone = "bad";
      setText(state, error instanceof Error ? error.message : String(error));
      return false;
    } finally {
      this.#busy = false;
      await this.#countHits();
      this.#show();
    }
  }

  async #countHits() {
    if (!this.#list("mocks").length) return;
    try {
      const { mocks } = await act("GET", "mocks");
      this.#hits = Object.fromEntries(mocks.map((/** @type {any} */ mock) => [mock.name, mock.hits]));
    } catch {
      // the state of the connection shows it
    }
  }

  /** @param {string} section @returns {any[]} */
  #list(section) {
    return this.#changes.config[section] ?? [];
  }

  #show() {
    const { latency, scenario } = this.#changes.config;
    this.#failures();
    element("setting-profile", HTMLSelectElement).value = latency?.profile ?? "";
    element("setting-scenario", HTMLSelectElement).value = scenario ?? "";
    this.#entries("rate_limits", (limit) => `${limit.key} · ${limit.model}`, limited);
    this.#entries("mocks", (mock) => mock.name ?? "(no name)", (mock) => this.#mocked(mock));
    const last = this.#changes.last;
    const undo = element("settings-undo", HTMLButtonElement);
    undo.disabled = !last;
    setText(undo, last ? `Undo: ${last.label}` : "Undo");
    setText(html("settings-summary"), this.#summary());
    this.#showJSON();
  }

  /** What is in effect, in a line. */
  #summary() {
    const { errors, latency, scenario } = this.#changes.config;
    const failing = Object.keys(RATES).filter((key) => errors?.[key] > 0);
    const rules = errors?.rules?.length ?? 0;
    const faults = Object.keys(errors?.faults ?? {}).length;
    const parts = [
      failing.length ? `failures ${failing.map((key) => `${key.replace("_rate", "")} ${percent(errors[key])}`).join(", ")}` : "no failures by rate",
      rules ? plural(rules, "rule") : "",
      faults ? plural(faults, "fault") : "",
      `latency ${latency?.profile ?? "of its own"}`,
      scenario ? `scenario ${scenario}` : "",
      plural(this.#list("rate_limits").length, "rate limit"),
      plural(this.#list("mocks").length, "mock"),
    ];
    return parts.filter(Boolean).join(" · ");
  }

  #failures() {
    const errors = this.#changes.config.errors ?? {};
    const rows = Object.entries(RATES).map(([key, name]) => {
      const rate = errors[key] ?? 0;
      const set = (/** @type {number} */ value) =>
        void this.#make("errors", { ...this.#changes.config.errors, [key]: value }, `${name} ${percent(value)}`);
      const input = make("input");
      input.type = "number";
      input.min = "0";
      input.max = "100";
      input.step = "any";
      input.value = String(Math.round(rate * 1e4) / 100);
      input.setAttribute("aria-label", `${name}: percent of requests`);
      input.addEventListener("change", () => set(Math.min(100, Math.max(0, Number(input.value))) / 100));
      const toggle = (/** @type {boolean} */ on) => {
        if (!on) this.#rates[key] = rate;
        set(on ? this.#rates[key] || USUAL_RATE : 0);
      };
      const row = setting(name, rate > 0, toggle);
      const field = make("span", undefined, "unit");
      field.append(input, " %");
      row.append(field);
      return row;
    });
    replace(html("settings-failures"), rows);
  }

  /**
   * Show a section that is a list, each entry with a switch; those that are off stay in view.
   * @param {string} section
   * @param {(entry: any) => string} name
   * @param {(entry: any) => string} note
   */
  #entries(section, name, note) {
    const list = this.#list(section);
    /** @type {{entry: any, on: boolean}[]} */
    const all = list.map((entry) => ({ entry, on: true }));
    for (const { at, entry } of this.#off.filter((off) => off.section === section)) all.splice(at, 0, { entry, on: false });
    const rows = all.map(({ entry, on }, at) => {
      const row = setting(name(entry), on, (wanted) => void this.#switch(section, at, entry, wanted, name(entry)));
      row.append(make("small", note(entry)));
      return row;
    });
    replace(html(`settings-${section}`), rows.length ? rows : [make("p", "None.", "none")]);
  }

  /** @param {string} section @param {number} at @param {any} entry @param {boolean} on @param {string} name */
  async #switch(section, at, entry, on, name) {
    const list = [...this.#list(section)];
    const off = this.#off.find((one) => one.section === section && one.entry === entry);
    if (on) list.splice(at, 0, entry);
    else list.splice(list.findIndex((one) => one === entry), 1);
    if (on) this.#off = this.#off.filter((one) => one !== off);
    else this.#off.push({ section, at, entry });
    const done = await this.#make(section, list, `${name} ${on ? "on" : "off"}`);
    if (done) return;
    if (off) this.#off.push(off);
    else this.#off = this.#off.filter((one) => one.entry !== entry);
    this.#show();
  }

  /** @param {any} mock */
  #mocked(mock) {
    const hits = this.#hits[mock.name];
    const answer = mock.response?.content ?? mock.error?.kind ?? "";
    const match = Object.entries(mock.match ?? {}).map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(", ");
    const used = hits === undefined ? "" : ` · used ${count(hits)} times`;
    return `${match || "all requests"}${answer ? ` → ${String(answer).slice(0, 60)}` : ""}${used}`;
  }

  #showJSON() {
    const text = element("json-text", HTMLTextAreaElement);
    if (document.activeElement === text) return;
    const value = this.#changes.config[element("json-section", HTMLSelectElement).value];
    text.value = value === undefined ? "" : JSON.stringify(value, null, 2);
  }

  /** @param {string} id @param {(form: FormData) => Promise<boolean>} submit */
  #form(id, submit) {
    const form = element(id, HTMLFormElement);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const state = html("settings-state");
      try {
        if ((await submit(new FormData(form))) && id !== "json-form") form.reset();
      } catch (error) { // no JSON
        state.dataset.tone = "bad";
        setText(state, error instanceof Error ? error.message : String(error));
      }
    });
  }
}

/** What a limit allows. @param {any} limit */
function limited(limit) {
  return Object.entries(limit)
    .filter(([key]) => LIMITS.test(key))
    .map(([key, value]) => `${count(value)} ${key.replace("_per_minute", "/min").replace("_per_day", "/day").replaceAll("_", " ")}`)
    .join(", ");
}

/** A row with a switch. @param {string} name @param {boolean} on @param {(on: boolean) => void} toggle */
function setting(name, on, toggle) {
  const row = make("div", undefined, "setting");
  const label = make("label");
  const box = make("input");
  box.type = "checkbox";
  box.setAttribute("role", "switch");
  box.checked = on;
  box.addEventListener("change", () => toggle(box.checked));
  label.append(box, make("span", name));
  row.append(label);
  return row;
}

/** Show these rows; the place of the focus is kept. @param {HTMLElement} place @param {HTMLElement[]} rows */
function replace(place, rows) {
  const inputs = [...place.querySelectorAll("input")];
  const focused = inputs.findIndex((one) => one === document.activeElement);
  place.replaceChildren(...rows);
  if (focused >= 0) place.querySelectorAll("input")[focused]?.focus();
}

/** @param {any[]} list @param {any} entry */
function contains(list, entry) {
  const text = JSON.stringify(entry);
  return list.some((one) => JSON.stringify(one) === text);
}

/** @param {number} number @param {string} word */
function plural(number, word) {
  return number === 1 ? `1 ${word}` : `${number || "no"} ${word}s`;
}

/** The sections that can be edited as JSON. */
export function sections() {
  element("json-section", HTMLSelectElement).replaceChildren(...SECTIONS.map((name) => new Option(name)));
}
