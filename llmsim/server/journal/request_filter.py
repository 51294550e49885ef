"""Which requests of the journal somebody asks for: the query of ``GET /llmsim/requests``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from llmsim.core.codec import dumps
from llmsim.core.errors import FailureKind
from llmsim.core.scopes import name_of
from llmsim.core.spelling import did_you_mean
from llmsim.server.journal.request_object import marker
from llmsim.state.shm.journal import JournalEntry, slot_of
from llmsim.state.shm.request_details import decoded

MAX_LIMIT: Final = 1000
KINDS: Final = tuple(kind.value for kind in FailureKind)
TRACE_DIGITS: Final = 32
"""Of the trace id in a traceparent."""
_SPAN: Final = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d)?", re.ASCII)
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_STATUS: Final = re.compile(r"[1-5](\d\d|xx)", re.ASCII)

Check = Callable[[JournalEntry], bool]


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What to look for. Those of ``quick`` look at the record alone, those of ``thorough`` at body
    and details. ``since`` is a Unix time; ``contents`` asks for whole requests."""

    quick: tuple[Check, ...] = ()
    thorough: tuple[Check, ...] = ()
    since: float = 0.0
    limit: int = 20
    contents: bool = False
    cursor: str = ""

    def wants(self, entry: JournalEntry) -> bool:
        """Whether the request is meant, as far as its record says."""
        return entry.arrived >= self.since and all(check(entry) for check in self.quick)

    def finds(self, entry: JournalEntry) -> bool:
        """Whether it is meant, as far as body and details say."""
        return all(check(entry) for check in self.thorough)


def parse(query: Mapping[str, str]) -> RequestFilter:
    """The filter that a query asks for. Raises ValueError, naming the parameter at fault."""
    quick: list[Check] = []
    thorough: list[Check] = []
    values = dict(query)
    for name in query:
        if name in _QUICK:
            quick.append(_QUICK[name](values.pop(name)))
        elif name in _THOROUGH:
            thorough.append(_THOROUGH[name](values.pop(name)))
    since = moment("since", values.pop("since", "0"))
    limit = whole_number("limit", values.pop("limit", "20"), 1, MAX_LIMIT)
    contents = _switch("contents", values.pop("contents", "false"))
    cursor = values.pop("cursor", "")
    for name in values:
        hint = did_you_mean(name, PARAMETERS)
        raise ValueError(f"{name}: unknown parameter{hint}; valid are {', '.join(PARAMETERS)}")
    return RequestFilter(tuple(quick), tuple(thorough), since, limit, contents, cursor)


def whole_number(name: str, text: str, low: int, high: int) -> int:
    """A whole number of a query. Raises ValueError for anything else."""
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not digits or not low <= int(text) <= high:
        raise ValueError(f"{name}: must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _endpoint(pattern: str) -> Check:
    return lambda entry: fnmatchcase(entry.endpoint, pattern)


def _model(pattern: str) -> Check:
    return lambda entry: fnmatchcase(entry.model, pattern)


def _mock(pattern: str) -> Check:
    return lambda entry: fnmatchcase(entry.mock, pattern)


def _scope(pattern: str) -> Check:
    return lambda entry: fnmatchcase(name_of(entry.scope), pattern)


def of_scope(label: str) -> Check:
    """Requests in the scope of that label."""
    return lambda entry: entry.scope == label


def _streamed(text: str) -> Check:
    streamed = _switch("stream", text)
    return lambda entry: entry.streamed is streamed


def _status(text: str) -> Check:
    wanted = text.split(",")
    for one in wanted:
        if one not in ("open", "error") and not _STATUS.fullmatch(one):
            raise ValueError(f"status: must be a status, 4xx, 5xx, error or open, not {one!r}")

    def check(entry: JournalEntry) -> bool:
        status = entry.status if entry.end is not None else 0
        kinds = ("open",) if not status else (str(status), f"{status // 100}xx")
        return any(one in kinds for one in wanted) or (
            "error" in wanted and entry.failure is not None
        )

    return check


def _kind(text: str) -> Check:
    if text not in KINDS:
        raise ValueError(f"kind: must be one of {', '.join(KINDS)}, not {text!r}")
    return lambda entry: entry.failure is not None and entry.failure.value == text


def _switch(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{name}: must be true or false, not {text!r}")
    return text == "true"


def _of_key(pattern: str) -> Check:
    def check(entry: JournalEntry) -> bool:
        details = decoded(entry.details)
        return details is not None and fnmatchcase(details.key, pattern)

    return check


def _containing(text: str) -> Check:
    """What is in body or answer as it is, or as JSON writes it."""
    needles = {text.encode(errors="surrogatepass"), dumps(text)[1:-1]}

    def check(entry: JournalEntry) -> bool:
        if any(needle in entry.body for needle in needles):
            return True
        details = decoded(entry.details)
        return details is not None and any(needle in details.answer for needle in needles)

    return check


def _id(text: str) -> Check:
    """llmsim's own id, or one that the client sent: in ``x-request-id``, ``traceparent``, or in
    the request's text."""
    found = slot_of(text)
    mark = "" if found is None else found[1]

    def check(entry: JournalEntry) -> bool:
        trace = len(text) >= TRACE_DIGITS and text in entry.traceparent
        return mark == entry.mark or text == entry.request_id or trace or text == marker(entry.body)

    return check


def moment(name: str, text: str) -> float:
    """A Unix time, or how long ago: ``90s``, ``5m``, ``2h``. Raises ValueError, which names the
    parameter."""
    span = _SPAN.fullmatch(text)
    if span is None:
        raise ValueError(f"{name}: must be a Unix time, or such as 90s, 5m or 2h, not {text!r}")
    number, unit = float(span[1]), span[2]
    return number if unit is None else time.time() - number * _SECONDS[unit]


_QUICK: Final[Mapping[str, Callable[[str], Check]]] = {
    "endpoint": _endpoint,
    "model": _model,
    "mock": _mock,
    "scope": _scope,
    "status": _status,
    "kind": _kind,
    "stream": _streamed,
}
_THOROUGH: Final[Mapping[str, Callable[[str], Check]]] = {
    "key": _of_key,
    "contains": _containing,
    "id": _id,
}
PARAMETERS: Final = (*_QUICK, *_THOROUGH, "since", "limit", "contents", "cursor")
