// The Vercel AI SDK: an agent loop with two tools and a structured answer. Arguments: provider, base URL.
import assert from "node:assert/strict";
import { generateObject, generateText, stepCountIs, streamText, tool } from "ai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { z } from "zod";

const [provider, base] = process.argv.slice(2);
const openai = createOpenAI({ baseURL: `${base}/v1`, apiKey: "x" });
const model = {
  openai: () => openai.chat("gpt-4o"),
  responses: () => openai.responses("gpt-4o"),
  anthropic: () => createAnthropic({ baseURL: `${base}/v1`, apiKey: "x" })("claude-sonnet-4-5"),
  gemini: () => createGoogleGenerativeAI({ baseURL: `${base}/v1beta`, apiKey: "x" })("gemini-2.5-flash"),
}[provider]();

let called = 0;
const tools = {
  get_weather: tool({
    description: "The weather in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => (called++, `sunny in ${city}`),
  }),
  get_time: tool({
    description: "The time in a zone.",
    inputSchema: z.object({ zone: z.string() }),
    execute: async ({ zone }) => (called++, `noon in ${zone}`),
  }),
};
const request = { model, tools, stopWhen: stepCountIs(6), prompt: "What is the weather, and what time is it?" };

const plain = await generateText(request);
assert.ok(called > 0);
assert.equal(plain.finishReason, "stop");
assert.ok(plain.text);

called = 0;
const streamed = streamText(request);
let text = "";
for await (const piece of streamed.textStream) text += piece;
assert.ok(called > 0);
assert.equal(await streamed.finishReason, "stop");
assert.ok(text);
assert.ok((await streamed.totalUsage).totalTokens > 0);

const { object } = await generateObject({
  model,
  schema: z.object({ summary: z.string(), degrees: z.number() }),
  prompt: "Report the weather.",
});
assert.equal(typeof object.degrees, "number");
console.log("ok");
