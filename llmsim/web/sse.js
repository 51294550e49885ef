/** Server-sent events out of a response body, as the WHATWG HTML standard has them. */

/**
 * @typedef {object} Event
 * @property {string} name "" where it has none
 * @property {string} data
 */

/**
 * The events of a body, each as it arrives.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Event, void>}
 */
export async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parsed(block);
        if (event) yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** @param {string} block @returns {Event | null} */
function parsed(block) {
  let name = "";
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const [field, value] = halves(line);
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length ? { name, data: data.join("\n") } : null;
}

/** @param {string} line @returns {[string, string]} */
function halves(line) {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  return [line.slice(0, colon), line.slice(colon + (line[colon + 1] === " " ? 2 : 1))];
}
