// The Vercel AI SDK with models that think: two loops with a tool, the first one's messages sent back in the
// second, plain and streamed. Arguments: provider, base URL.
import assert from "node:assert/strict";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { z } from "zod";

const [provider, base] = process.argv.slice(2);
const [model, providerOptions] = {
  responses: () => [
    createOpenAI({ baseURL: `${base}/v1`, apiKey: "x" }).responses("gpt-5"),
    { openai: { reasoningEffort: "low", reasoningSummary: "auto", store: false, include: ["reasoning.encrypted_content"] } },
  ],
  anthropic: () => [
    createAnthropic({ baseURL: `${base}/v1`, apiKey: "x" })("claude-sonnet-4-5"),
    { anthropic: { thinking: { type: "enabled", budgetTokens: 1024 } } },
  ],
  gemini: () => [
    createGoogleGenerativeAI({ baseURL: `${base}/v1beta`, apiKey: "x" })("gemini-3.1-pro-preview"),
    { google: { thinkingConfig: { includeThoughts: true } } },
  ],
}[provider]();

let called = 0;
const tools = {
  get_weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => (called++, `sunny in ${city}`),
  }),
};

for (const stream of [false, true]) {
  const messages = [];
  for (const asked of ["What is the weather?", "And tomorrow?"]) {
    called = 0;
    messages.push({ role: "user", content: asked });
    const request = { model, tools, providerOptions, stopWhen: stepCountIs(6), messages, maxOutputTokens: 3000 };
    const answer = stream ? streamText(request) : await generateText(request);
    if (stream) for await (const part of answer.fullStream) assert.notEqual(part.type, "error", JSON.stringify(part));
    assert.ok(called > 0);
    assert.equal(await answer.finishReason, "stop");
    assert.ok(await answer.text);
    messages.push(...(await answer.response).messages);
  }
}
console.log("ok");
