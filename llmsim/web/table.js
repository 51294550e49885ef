/** Tables whose rows stay what they are while their numbers change: focus and scroll survive. */

import { make, setText } from "./dom.js";

/**
 * A cell: text, or text with a look. `share` (0 to 1) draws a bar; `press` makes a button of it.
 * @typedef {object} Cell
 * @property {string} text
 * @property {string} [look] class names
 * @property {number} [share]
 * @property {string} [label] what a button is called where its text alone does not setText it
 * @property {() => void} [press]
 */

/** @param {string} text @param {string} [look] @returns {Cell} */
export function number(text, look = "") {
  return { text, look: `number ${look}`.trim() };
}

/** @param {number} part @param {number} whole @returns {Cell} */
export function bar(part, whole) {
  const share = whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
  return { text: "", look: "share", share };
}

/**
 * Make the table's body show these rows, in this order; a row is known by its key.
 * @param {HTMLElement} body
 * @param {[string, Cell[]][]} rows
 */
export function fill(body, rows) {
  /** @type {Map<string, HTMLTableRowElement>} */
  const there = new Map();
  for (const row of body.querySelectorAll("tr")) there.set(row.dataset.key ?? "", row);
  /** @type {Element | null} */
  let next = body.firstElementChild;
  for (const [key, cells] of rows) {
    let row = there.get(key);
    there.delete(key);
    if (!row) {
      row = createRow(key, cells);
    }
    cells.forEach((cell, index) => show(/** @type {HTMLElement} */ (row?.children[index]), cell));
    if (row === next) next = next.nextElementSibling;
    else body.insertBefore(row, next);
  }
  for (const row of there.values()) row.remove();
}

/** @param {string} key @param {Cell[]} cells */
function createRow(key, cells) {
  const row = make("tr");
  row.dataset.key = key;
  cells.forEach((cell, index) => {
    const made = make(index ? "td" : "th");
    if (!index) made.setAttribute("scope", "row");
    if (cell.press) {
      const button = make("button", "", "link");
      button.type = "button";
      made.append(button);
    }
    row.append(made);
  });
  const press = cells.find((cell) => cell.press)?.press;
  if (press) row.addEventListener("click", press); // a button's own click gets here too
  return row;
}

/** @param {HTMLElement} place @param {Cell} cell */
function show(place, cell) {
  const look = cell.look ?? "";
  if (place.className !== look) place.className = look;
  if (cell.share !== undefined) {
    place.style.setProperty("--share", cell.share.toFixed(4));
    setText(place, "");
    place.setAttribute("aria-label", `${(cell.share * 100).toFixed(1)} %`);
    return;
  }
  const button = cell.press && place.querySelector("button");
  if (button && cell.label) button.setAttribute("aria-label", cell.label);
  setText(button || place, cell.text);
  if (!button && place.title !== cell.text && cell.text.length > 16) place.title = cell.text;
}
