"""pydantic-ai: an agent with a tool, turn by turn."""

from pydantic_ai import Agent


def test_an_agent_uses_its_tool(llmsim):
    call = {"tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]}
    llmsim.mock(responses=[call, "It is sunny in Paris."])
    agent = Agent("openai-chat:gpt-4o")

    @agent.tool_plain
    def weather(city: str) -> str:
        return f"{city}: sunny"

    assert agent.run_sync("How is it in Paris?").output == "It is sunny in Paris."
    first, second = llmsim.requests
    assert first.tools == ["weather"]
    assert "Paris: sunny" in second.text
