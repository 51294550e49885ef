"""LangChain: its clients read the same variables."""

from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return "Sunny."


def test_a_tool_is_called(llmsim):
    llmsim.mock(response={"tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]})
    answer = ChatOpenAI(model="gpt-4o").bind_tools([weather]).invoke("How is it in Paris?")
    assert answer.tool_calls[0]["args"] == {"city": "Paris"}
    llmsim.assert_called(times=1, tool="weather")


def test_a_failure_is_tried_again(llmsim):
    llmsim.mock(response="Hello!")
    llmsim.fail_next(529)
    assert ChatAnthropic(model="claude-haiku-4-5").invoke("Hi").content == "Hello!"
    llmsim.assert_called(times=2, model="claude-*")
