/** The latest requests, and one of them in full. */

import { fetchOwn } from "./access.js";
import { element, fillFacts, html, setText } from "./dom.js";
import { clock, count, difference, known, millis, NONE } from "./format.js";
import { fill, number } from "./table.js";
import { timeline } from "./timeline.js";
import { waterfall } from "./waterfall.js";

/** @typedef {import("./timeline.js").RequestRecord} RequestRecord */

const PAUSE = 1500; // ms between two refreshes, at least

export class Requests {
  #refreshed = -Infinity;
  #refreshing = false;
  #wanted = false;
  #paused = false;
  #limit = element("requests-limit", HTMLSelectElement);
  #search = element("requests-search", HTMLFormElement);
  /** Where the page begins that is shown; empty for the newest requests. */
  #cursor = "";
  #next = "";

  constructor() {
    const pause = element("requests-pause", HTMLButtonElement);
    pause.addEventListener("click", () => {
      this.#paused = !this.#paused;
      pause.setAttribute("aria-pressed", String(this.#paused));
    });
    this.#limit.addEventListener("change", () => this.#turn(""));
    this.#search.addEventListener("input", () => this.#turn(""));
    element("requests-newest", HTMLButtonElement).addEventListener("click", () => this.#turn(""));
    element("requests-older", HTMLButtonElement).addEventListener("click", () => this.#turn(this.#next));
    this.#search.addEventListener("submit", (event) => event.preventDefault());
    element("request-curl", HTMLButtonElement).addEventListener("click", () => void copy());
  }

  /** @param {string} cursor */
  #turn(cursor) {
    this.#cursor = cursor;
    void this.refresh(true);
  }

  /** Fetch what is to be shown, unless that was done just now, or the list is paused or hidden. An
   * older page stays as it is. */
  async refresh(now = false) {
    const rests = this.#paused || this.#cursor || document.hidden;
    const due = performance.now() - this.#refreshed > PAUSE && !rests;
    if (now) this.#wanted = true;
    if (this.#refreshing || !(now || due)) return;
    this.#refreshing = true;
    this.#wanted = false;
    try {
      const response = await fetchOwn(`requests?${this.#query()}`);
      const found = await response.json();
      const wrong = html("requests-wrong");
      wrong.hidden = response.ok;
      setText(wrong, response.ok ? "" : (found.error?.message ?? ""));
      if (response.ok) this.#show(found.requests, found.next_cursor);
    } catch {
      // the state of the connection shows it
    } finally {
      this.#refreshing = false;
      this.#refreshed = performance.now();
    }
    if (this.#wanted) await this.refresh(true); // something else was asked for meanwhile
  }

  #query() {
    const query = new URLSearchParams({ limit: this.#limit.value });
    for (const [name, text] of new FormData(this.#search)) {
      if (String(text).trim()) query.set(name, String(text).trim());
    }
    if (this.#cursor) query.set("cursor", this.#cursor);
    return query;
  }

  /** @param {RequestRecord[]} list @param {string | null} next */
  #show(list, next) {
    this.#next = next ?? "";
    element("requests-older", HTMLButtonElement).disabled = !next;
    element("requests-newest", HTMLButtonElement).disabled = !this.#cursor;
    setText(html("requests-page"), this.#cursor ? "An older page: it does not change." : "");
    const filtered = [...new FormData(this.#search).values()].some((text) => String(text).trim());
    setText(html("requests-none"), filtered ? "No request like that." : "No requests yet.");
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
          number(request.status ? String(request.status) : "open", failed(request.status) ? "bad" : ""),
          number(millis(request.actual.first_ms)),
          number(millis(request.actual.total_ms)),
          number(millis(request.lateness_max_ms)),
        ],
      ]),
    );
  }
}

/** Whether a status is that of an error: a client that left (499) is none. @param {number | null} status */
function failed(status) {
  return status !== null && status >= 400 && status !== 499;
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
  why(request);
  details(request);
  shown = request;
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

/** The request that is shown. @type {RequestRecord | null} */
let shown = null;

/** @param {RequestRecord} request */
function why(request) {
  const { details: kept } = request;
  /** @type {Record<string, string | null | undefined>} */
  const facts = {
    Failure: request.error && `${request.error}${request.injected ? " (injected)" : ""}`,
    Message: kept?.message,
    "Decided by": kept?.rule,
    "Asked for": kept?.override,
    Mock: request.mock,
    Recording: kept?.recording,
    "API key": kept?.key,
    "x-request-id": request.x_request_id,
    traceparent: request.traceparent,
    Marker: request.marker,
    Tokens: request.tokens && Object.entries(request.tokens).map(([kind, value]) => `${count(value)} ${kind}`).join(", "),
  };
  for (const { limit, of, before, after } of kept?.limits ?? []) {
    facts[limit] = `${count(before)} before, ${count(after)} after, of ${count(of)}`;
  }
  const known = Object.entries(facts).filter(([, text]) => text);
  fillFacts(html("request-why"), /** @type {Record<string, string>} */ (Object.fromEntries(known)));
}

/** @param {RequestRecord} request */
function details({ details: kept }) {
  html("request-details").hidden = !kept;
  const frames = kept?.frames;
  html("request-frames").hidden = !frames?.left_ms.length;
  if (!kept || !frames) return;
  if (frames.left_ms.length) setText(html("waterfall-text"), waterfall(element("waterfall", SVGElement), frames));
  headers("request-headers", kept.headers);
  headers("response-headers", kept.response_headers ?? []);
  const left = kept.answer_bytes - new TextEncoder().encode(kept.answer).length;
  setText(html("request-answer"), kept.answer + (left > 0 ? `\n… ${count(left)} more bytes` : ""));
}

/** @param {string} id @param {[string, string][]} all */
function headers(id, all) {
  fill(html(id), all.map(([name, value], index) => [`${index}`, [{ text: name }, { text: value }]]));
}

/** Put the request, as a curl command, where it can be pasted from. */
async function copy() {
  if (!shown) return;
  const button = element("request-curl", HTMLButtonElement);
  try {
    await navigator.clipboard.writeText(curl(shown, location.origin));
    setText(button, "Copied");
  } catch {
    setText(button, "The browser does not allow it");
  }
  setTimeout(() => setText(button, "Copy as curl"), 2000);
}

const OF_THE_CONNECTION = ["host", "content-length", "connection", "accept-encoding", "transfer-encoding", "user-agent"];

/**
 * A command that sends a request again; a masked key comes from a variable.
 * @param {RequestRecord} request
 * @param {string} origin
 */
export function curl(request, origin) {
  const { request: body, details: kept } = request;
  const headers = kept?.headers ?? [["content-type", "application/json"]];
  const words = ["curl", request.stream ? "-N" : "-sS", quoted(origin + (kept?.url ?? request.endpoint))];
  for (const [name, value] of headers) {
    if (!OF_THE_CONNECTION.includes(name)) words.push("-H", quoted(`${name}: ${value}`));
  }
  words.push("-d", single(typeof body === "string" ? body : JSON.stringify(body)));
  return words.join(" ");
}

/** @param {string} text */
function quoted(text) {
  if (!text.includes("…")) return single(text);
  const parts = text.split(/([\s=&?]+)/).map((part) => (part.includes("…") ? "$API_KEY" : part));
  return `"${parts.join("").replaceAll('"', '\\"')}"`;
}

/** @param {string} text */
function single(text) {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
