/** Requests to llmsim's own endpoints, with the token they may require. */

import { element, html } from "./dom.js";

const STORED = "llmsim-token";

/** The server requires a token, and the user has entered none that it accepts. */
export class TokenRequired extends Error {}

/** @type {Promise<void> | null} */
let prompting = null;

/**
 * Fetch from below `/llmsim/`; prompts for a token when the server requires one.
 * @param {string} path relative to the page
 * @param {AbortSignal} [signal]
 * @param {{method: string, body?: unknown}} [change] what is asked for if it is more than to look; the body is sent as JSON
 * @returns {Promise<Response>}
 */
export async function fetchOwn(path, signal, change) {
  for (;;) {
    const token = sessionStorage.getItem(STORED);
    /** @type {Record<string, string>} */
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const body = change?.body === undefined ? undefined : JSON.stringify(change.body);
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(path, { method: change?.method ?? "GET", headers, body, signal, cache: "no-store" });
    if (response.status !== 401) return response;
    await response.body?.cancel();
    if (sessionStorage.getItem(STORED) === token) {
      sessionStorage.removeItem(STORED);
      prompting ??= promptForToken(token !== null).finally(() => (prompting = null));
    }
    await prompting;
  }
}

/**
 * Have the server do something. Throws an Error with its words if it refuses.
 * @param {string} method
 * @param {string} path relative to the page
 * @param {unknown} [body]
 * @returns {Promise<any>} what it answers
 */
export async function act(method, path, body) {
  const response = await fetchOwn(path, undefined, { method, body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `status ${response.status}`);
  return answer;
}

/**
 * Let the user enter the token. Throws TokenRequired if they cancel.
 * @param {boolean} wrong whether there was one that the server refused
 * @returns {Promise<void>}
 */
function promptForToken(wrong) {
  const dialog = element("token", HTMLDialogElement);
  const input = element("token-value", HTMLInputElement);
  html("token-wrong").hidden = !wrong;
  input.value = "";
  dialog.returnValue = "";
  element("token-cancel", HTMLButtonElement).onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.onclose = () => {
      if (dialog.returnValue !== "use") return reject(new TokenRequired());
      sessionStorage.setItem(STORED, input.value.trim());
      input.value = "";
      resolve();
    };
  });
}
