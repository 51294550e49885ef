"""pydantic-ai: an agent with two tools and structured output. Arguments: provider, base URL."""

import asyncio
import sys

from pydantic import BaseModel
from pydantic_ai import Agent

provider, base = sys.argv[1:]


class Report(BaseModel):
    summary: str
    degrees: int


def model():
    if provider in ("openai", "responses"):
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        kind = OpenAIChatModel if provider == "openai" else OpenAIResponsesModel
        return kind("gpt-4o", provider=OpenAIProvider(base_url=f"{base}/v1", api_key="x"))
    if provider == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(
            "claude-sonnet-4-5", provider=AnthropicProvider(base_url=base, api_key="x")
        )
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel("gemini-2.5-flash", provider=GoogleProvider(base_url=base, api_key="x"))


def agent(output):
    made = Agent(model(), output_type=output)
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
    reporter = agent(Report)
    result = await reporter.run("Report the weather.")
    assert isinstance(result.output, Report), result
    streamer = agent(str)
    async with streamer.run_stream("What time is it?") as streamed:
        text = await streamed.get_output()
    assert text, streamed
    assert streamer.called


asyncio.run(main())
print("ok")
