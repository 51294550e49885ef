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
 * @returns {Promise<Response>}
 */
export async function fetchOwn(path, signal) {
  for (;;) {
    const token = sessionStorage.getItem(STORED);
    const headers = token ? { authorization: `Bearer ${token}` } : undefined;
    const response = await fetch(path, { headers, signal, cache: "no-store" });
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
