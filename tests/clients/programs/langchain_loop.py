"""langchain: a tool loop to its end and a second one after it, plain and streamed. Arguments:
provider, base URL, and "thinking" for a model that thinks."""

import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

provider, base, *modes = sys.argv[1:]
thinks = "thinking" in modes


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool
def get_time(zone: str) -> str:
    """The time in a zone."""
    return f"noon in {zone}"


def model():
    if provider in ("openai", "responses"):
        from langchain_openai import ChatOpenAI

        asked = {"model": "gpt-5" if thinks else "gpt-4o", "base_url": f"{base}/v1", "api_key": "x"}
        if provider == "responses":
            reasoning = {"effort": "low", "summary": "auto"} if thinks else None
            stored = {"store": False, "include": ["reasoning.encrypted_content"]} if thinks else {}
            return ChatOpenAI(use_responses_api=True, reasoning=reasoning, **asked, **stored)
        effort = {"reasoning_effort": "low"} if thinks else {}
        return ChatOpenAI(stream_usage=True, **asked, **effort)
    if provider == "anthropic":
        from langchain_anthropic import ChatAnthropic

        thinking = {"type": "enabled", "budget_tokens": 1024} if thinks else None
        return ChatAnthropic(
            model="claude-sonnet-4-5",
            base_url=base,
            api_key="x",
            max_tokens=3000,
            thinking=thinking,
        )
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(
        model="gemini-3.1-pro-preview" if thinks else "gemini-2.5-flash",
        api_key="x",
        base_url=base,
        transport="rest",
        include_thoughts=thinks,
    )


tools = {one.name: one for one in (get_weather, get_time)}
bound = model().bind_tools(list(tools.values()))
for streamed in (False, True):
    messages = []
    for asked in ("What is the weather, and what time is it?", "And tomorrow?"):
        messages.append(HumanMessage(asked))
        called = 0
        for _ in range(5):
            if streamed:
                answer = None
                for chunk in bound.stream(messages):
                    answer = chunk if answer is None else answer + chunk
            else:
                answer = bound.invoke(messages)
            messages.append(answer)
            if not answer.tool_calls:
                break
            for call in answer.tool_calls:
                called += 1
                result = tools[call["name"]].invoke(call["args"])
                messages.append(ToolMessage(result, tool_call_id=call["id"]))
        assert called >= 1, messages
        assert not answer.tool_calls
        assert answer.text, answer
        assert answer.usage_metadata["total_tokens"] > 0, answer
print("ok")
