"""pydantic-ai: an agent with two tools and structured output, asked twice. Arguments: provider,
base URL, and "thinking" for a model that thinks."""

import asyncio
import sys

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput

provider, base, *modes = sys.argv[1:]
thinks = "thinking" in modes


class Report(BaseModel):
    summary: str
    degrees: int


def model():
    if provider in ("openai", "responses"):
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        kind = OpenAIChatModel if provider == "openai" else OpenAIResponsesModel
        name = "gpt-5" if thinks else "gpt-4o"
        return kind(name, provider=OpenAIProvider(base_url=f"{base}/v1", api_key="x"))
    if provider == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(
            "claude-sonnet-4-5", provider=AnthropicProvider(base_url=base, api_key="x")
        )
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    name = "gemini-3.1-pro-preview" if thinks else "gemini-2.5-flash"
    return GoogleModel(name, provider=GoogleProvider(base_url=base, api_key="x"))


SETTINGS = {
    "openai": {"openai_reasoning_effort": "low"},
    "responses": {"openai_reasoning_effort": "low", "openai_reasoning_summary": "auto"},
    "anthropic": {
        "anthropic_thinking": {"type": "enabled", "budget_tokens": 1024},
        "max_tokens": 3000,
    },
    "gemini": {"google_thinking_config": {"include_thoughts": True}},
}


def agent(output):
    made = Agent(model(), output_type=output, model_settings=SETTINGS[provider] if thinks else None)
    made.called = []

    @made.tool_plain
    def get_weather(city: str) -> str:
        made.called.append("get_weather")
        return f"sunny in {city}"

    @made.tool_plain
    def get_time(zone: str) -> str:
        made.called.append("get_time")
        return f"noon in {zone}"

    return made


async def main():
    talker = agent(str)
    result = await talker.run("What is the weather?")
    assert talker.called, result
    assert result.output
    assert result.usage.output_tokens > 0
    talker.called.clear()
    again = await talker.run("And tomorrow?", message_history=result.all_messages())
    assert talker.called, again
    assert again.output
    # Anthropic lets no model think that must call a tool, as structured output has it do.
    reporter = agent(Report if not thinks or provider != "anthropic" else NativeOutput(Report))
    result = await reporter.run("Report the weather.")
    assert isinstance(result.output, Report), result
    streamer = agent(str)
    async with streamer.run_stream("What time is it?") as streamed:
        text = await streamed.get_output()
        messages = streamed.all_messages()
    assert text, streamed
    assert streamer.called
    async with streamer.run_stream("And now?", message_history=messages) as streamed:
        assert await streamed.get_output()


asyncio.run(main())
print("ok")
