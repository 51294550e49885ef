/** Light or dark: as the system says, until the user says otherwise. */

import { element } from "./dom.js";

const STORED = "llmsim-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Take over the button; `changed` is called whenever the colours are others. @param {() => void} changed */
export function theme(changed) {
  const button = element("theme", HTMLButtonElement);
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    button.textContent = dark() ? "Light theme" : "Dark theme";
    changed();
  };
  const stored = localStorage.getItem(STORED);
  if (stored === "light" || stored === "dark") root.dataset.theme = stored;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem(STORED, root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}
