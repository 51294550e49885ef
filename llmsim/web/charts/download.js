/** A chart as a file: its numbers (CSV) or its picture (PNG). */

import { make } from "../dom.js";

/**
 * @param {number[]} times Unix times
 * @param {{label: string, values: (number | null)[]}[]} columns
 */
export function csv(times, columns) {
  const head = ["time", ...columns.map((column) => column.label)].map(quoted).join(",");
  const rows = times.map((time, index) =>
    [new Date(time * 1000).toISOString(), ...columns.map((column) => column.values[index] ?? "")].join(","),
  );
  return [head, ...rows, ""].join("\r\n");
}

/** @param {string} text */
function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const MARGIN = 12;
const HEAD = 52;

/**
 * The plot with its title and its key.
 * @param {HTMLCanvasElement} plot
 * @param {string} title
 * @param {{label: string, colour: string, dash: number[]}[]} key
 * @param {{page: string, text: string, quiet: string}} colours
 * @returns {Promise<Blob>}
 */
export function picture(plot, title, key, colours) {
  const scale = plot.width / plot.clientWidth;
  const canvas = make("canvas");
  canvas.width = plot.width + 2 * MARGIN * scale;
  canvas.height = plot.height + (HEAD + MARGIN) * scale;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(scale, scale);
  pen.fillStyle = colours.page;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.textBaseline = "middle";
  pen.fillStyle = colours.text;
  pen.font = "600 14px system-ui, sans-serif";
  pen.fillText(title, MARGIN, 18);
  pen.font = "12px system-ui, sans-serif";
  let x = MARGIN;
  for (const { label, colour, dash } of key) {
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, 38);
    pen.lineTo(x + 16, 38);
    pen.stroke();
    pen.fillStyle = colours.quiet;
    pen.fillText(label, x + 21, 38);
    x += 36 + pen.measureText(label).width;
  }
  pen.drawImage(plot, MARGIN, HEAD, plot.width / scale, plot.height / scale);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png");
  });
}

/** Have the browser keep a file. @param {string} name @param {Blob} content */
export function save(name, content) {
  const link = make("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A name for a file about something, of now. @param {string} title @param {string} ending */
export function fileName(title, ending) {
  const about = title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const now = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  return `llmsim-${about}-${now}.${ending}`;
}
