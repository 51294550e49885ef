"""Which requests a test means, and what to say when they were not those it expected."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from typing import Final

from llmsim.testing.received_request import ReceivedRequest

SHOWN: Final = 10
"""Requests that a message lists at most."""

TEXT: Final = 200
"""Characters of a request's text that a message shows."""


class Calls:
    """The requests among ``requests`` that are meant: ``found``."""

    def __init__(
        self,
        requests: Sequence[ReceivedRequest],
        model: str | None,
        contains: str | None,
        tool: str | None,
    ) -> None:
        self._requests = requests
        self._model = model
        self._contains = contains
        self._tool = tool
        self.found = [one for one in requests if not self._differences(one)]

    def wrong(self, times: int | None) -> bool:
        """Whether there are not as many as expected; None expects any."""
        return not self.found if times is None else len(self.found) != times

    def message(self, times: int | None) -> str:
        """What was expected, what there was, and what the nearest request lacks."""
        expected = {None: "at least one request", 0: "no request", 1: "1 request"}
        wanted = expected.get(times, f"{times} requests")
        lines = [f"expected {wanted}{self._described()}, got {len(self.found)}"]
        if not self._requests:
            return f"{lines[0]}: there was no request at all"
        missed = [one for one in self._requests if one not in self.found]
        if missed and times != 0:
            nearest = min(missed, key=self._distance)
            lines.append(f"nearest: {nearest!r}")
            lines += [f"  {difference}" for difference in self._differences(nearest)]
        lines.append(f"all {len(self._requests)} requests, newest last:")
        lines += [f"  {one!r}" for one in self._requests[-SHOWN:]]
        return "\n".join(lines)

    def _described(self) -> str:
        wanted = (("model", self._model), ("contains", self._contains), ("tool", self._tool))
        parts = [f"{name}={value!r}" for name, value in wanted if value is not None]
        return f" with {', '.join(parts)}" if parts else ""

    def _differences(self, request: ReceivedRequest) -> list[str]:
        """What a request is not that is meant, a line each."""
        found = []
        if self._model is not None and not fnmatchcase(request.model, self._model):
            found.append(f"its model is {request.model!r}")
        if self._contains is not None and self._contains not in request.text:
            found.append(f"its text is {request.text[-TEXT:]!r}")
        if self._tool is not None and self._tool not in (*request.tools, *request.called_tools):
            found.append(f"its tools are {request.tools or 'none'}")
        return found

    def _distance(self, request: ReceivedRequest) -> float:
        """How far a request is from those that are meant."""
        likeness = 0.0
        if self._contains is not None:
            text = request.text[-10 * TEXT :]
            likeness = SequenceMatcher(None, self._contains, text).ratio()
        return len(self._differences(request)) - likeness / 2
