/** Numbers as people read them. A missing number is a dash. */

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** @typedef {number | null | undefined} Maybe */

/**
 * Whether there is a number.
 * @param {unknown} value
 * @returns {value is number}
 */
export function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** @param {Maybe} value */
export function count(value) {
  return known(value) ? (Math.abs(value) < 1e6 ? whole : compact).format(value) : NONE;
}

/** Something a second. @param {Maybe} value */
export function rate(value) {
  if (!known(value)) return NONE;
  return (value < 100 ? precise : value < 1e5 ? whole : compact).format(value);
}

/** A time given in milliseconds. @param {Maybe} value */
export function millis(value) {
  if (!known(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 60_000) return duration(value / 1000);
  if (size >= 1000) return `${precise.format(value / 1000)} s`;
  return `${size < 0.005 ? 0 : size < 10 ? value.toFixed(2) : precise.format(value)} ms`;
}

/** The same, with its sign. @param {Maybe} value */
export function difference(value) {
  if (!known(value)) return NONE;
  return value < 0 ? `−${millis(-value)}` : `+${millis(value)}`;
}

/** A long time given in seconds. @param {Maybe} value */
export function duration(value) {
  if (!known(value)) return NONE;
  const seconds = Math.max(0, Math.floor(value));
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** @param {Maybe} value */
export function bytes(value) {
  return known(value) ? `${whole.format(value / 2 ** 20)} MiB` : NONE;
}

/** A share of one. @param {Maybe} value */
export function percent(value) {
  return known(value) ? `${precise.format(value * 100)} %` : NONE;
}

/** The time of day of a Unix time in seconds. @param {Maybe} value */
export function clock(value) {
  if (!known(value)) return NONE;
  const at = new Date(value * 1000);
  const pad = (/** @type {number} */ part, width = 2) => String(part).padStart(width, "0");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => pad(part)).join(":");
  return `${time}.${pad(at.getMilliseconds(), 3)}`;
}
