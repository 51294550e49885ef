"""pytest-asyncio: the fixtures are the same."""

import pytest
from openai import AsyncOpenAI


@pytest.mark.asyncio
async def test_a_stream(llmsim):
    llmsim.mock(response="One, two, three.")
    client = AsyncOpenAI()
    stream = await client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Count."}], stream=True
    )
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(pieces) == "One, two, three."
    llmsim.assert_called(times=1, contains="Count")
