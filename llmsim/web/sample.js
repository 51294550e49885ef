/** A request to this very server, as any client makes it, and what came of it. */

import { DIALECTS } from "./dialects.js";
import { drawn, element, facts, html, make, say } from "./dom.js";
import { count, millis, NONE } from "./format.js";
import { open } from "./requests.js";
import { events } from "./sse.js";

/** @typedef {import("./dialects.js").Wanted} Wanted */

/** What was seen of an answer; times in ms after the request was sent. */
class Seen {
  started = performance.now();
  status = 0;
  id = "";
  /** @type {Record<string, number>} */
  planned = {};
  /** @type {number[]} */
  arrivals = [];
  /** @type {number | undefined} */
  tokens;
  /** @type {number | null} */
  total = null;

  now() {
    return performance.now() - this.started;
  }

  /** @param {Response} response */
  head(response) {
    this.status = response.status;
    this.id = response.headers.get("x-request-id") ?? response.headers.get("request-id") ?? "";
    const timing = response.headers.get("server-timing") ?? "";
    for (const [, name, value] of timing.matchAll(/(\w+);dur=([\d.]+)/g)) {
      this.planned[name] = Number(value);
    }
  }

  /** @returns {Record<string, string>} */
  get measures() {
    const gaps = this.arrivals.slice(1).map((at, index) => at - this.arrivals[index]);
    gaps.sort((one, other) => one - other);
    const mean = gaps.length ? gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length : null;
    const p95 = gaps.length ? gaps[Math.ceil(gaps.length * 0.95) - 1] : null;
    return {
      Status: this.status ? String(this.status) : NONE,
      "TTFT measured": millis(this.arrivals[0]),
      "TTFT planned": millis(this.planned.ttft),
      "ITL, mean": millis(mean),
      "ITL, p95": millis(p95),
      "Total measured": millis(this.total),
      "Total planned": millis(this.planned.total),
      Pieces: count(this.arrivals.length),
      "Completion tokens": count(this.tokens),
    };
  }
}

export class Sample {
  #form = element("sample", HTMLFormElement);
  #dialect = element("sample-dialect", HTMLSelectElement);
  #model = element("sample-model", HTMLInputElement);
  #send = element("sample-send", HTMLButtonElement);
  #stop = element("sample-stop", HTMLButtonElement);
  #timeline = element("sample-timeline", HTMLButtonElement);
  #answer = html("sample-answer");
  #state = html("sample-state");
  /** @type {AbortController | null} */
  #running = null;
  #id = "";

