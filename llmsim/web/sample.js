/** A request to this server, made as any client makes it, and what was measured. */

import { DIALECTS } from "./dialects.js";
import { fetchOwn } from "./access.js";
import { element, fillFacts, html, make, setText, svgElement } from "./dom.js";
import { count, millis, NONE } from "./format.js";
import { open } from "./requests.js";
import { events } from "./sse.js";

/** @typedef {import("./dialects.js").SampleRequest} SampleRequest */

/** What was measured of an answer; times in ms after the request was sent. */
class Measurement {
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
  readHeaders(response) {
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
      Chunks: count(this.arrivals.length),
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
      void this.#run();
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
      // llmsim's own list: a provider's wants an API key where the server has some.
      const response = await fetchOwn("models");
      const listing = await response.json();
      list.replaceChildren(
        ...(listing.models[models] ?? []).map((/** @type {string} */ name) => {
          const option = make("option");
          option.value = name;
          return option;
        }),
      );
    } catch {
      list.replaceChildren(); // any name can be typed
    }
  }

  /** @returns {SampleRequest} */
  #request() {
    const fields = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(fields.get(name) ?? "");
    return {
      model: text("model").trim(),
      prompt: text("prompt"),
      tokens: Number(text("tokens")),
      stream: fields.has("stream"),
      key: text("key").trim(),
    };
  }

  async #run() {
    const running = (this.#running = new AbortController());
    const measured = new Measurement();
    this.#begin();
    try {
      await this.#exchange(measured, running.signal);
      this.#showState(measured.status < 400 ? "Done." : "The server answered with an error.", measured.status >= 400);
    } catch (error) {
      const stopped = running.signal.aborted;
      this.#showState(stopped ? "Stopped." : `Failed: ${error instanceof Error ? error.message : error}`, !stopped);
    }
    measured.total ??= measured.now();
    this.#end(measured);
  }

  #begin() {
    this.#send.disabled = true;
    this.#stop.disabled = false;
    this.#timeline.hidden = true;
    this.#answer.hidden = false;
    this.#answer.textContent = "";
    element("sample-arrivals", SVGElement).toggleAttribute("hidden", true);
    fillFacts(html("sample-measures"), {});
    this.#showState("Waiting for the first token …", false);
  }

  /** @param {Measurement} measured @param {AbortSignal} signal */
  async #exchange(measured, signal) {
    const request = this.#request();
    const dialect = DIALECTS[this.#dialect.value];
    const response = await fetch(dialect.path(request), {
      method: "POST",
      headers: { "content-type": "application/json", ...dialect.headers(request) },
      body: JSON.stringify(dialect.body(request)),
      signal,
    });
    measured.readHeaders(response);
    const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (response.ok && streamed && response.body) {
      for await (const { data } of events(response.body)) this.#take(measured, data);
      measured.total = measured.now();
      return;
    }
    const text = await response.text();
    measured.total = measured.now();
    const answer = read(text);
    measured.tokens = answer && dialect.completionTokens(answer);
    measured.id ||= (answer && dialect.id?.(answer)) ?? "";
    measured.arrivals.push(measured.total);
    this.#answer.textContent = response.ok && answer ? dialect.text(answer) : text;
  }

  /** @param {Measurement} measured @param {string} data */
  #take(measured, data) {
    const event = read(data);
    if (!event) return;
    const dialect = DIALECTS[this.#dialect.value];
    measured.tokens = dialect.completionTokens(event) ?? measured.tokens;
    measured.id ||= dialect.id?.(event) ?? "";
    const text = dialect.delta(event);
    if (!text) return;
    if (!measured.arrivals.length) this.#showState("Answering …", false);
    measured.arrivals.push(measured.now());
    this.#answer.append(text);
    this.#answer.scrollTop = this.#answer.scrollHeight;
  }

  /** @param {Measurement} measured */
  #end(measured) {
    this.#running = null;
    this.#send.disabled = false;
    this.#stop.disabled = true;
    fillFacts(html("sample-measures"), measured.measures);
    arrivals(measured);
    this.#id = measured.id;
    this.#timeline.hidden = !measured.id;
  }

  /** @param {string} text @param {boolean} bad */
  #showState(text, bad) {
    setText(this.#state, text);
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

/** A stroke for each piece of text, when it came. @param {Measurement} measured */
function arrivals(measured) {
  const svg = element("sample-arrivals", SVGElement);
  const shown = measured.arrivals.length > 1 && measured.total !== null;
  svg.toggleAttribute("hidden", !shown);
  if (!shown || measured.total === null) return;
  const width = Math.max(240, svg.clientWidth);
  const end = measured.total;
  const x = (/** @type {number} */ at) => 1 + ((width - 2) * at) / end;
  svg.setAttribute("viewBox", `0 0 ${width} 40`);
  svg.replaceChildren(
    svgElement("line", { class: "axis", x1: 0, x2: width, y1: 22, y2: 22 }),
    ...measured.arrivals.map((at) => svgElement("line", { class: "tick", x1: x(at), x2: x(at), y1: 4, y2: 22 })),
    svgElement("text", { x: 0, y: 37 }, "sent"),
    svgElement("text", { x: width, y: 37, "text-anchor": "end" }, millis(end)),
  );
}
