/** The APIs a sample request can use: how to make the request, and where the text of the answer is. */

/**
 * @typedef {object} SampleRequest
 * @property {string} model
 * @property {string} prompt
 * @property {number} tokens
 * @property {boolean} stream
 * @property {string} key
 *
 * @typedef {object} Dialect
 * @property {string} label
 * @property {string} model chosen at first
 * @property {string} models whose models, of those that `/llmsim/models` lists
 * @property {(request: SampleRequest) => string} path
 * @property {(request: SampleRequest) => Record<string, string>} headers
 * @property {(request: SampleRequest) => object} body
 * @property {(event: any) => string} delta the text of one event of a stream
 * @property {(answer: any) => string} text the text of an answer that is not streamed
 * @property {(event: any) => number | undefined} completionTokens completion tokens, where it has them
 * @property {(event: any) => string} [id] the request's id, where no header has it
 */

/** @param {SampleRequest} request @returns {Record<string, string>} */
function bearer({ key }) {
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** @param {SampleRequest} request @returns {Record<string, string>} */
function google({ key }) {
  return key ? { "x-goog-api-key": key } : {};
}

/** @param {any[] | undefined} parts */
function texts(parts) {
  return (parts ?? []).map((part) => part.text ?? "").join("");
}

/** @type {Record<string, Dialect>} */
export const DIALECTS = {
  chat: {
    label: "OpenAI chat completions",
    model: "gpt-4o",
    models: "openai",
    path: () => "../v1/chat/completions",
    headers: bearer,
    body: ({ model, prompt, tokens, stream }) => ({
      model,
      messages: [{ role: "user", content: prompt }],
      max_completion_tokens: tokens,
      stream,
      ...(stream ? { stream_options: { include_usage: true } } : {}),
    }),
    delta: (event) => event.choices?.[0]?.delta?.content ?? "",
    text: (answer) => answer.choices?.[0]?.message?.content ?? "",
    completionTokens: (event) => event.usage?.completion_tokens,
  },
  responses: {
    label: "OpenAI responses",
    model: "gpt-4o",
    models: "openai",
    path: () => "../v1/responses",
    headers: bearer,
    body: ({ model, prompt, tokens, stream }) => ({
      model,
      input: prompt,
      max_output_tokens: Math.max(16, tokens), // the least the API allows
      stream,
    }),
    delta: (event) => (event.type === "response.output_text.delta" ? event.delta : ""),
    text: (answer) => (answer.output ?? []).map((/** @type {any} */ item) => texts(item.content)).join(""),
    completionTokens: (event) => (event.response ?? event).usage?.output_tokens,
  },
  anthropic: {
    label: "Anthropic messages",
    model: "claude-sonnet-4-5",
    models: "anthropic",
    path: () => "../v1/messages",
    headers: ({ key }) => ({
      "anthropic-version": "2023-06-01",
      ...(key ? { "x-api-key": key } : {}),
    }),
    body: ({ model, prompt, tokens, stream }) => ({
      model,
      max_tokens: tokens,
      messages: [{ role: "user", content: prompt }],
      stream,
    }),
    delta: (event) => event.delta?.text ?? "",
    text: (answer) => texts(answer.content),
    completionTokens: (event) => event.usage?.output_tokens,
  },
  gemini: {
    label: "Gemini",
    model: "gemini-2.5-flash",
    models: "gemini",
    path: ({ model, stream }) =>
      `../v1beta/models/${encodeURIComponent(model)}:` +
      (stream ? "streamGenerateContent?alt=sse" : "generateContent"),
    headers: google,
    body: ({ prompt, tokens }) => ({
      contents: [{ role: "user", parts: [{ text: prompt }] }],
      generationConfig: { maxOutputTokens: tokens },
    }),
    delta: (event) => texts(event.candidates?.[0]?.content?.parts),
    text: (answer) => texts(answer.candidates?.[0]?.content?.parts),
    completionTokens: (event) => event.usageMetadata?.candidatesTokenCount,
    id: (event) => event.responseId ?? "",
  },
};
