"""openai-agents: an agent with two tools, plain and streamed. Arguments: API (openai for chat
completions, or responses), base URL, and "thinking" for a model that thinks."""

import asyncio
import sys

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from openai.types.shared import Reasoning
from pydantic import BaseModel

api, base, *modes = sys.argv[1:]
thinks = "thinking" in modes
set_tracing_disabled(True)
client = AsyncOpenAI(base_url=f"{base}/v1", api_key="x")
kind = OpenAIChatCompletionsModel if api == "openai" else OpenAIResponsesModel
called = []


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    called.append("get_weather")
    return f"sunny in {city}"


@function_tool
def get_time(zone: str) -> str:
    """The time in a zone."""
    called.append("get_time")
    return f"noon in {zone}"


summary = "auto" if api == "responses" else None


class Report(BaseModel):
    summary: str
    degrees: int


def agent(output=None, choice=None):
    return Agent(
        name="reporter",
        instructions="Report.",
        model=kind(model="gpt-5" if thinks else "gpt-4o", openai_client=client),
        tools=[get_weather, get_time],
        output_type=output,
        model_settings=ModelSettings(
            tool_choice=choice,
            include_usage=True,
            reasoning=Reasoning(effort="low", summary=summary) if thinks else None,
        ),
    )


async def main():
    for choice in (None, "required"):
        called.clear()
        result = await Runner.run(agent(choice=choice), "What is the weather?", max_turns=6)
        assert called, result
        assert result.final_output, result
        called.clear()
        history = [*result.to_input_list(), {"role": "user", "content": "And tomorrow?"}]
        result = await Runner.run(agent(choice=choice), history, max_turns=6)
        assert called, result
        called.clear()
        streamed = Runner.run_streamed(agent(choice=choice), "What time is it?", max_turns=6)
        kinds = {event.type async for event in streamed.stream_events()}
        assert called
        assert streamed.final_output
        assert "raw_response_event" in kinds, kinds
    result = await Runner.run(agent(Report), "Report the weather.", max_turns=6)
    assert isinstance(result.final_output, Report), result
    assert result.context_wrapper.usage.total_tokens > 0


asyncio.run(main())
print("ok")
