"""litellm: a tool loop to its end and a second one after it, plain and streamed. Arguments:
provider, base URL, and "thinking" for a model that thinks."""

import json
import sys

import litellm

provider, base, *modes = sys.argv[1:]
thinks = "thinking" in modes
MODELS = {
    "openai": ("openai/gpt-4o", f"{base}/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", base),
    "gemini": ("gemini/gemini-2.5-flash", f"{base}/v1beta"),
}
THINKING = {
    "openai": ("openai/gpt-5", f"{base}/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", base),
    "gemini": ("gemini/gemini-3.1-pro-preview", f"{base}/v1beta"),
    "deepseek": ("deepseek/deepseek-chat", f"{base}/v1"),
}
SETTINGS = {
    "deepseek": {"extra_body": {"thinking": {"type": "enabled"}}},
    "anthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
}
model, api_base = (THINKING if thinks else MODELS)[provider]
settings = SETTINGS.get(provider, {"reasoning_effort": "low"}) if thinks else {}
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
    messages = []
    for asked in ("What is the weather, and what time is it?", "And tomorrow?"):
        messages.append({"role": "user", "content": asked})
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
                **settings,
            )
            if streamed:
                answer = litellm.stream_chunk_builder(list(answer), messages=messages)
            message = answer.choices[0].message
            sent = message.model_dump(exclude_none=True)
            if provider in ("openai", "deepseek"):  # which has no such field
                sent.pop("provider_specific_fields", None)
            messages.append(sent)
            if not message.tool_calls:
                break
            for call in message.tool_calls:
                called += 1
                json.loads(call.function.arguments)
                result = {"role": "tool", "tool_call_id": call.id, "content": "sunny, noon"}
                messages.append(result)
        assert called >= 1, messages
        assert not message.tool_calls
        assert message.content, message
        assert answer.usage.total_tokens > 0, answer
print("ok")
