"""What a test makes of the server, and asks it: the fixture ``llmsim``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Final

from llmsim.testing.addresses import Addresses
from llmsim.testing.calls import Calls
from llmsim.testing.client import ControlClient
from llmsim.testing.received_request import ReceivedRequest

MISS: Final = "on_miss"
"""The part of the configuration that lets requests fail which nothing answers."""


class Simulator:
    """A server, or a scope of it, that one test has for itself.

    Mocks, latencies and limits are in the configuration's own words; what is wrong with them raises
    ControlError, with the configuration's own message.
    """

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self.client: ControlClient = addresses.client()
        """Its control API, for everything that has no method here."""
        self._numbers = count(1)

    # Where it is

    @property
    def url(self) -> str:
        """The address."""
        return self._addresses.url

    @property
    def openai_url(self) -> str:
        """The base URL of OpenAI's SDKs."""
        return self._addresses.openai_url

    @property
    def anthropic_url(self) -> str:
        """The base URL of Anthropic's SDKs."""
        return self._addresses.anthropic_url

    @property
    def gemini_url(self) -> str:
        """The base URL of Google's SDKs."""
        return self._addresses.gemini_url

    def env(self) -> dict[str, str]:
        """The environment variables that lead there, for a process of its own."""
        return self._addresses.env()

    # What it does

    def mock(
        self,
        match: Mapping[str, Any] | None = None,
        response: Mapping[str, Any] | str | None = None,
        *,
        responses: Sequence[Mapping[str, Any] | str] = (),
        times: int | None = None,
        name: str | None = None,
        priority: int = 0,
        on_exhausted: str | None = None,
    ) -> str:
        """Answer requests that match, before all mocks that were set earlier; gives its name.

        Without ``match`` every request does. A response that is a text is its ``content``;
        ``responses`` are used in turn; after ``times`` uses the next mock has its turn.
        """
        name = name or f"mock-{next(self._numbers)}"
        mock: dict[str, Any] = {"name": name, "match": match, "times": times, "priority": priority}
        if response is not None:
            mock["response"] = _response(response)
        if responses:
            mock["responses"] = [_response(one) for one in responses]
        mock["on_exhausted"] = on_exhausted
        self.client.add_mock({key: value for key, value in mock.items() if value is not None})
        return name

    def fail_next(
        self,
        status: int = 500,
        times: int = 1,
        *,
        match: Mapping[str, Any] | None = None,
        message: str | None = None,
        retry_after_ms: float = 1,
    ) -> str:
        """Let the next requests fail with that status, before any mock; gives the name of the mock
        that does so. SDKs that try again wait as long as ``retry_after_ms`` says."""
        error = {"status": status, "message": message, "retry_after_ms": retry_after_ms}
        error = {key: value for key, value in error.items() if value is not None}
        name = f"fail-{next(self._numbers)}"
        return self.mock(match, {"error": error}, times=times, name=name, priority=1_000_000)

    def latency(self, profile: str | None = None, **settings: Any) -> None:
        """How long answers take: a profile, or keys of the section ``latency``."""
        section = {**settings, **({} if profile is None else {"profile": profile})}
        self.client.replace("latency", section)

    def limits(self, *rules: Mapping[str, Any], **rule: Any) -> None:
        """Limit the requests from now on: rules of ``rate_limits``, or the keys of one."""
        self.client.replace("rate_limits", [*map(dict, rules), *([rule] if rule else [])])

    def configure(self, **sections: Any) -> None:
        """Merge values into any sections of the configuration."""
        self.client.patch(sections)

    def forget(self) -> None:
        """Forget all that was set and sent, as before each test."""
        self.client.forget()

    # What it was sent

    @property
    def requests(self) -> list[ReceivedRequest]:
        """What it was sent in this test, oldest first."""
        return self.client.requests()

    @property
    def unmatched(self) -> list[ReceivedRequest]:
        """The requests that neither a mock nor a recording answered: those that got 404, where
        ``on_miss`` is ``fail``. What failed for another reason is not among them."""
        return [
            one
            for one in self.requests
            if one.rule == MISS
            or (one.error is None and one.mock is None and one.recording is None)
        ]

    def assert_called(
        self,
        times: int | None = None,
        *,
        model: str | None = None,
        contains: str | None = None,
        tool: str | None = None,
    ) -> list[ReceivedRequest]:
        """Fail unless there were ``times`` such requests, or any if that is None; gives them.

        ``model`` is a name or a pattern such as ``gpt-*``, ``contains`` a part of what was said,
        ``tool`` the name of a tool that was offered or called.
        """
        __tracebackhide__ = True
        calls = Calls(self.requests, model, contains, tool)
        if calls.wrong(times):
            raise AssertionError(calls.message(times))
        return calls.found

    def assert_not_called(
        self, *, model: str | None = None, contains: str | None = None, tool: str | None = None
    ) -> None:
        """Fail if there was such a request."""
        __tracebackhide__ = True
        calls = Calls(self.requests, model, contains, tool)
        if calls.found:
            raise AssertionError(calls.message(0))


def _response(response: Mapping[str, Any] | str) -> dict[str, Any]:
    return {"content": response} if isinstance(response, str) else dict(response)
