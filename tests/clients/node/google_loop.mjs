// Google's Node SDK: a tool loop, thoughts, structured output, plain and streamed. Argument: base URL.
import assert from "node:assert/strict";
import { GoogleGenAI, Type } from "@google/genai";

const [base] = process.argv.slice(2);
const client = new GoogleGenAI({ apiKey: "x", httpOptions: { baseUrl: base } });
const model = "gemini-2.5-flash";
const tools = [
  {
    functionDeclarations: [
      { name: "get_weather", parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ["city"] } },
      { name: "get_time", parameters: { type: Type.OBJECT, properties: { zone: { type: Type.STRING } }, required: ["zone"] } },
    ],
  },
];

async function ask(streamed, request) {
  if (!streamed) return client.models.generateContent(request);
  const parts = [];
  let last;
  for await (const chunk of await client.models.generateContentStream(request)) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    last = chunk;
  }
  const calls = parts.filter((part) => part.functionCall).map((part) => part.functionCall);
  const text = parts.filter((part) => part.text && !part.thought).map((part) => part.text).join("");
  return { functionCalls: calls.length ? calls : undefined, text, usageMetadata: last.usageMetadata, candidates: [{ content: { role: "model", parts } }] };
}

for (const streamed of [false, true]) {
  const contents = [{ role: "user", parts: [{ text: "What is the weather, and what time is it?" }] }];
  let called = 0;
  let answer;
  for (let turn = 0; turn < 5; turn++) {
    answer = await ask(streamed, { model, contents, config: { tools } });
    contents.push(answer.candidates[0].content);
    if (!answer.functionCalls) break;
    called += answer.functionCalls.length;
    contents.push({
      role: "user",
      parts: answer.functionCalls.map((call) => ({ functionResponse: { id: call.id, name: call.name, response: { output: "sunny, noon" } } })),
    });
  }
  assert.ok(called > 0);
  assert.ok(answer.text);
  assert.ok(answer.usageMetadata.totalTokenCount > 0);
  const thought = await ask(streamed, {
    model,
    contents: "Think.",
    config: { thinkingConfig: { includeThoughts: true, thinkingBudget: 512 } },
  });
  assert.ok(thought.candidates[0].content.parts.some((part) => part.thought));
}
const report = await client.models.generateContent({
  model,
  contents: "Report.",
  config: {
    responseMimeType: "application/json",
    responseSchema: { type: Type.OBJECT, properties: { degrees: { type: Type.INTEGER } }, required: ["degrees"] },
  },
});
assert.equal(typeof JSON.parse(report.text).degrees, "number");
console.log("ok");
