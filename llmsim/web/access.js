/** Asking llmsim's own endpoints, with the token they may want. */

import { element, html } from "./dom.js";

const STORED = "llmsim-token";

/** The server wants a token and has not been given one that it accepts. */
export class TokenWanted extends Error {}

/** @type {Promise<void> | null} */
let asking = null;

/**
 * Fetch from below `/llmsim/`; asks for a token when the server wants one.
 * @param {string} path relative to the page
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
export async function ask(path, signal) {
  for (;;) {
    const token = sessionStorage.getItem(STORED);
    const headers = token ? { authorization: `Bearer ${token}` } : undefined;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
    if (response.status !== 401) return response;
    await response.body?.cancel();
    if (sessionStorage.getItem(STORED) === token) {
      sessionStorage.removeItem(STORED);
      asking ??= askedFor(token !== null).finally(() => (asking = null));
    }
    await asking;
  }
}

/**
 * Let the user type the token. Throws TokenWanted if they will not.
 * @param {boolean} wrong whether there was one that the server refused
 * @returns {Promise<void>}
 */
function askedFor(wrong) {
  const dialog = element("token", HTMLDialogElement);
  const input = element("token-value", HTMLInputElement);
  html("token-wrong").hidden = !wrong;
  input.value = "";
  dialog.returnValue = "";
  element("token-cancel", HTMLButtonElement).onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.onclose = () => {
      if (dialog.returnValue !== "use") return reject(new TokenWanted());
      sessionStorage.setItem(STORED, input.value.trim());
      input.value = "";
      resolve();
    };
  });
}