  constructor() {
    for (const [name, { label }] of Object.entries(DIALECTS)) {
      const option = make("option", label);
      option.value = name;
      this.#dialect.append(option);
    }
    this.#dialect.addEventListener("change", () => this.#choose());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#fire();
    });
    this.#stop.addEventListener("click", () => this.#running?.abort());
    this.#timeline.addEventListener("click", () => open(this.#id));
    this.#choose();
  }

  #choose() {
    this.#model.value = DIALECTS[this.#dialect.value].model;
    void this.#listModels();
  }

  async #listModels() {
    const { models } = DIALECTS[this.#dialect.value];
    const list = html("sample-models");
    try {
      const response = await fetch(models, { headers: models.includes("anthropic") ? { "anthropic-version": "2023-06-01" } : {} });
      const told = await response.json();
      const names = (told.data ?? told.models ?? []).map((/** @type {any} */ one) => one.id ?? one.name);
      list.replaceChildren(
        ...names.map((/** @type {string} */ name) => {
          const option = make("option");
          option.value = name.replace(/^models\//, "");
          return option;
        }),
      );
    } catch {
      list.replaceChildren(); // any name can be typed
    }
  }

  /** @returns {Wanted} */
  #wanted() {
    const given = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(given.get(name) ?? "");
    return {
      model: text("model").trim(),
      prompt: text("prompt"),
      tokens: Number(text("tokens")),
      stream: given.has("stream"),
      key: text("key").trim(),
    };
  }

  async #fire() {
    const running = (this.#running = new AbortController());
    const seen = new Seen();
    this.#begin();
    try {
      await this.#ask(seen, running.signal);
      this.#say(seen.status < 400 ? "Done." : "The server answered with an error.", seen.status >= 400);
    } catch (error) {
      const stopped = running.signal.aborted;
      this.#say(stopped ? "Stopped." : `It failed: ${error instanceof Error ? error.message : error}`, !stopped);
    }
    seen.total ??= seen.now();
    this.#end(seen);
  }

  #begin() {
    this.#send.disabled = true;
    this.#stop.disabled = false;
    this.#timeline.hidden = true;
    this.#answer.hidden = false;
    this.#answer.textContent = "";
    element("sample-arrivals", SVGElement).toggleAttribute("hidden", true);
    facts(html("sample-measures"), {});
    this.#say("Waiting for the first token …", false);
  }

  /** @param {Seen} seen @param {AbortSignal} signal */
  async #ask(seen, signal) {
    const wanted = this.#wanted();
    const dialect = DIALECTS[this.#dialect.value];
    const response = await fetch(dialect.path(wanted), {
      method: "POST",
      headers: { "content-type": "application/json", ...dialect.headers(wanted) },
      body: JSON.stringify(dialect.body(wanted)),
      signal,
    });
    seen.head(response);
    const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (response.ok && streamed && response.body) {
      for await (const { data } of events(response.body)) this.#take(seen, data);
      seen.total = seen.now();
      return;
    }
    const text = await response.text();
    seen.total = seen.now();
    const answer = read(text);
    seen.tokens = answer && dialect.counted(answer);
    seen.id ||= (answer && dialect.id?.(answer)) ?? "";
    seen.arrivals.push(seen.total);
    this.#answer.textContent = response.ok && answer ? dialect.whole(answer) : text;
  }

  /** @param {Seen} seen @param {string} data */
  #take(seen, data) {
    const event = read(data);
    if (!event) return;
    const dialect = DIALECTS[this.#dialect.value];
    seen.tokens = dialect.counted(event) ?? seen.tokens;
    seen.id ||= dialect.id?.(event) ?? "";
    const text = dialect.delta(event);
    if (!text) return;
    if (!seen.arrivals.length) this.#say("Answering …", false);
    seen.arrivals.push(seen.now());
    this.#answer.append(text);
    this.#answer.scrollTop = this.#answer.scrollHeight;
  }

  /** @param {Seen} seen */
  #end(seen) {
    this.#running = null;
    this.#send.disabled = false;
    this.#stop.disabled = true;
    facts(html("sample-measures"), seen.measures);
    arrivals(seen);
    this.#id = seen.id;
    this.#timeline.hidden = !seen.id;
  }

  /** @param {string} text @param {boolean} bad */
  #say(text, bad) {
    say(this.#state, text);
    this.#state.dataset.tone = bad ? "bad" : "";
  }
}

/** @param {string} text @returns {any} null if it is not JSON, as `[DONE]` */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A stroke for each piece of text, when it came. @param {Seen} seen */
function arrivals(seen) {
  const svg = element("sample-arrivals", SVGElement);
  const shown = seen.arrivals.length > 1 && seen.total !== null;
  svg.toggleAttribute("hidden", !shown);
  if (!shown || seen.total === null) return;
  const width = Math.max(240, svg.clientWidth);
  const end = seen.total;
  const x = (/** @type {number} */ at) => 1 + ((width - 2) * at) / end;
  svg.setAttribute("viewBox", `0 0 ${width} 40`);
  svg.replaceChildren(
    drawn("line", { class: "axis", x1: 0, x2: width, y1: 22, y2: 22 }),
    ...seen.arrivals.map((at) => drawn("line", { class: "tick", x1: x(at), x2: x(at), y1: 4, y2: 22 })),
    drawn("text", { x: 0, y: 37 }, "sent"),
    drawn("text", { x: width, y: 37, "text-anchor": "end" }, millis(end)),
  );
}
