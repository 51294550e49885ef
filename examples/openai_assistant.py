"""An assistant that calls a tool, with OpenAI's SDK: `python examples/openai_assistant.py`."""

import warnings

from openai import OpenAI

warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's, for all of these methods
client = OpenAI(base_url="http://localhost:8080/v1", api_key="anything")
weather = {
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
assistant = client.beta.assistants.create(
    model="gpt-4o",
    instructions="Be brief.",
    tools=[{"type": "function", "function": weather}],
)
run = client.beta.threads.create_and_run_poll(
    assistant_id=assistant.id,
    thread={"messages": [{"role": "user", "content": "What is the weather in Oslo?"}]},
)
print(run.status)
calls = run.required_action.submit_tool_outputs.tool_calls
run = client.beta.threads.runs.submit_tool_outputs_and_poll(
    run_id=run.id,
    thread_id=run.thread_id,
    tool_outputs=[{"tool_call_id": call.id, "output": "sunny"} for call in calls],
)
print(run.status, run.usage.total_tokens)
for message in client.beta.threads.messages.list(run.thread_id, order="asc"):
    print(f"{message.role}: {message.content[0].text.value}")
