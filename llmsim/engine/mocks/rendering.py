"""Responses with their templates filled in from a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from llmsim.core.codec import dumps
from llmsim.core.errors import Failure, FailureKind
from llmsim.core.mocks import body_path, template
from llmsim.core.mocks.finishes import FINISHES, SPEECHLESS
from llmsim.core.mocks.regex import compiled
from llmsim.core.mocks.response import MockArguments, MockError, MockResponse
from llmsim.core.mocks.template import Placeholder
from llmsim.core.value import Value
from llmsim.engine.faults.injection import failure, of_status
from llmsim.engine.mocks.matcher import as_text
from llmsim.engine.mocks.rendered import RenderedMock
from llmsim.engine.mocks.text_search import SEARCHED
from llmsim.engine.mocks.view import MISSING, View

LONGEST_VALUE = 100_000
"""Characters of one value that is put in; the rest of it is left out."""
LONGEST = 1_000_000
"""Characters of a filled-in text."""

Filler: TypeAlias = Callable[[str], str]


class Occasion(Value, frozen=True, gc=False):
    """What a response is made from: the request, its seed, how often the rule was used with this
    one, and the regular expressions that matched, as places and patterns."""

    view: View
    seed: int
    count: int
    regexes: tuple[tuple[Any, str], ...] = ()

    def fill(self, text: str) -> str:
        """The text with its places filled in."""
        parts = template.parsed(text)
        if len(parts) == 1 and isinstance(parts[0], str):
            return parts[0]
        made: list[str] = []
        left = LONGEST
        for part in parts:
            value = part if isinstance(part, str) else self._value(part)[:LONGEST_VALUE]
            made.append(value[:left])
            left -= len(made[-1])
        return "".join(made)

    def _value(self, value: Placeholder) -> str:
        view = self.view
        match value.name:
            case "body":
                found = () if view.json is MISSING else view.json
                return ", ".join(map(as_text, body_path.found(found, body_path.parsed(value.of))))
            case "headers":
                return view.header(value.of) or ""
            case "match":
                return self._group(value.of)
        return _VALUES[value.name](self)

    def _group(self, name: str) -> str:
        """A group of the first regular expression; of no characters where it took no part."""
        for where, regex in self.regexes[:1]:
            pattern = compiled(regex)
            for text in self.view.texts(where):
                found = pattern.search(text[:SEARCHED].encode(errors="replace"))
                if found:
                    group = found.group(int(name) if name.isdigit() else name)
                    return group.decode(errors="replace") if group else ""
        return ""


_VALUES: dict[str, Callable[[Occasion], str]] = {
    "last_user_message": lambda occasion: "".join(occasion.view.texts("content")),
    "system": lambda occasion: "\n".join(occasion.view.texts("system")),
    "tool_result": lambda occasion: "\n".join(occasion.view.texts("tool_result")),
    "model": lambda occasion: occasion.view.request.model,
    "endpoint": lambda occasion: occasion.view.endpoint,
    "dialect": lambda occasion: occasion.view.dialect,
    "turn": lambda occasion: str(occasion.view.turn),
    "seed": lambda occasion: str(occasion.seed),
    "count": lambda occasion: str(occasion.count),
}


def rendered(speech: MockResponse, occasion: Occasion) -> RenderedMock:
    """The response on that occasion, where that is no error."""
    fill = occasion.fill
    finish = speech.finish_reason
    content = _filled(speech.content, fill)
    if not speech.has_answer and (finish in SPEECHLESS or speech.block_reason is not None):
        content = ""
    return RenderedMock(
        content,
        tuple((fill(call.name), arguments(call.arguments, fill)) for call in speech.tool_calls),
        _filled(speech.refusal, fill),
        _filled(speech.reasoning, fill),
        None if finish is None else FINISHES[finish],
        speech.usage,
        finish,
        speech.block_reason,
    )


def mock_failure(error: MockError, occasion: Occasion) -> Failure:
    """The failure on that occasion."""
    after = error.after or 0.0
    if error.kind is not None:
        made = failure(FailureKind(error.kind), error.status, after=after)
    else:
        assert error.status is not None  # the configuration wants one of them
        made = of_status(error.status, after=after)
    return Failure(
        made.kind,
        _filled(error.message, occasion.fill) or made.message,
        _filled(error.param, occasion.fill),
        _filled(error.code, occasion.fill),
        made.retry_after if error.retry_after is None else error.retry_after,
        made.status,
        injected=True,
        after=after,
    )


def arguments(configured: MockArguments, fill: Filler) -> str:
    """A call's arguments. In a mapping each text is filled in by itself, so what is put in stays
    inside its string."""
    if configured.free:
        return fill(configured.text)
    if "{{" not in configured.text:
        return configured.text
    return dumps(_deep(orjson.loads(configured.text), fill)).decode()


def _deep(value: Any, fill: Filler) -> Any:
    if isinstance(value, str):
        # A lone surrogate, which JSON can escape, has no bytes of its own.
        return fill(value).encode(errors="replace").decode()
    if isinstance(value, list):
        return [_deep(item, fill) for item in value]
    if isinstance(value, dict):
        return {name: _deep(item, fill) for name, item in value.items()}
    return value


def _filled(text: str | None, fill: Filler) -> str | None:
    return None if text is None else fill(text)
