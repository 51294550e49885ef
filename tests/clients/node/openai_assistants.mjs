// OpenAI's Node SDK: an assistant that calls a tool, polled and streamed. Argument: base URL.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [base] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${base}/v1`, apiKey: "x" });
const { assistants, threads } = client.beta;
const tools = [{ type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];
const thread = { messages: [{ role: "user", content: "What is the weather?" }] };

function outputs(run) {
  return run.required_action.submit_tool_outputs.tool_calls.map((call) => {
    JSON.parse(call.function.arguments);
    return { tool_call_id: call.id, output: "sunny" };
  });
}

async function polled(assistant_id) {
  let run = await threads.createAndRunPoll({ assistant_id, thread });
  assert.equal(run.status, "requires_action");
  const { thread_id } = run;
  run = await threads.runs.submitToolOutputsAndPoll(run.id, { thread_id, tool_outputs: outputs(run) });
  assert.equal(run.status, "completed");
  assert.ok(run.usage.total_tokens > 0);
  await threads.messages.create(thread_id, { role: "user", content: "And tomorrow?" });
  run = await threads.runs.createAndPoll(thread_id, { assistant_id, tool_choice: "none" });
  assert.equal(run.status, "completed");
  const roles = [];
  for await (const message of threads.messages.list(thread_id, { order: "asc", limit: 2 })) roles.push(message.role);
  assert.deepEqual(roles, ["user", "assistant", "user", "assistant"]);
  const steps = await threads.runs.steps.list(run.id, { thread_id });
  assert.equal(steps.data[0].type, "message_creation");
}

async function streamed(assistant_id) {
  const made = await threads.create(thread);
  const stream = threads.runs.stream(made.id, { assistant_id });
  let called = 0;
  stream.on("toolCallCreated", () => called++);
  const run = await stream.finalRun();
  assert.equal(run.status, "requires_action");
  assert.equal(called, 1);
  const events = [];
  let text = "";
  const rest = threads.runs
    .submitToolOutputsStream(run.id, { thread_id: made.id, tool_outputs: outputs(run) })
    .on("event", ({ event }) => events.push(event))
    .on("textDelta", (delta) => (text += delta.value))
    .on("textDone", (content) => assert.equal(content.value, text));
  const [message] = await rest.finalMessages();
  assert.equal((await rest.finalRun()).status, "completed");
  assert.equal(message.content[0].text.value, text);
  assert.equal(events.at(-1), "thread.run.completed");
  const whole = threads.createAndRunStream({ assistant_id, thread, tool_choice: "none" });
  await whole.finalRun();
  assert.ok((await whole.finalMessages())[0].content[0].text.value);
}

const assistant = await assistants.create({ model: "gpt-4o", tools });
await polled(assistant.id);
await streamed(assistant.id);
assert.ok((await assistants.delete(assistant.id)).deleted);
console.log("ok");
