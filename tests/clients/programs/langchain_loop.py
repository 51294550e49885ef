"""langchain: a tool loop to its end, plain and streamed. Arguments: provider, base URL."""

import sys

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool

provider, base = sys.argv[1:]


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"sunny in {city}"


@tool
def get_time(zone: str) -> str:
    """The time in a zone."""
    return f"noon in {zone}"


def model():
    if provider == "openai":
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model="gpt-4o", base_url=f"{base}/v1", api_key="x", stream_usage=True)
    if provider == "responses":
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model="gpt-4o", base_url=f"{base}/v1", api_key="x", use_responses_api=True
        )
    if provider == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model="claude-sonnet-4-5", base_url=base, api_key="x", max_tokens=500)
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(
        model="gemini-2.5-flash",
        api_key="x",
        base_url=base,
        transport="rest",
    )


tools = {one.name: one for one in (get_weather, get_time)}
bound = model().bind_tools(list(tools.values()))
for streamed in (False, True):
    messages = [HumanMessage("What is the weather, and what time is it?")]
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
