"""OpenAI Agents: a loop over the Responses API."""

from agents import Agent, Runner, function_tool, set_tracing_disabled


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: sunny"


def test_an_agent_uses_its_tool(llmsim):
    set_tracing_disabled(True)  # it would send what happened to the real service
    call = {"tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]}
    llmsim.mock(responses=[call, "It is sunny in Paris."])
    agent = Agent(name="guide", model="gpt-5", tools=[weather])
    assert Runner.run_sync(agent, "How is it in Paris?").final_output == "It is sunny in Paris."
    llmsim.assert_called(times=2, model="gpt-5", tool="weather")
