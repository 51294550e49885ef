// OpenAI's Node SDK: an agent loop with two tools, plain and streamed. Arguments: API, base URL.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [api, base] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "x" });
const schemas = {
  get_weather: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
  get_time: { type: "object", properties: { zone: { type: "string" } }, required: ["zone"], additionalProperties: false },
};

async function chat(streamed) {
  const tools = Object.entries(schemas).map(([name, parameters]) => ({ type: "function", function: { name, parameters } }));
  const messages = [{ role: "user", content: "What is the weather, and what time is it?" }];
  let called = 0;
  for (let turn = 0; turn < 5; turn++) {
    const request = { model: "gpt-4o", messages, tools };
    const answer = streamed
      ? await client.chat.completions.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion()
      : await client.chat.completions.create(request);
    assert.ok(answer.usage.total_tokens > 0);
    const message = answer.choices[0].message;
    messages.push(message);
    if (!message.tool_calls?.length) {
      assert.ok(message.content);
      assert.ok(called > 0);
      return;
    }
    for (const call of message.tool_calls) {
      called++;
      JSON.parse(call.function.arguments);
      messages.push({ role: "tool", tool_call_id: call.id, content: "sunny, noon" });
    }
  }
  assert.fail("the loop did not end");
}

async function responses(streamed) {
  const tools = Object.entries(schemas).map(([name, parameters]) => ({ type: "function", name, parameters, strict: true }));
  let input = "What is the weather, and what time is it?";
  let previous;
  let called = 0;
  for (let turn = 0; turn < 5; turn++) {
    const request = { model: "gpt-4o", input, tools, previous_response_id: previous };
    const answer = streamed
      ? await client.responses.stream(request).finalResponse()
      : await client.responses.create(request);
    assert.equal(answer.status, "completed");
    const calls = answer.output.filter((item) => item.type === "function_call");
    if (!calls.length) {
      assert.ok(answer.output_text);
      assert.ok(called > 0);
      return;
    }
    called += calls.length;
    for (const call of calls) JSON.parse(call.arguments);
    previous = answer.id;
    input = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: "sunny, noon" }));
  }
  assert.fail("the loop did not end");
}

for (const streamed of [false, true]) await (api === "responses" ? responses : chat)(streamed);
console.log("ok");
