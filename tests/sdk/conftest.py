"""Official clients of the session's server, which refuse what is not as they expect."""

from collections.abc import Iterator

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI


@pytest.fixture(scope="session")
def openai_client(server: str) -> Iterator[OpenAI]:
    """A client that checks every answer against its types and never tries again."""
    with OpenAI(
        base_url=f"{server}/v1",
        api_key="sk-test",
        max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False),
        _strict_response_validation=True,
    ) as client:
        yield client


@pytest.fixture
def openai_async(server: str) -> AsyncOpenAI:
    """The same for `async with`; each test has its own event loop."""
    return AsyncOpenAI(
        base_url=f"{server}/v1",
        api_key="sk-test",
        max_retries=0,
        http_client=DefaultAsyncHttpxClient(trust_env=False),
        _strict_response_validation=True,
    )
