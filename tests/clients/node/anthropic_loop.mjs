// Anthropic's Node SDK: a tool loop, thinking, plain and streamed. Argument: base URL.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";

const [base] = process.argv.slice(2);
const client = new Anthropic({ baseURL: base, apiKey: "x" });
const model = "claude-sonnet-4-5";
const tools = [
  { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
  { name: "get_time", input_schema: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"] } },
];

for (const streamed of [false, true]) {
  const ask = (request) =>
    streamed ? client.messages.stream(request).finalMessage() : client.messages.create(request);
  const messages = [{ role: "user", content: "What is the weather, and what time is it?" }];
  let called = 0;
  let answer;
  for (let turn = 0; turn < 5; turn++) {
    answer = await ask({ model, max_tokens: 500, messages, tools });
    messages.push({ role: "assistant", content: answer.content });
    if (answer.stop_reason !== "tool_use") break;
    const calls = answer.content.filter((block) => block.type === "tool_use");
    called += calls.length;
    for (const call of calls) assert.equal(typeof call.input, "object");
    messages.push({
      role: "user",
      content: calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "sunny, noon" })),
    });
  }
  assert.ok(called > 0);
  assert.equal(answer.stop_reason, "end_turn");
  const thought = await ask({
    model,
    max_tokens: 3000,
    thinking: { type: "enabled", budget_tokens: 1024 },
    messages: [{ role: "user", content: "Think." }],
  });
  assert.equal(thought.content[0].type, "thinking");
  assert.ok(thought.content[0].signature);
  assert.equal(thought.content.at(-1).type, "text");
}
const counted = await client.messages.countTokens({ model, messages: [{ role: "user", content: "Count." }] });
assert.ok(counted.input_tokens > 0);
console.log("ok");
