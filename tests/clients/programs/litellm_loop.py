"""litellm: a tool loop to its end, plain and streamed. Arguments: provider, base URL."""

import json
import sys

import litellm

provider, base = sys.argv[1:]
MODELS = {
    "openai": ("openai/gpt-4o", f"{base}/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", base),
    "gemini": ("gemini/gemini-2.5-flash", f"{base}/v1beta"),
}
model, api_base = MODELS[provider]
tools = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"The {argument}.",
            "parameters": {
                "type": "object",
                "properties": {argument: {"type": "string"}},
                "required": [argument],
            },
        },
    }
    for name, argument in (("get_weather", "city"), ("get_time", "zone"))
]

for streamed in (False, True):
    messages = [{"role": "user", "content": "What is the weather, and what time is it?"}]
    called = 0
    for _ in range(5):
        answer = litellm.completion(
            model=model,
            api_base=api_base,
            api_key="x",
            messages=messages,
            tools=tools,
            stream=streamed,
            stream_options={"include_usage": True} if streamed else None,
            max_tokens=8000,
        )
        if streamed:
            answer = litellm.stream_chunk_builder(list(answer), messages=messages)
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            called += 1
            json.loads(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny, noon"})
    assert called >= 1, messages
    assert not message.tool_calls
    assert message.content, message
    assert answer.usage.total_tokens > 0, answer
print("ok")
