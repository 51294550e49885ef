"""Calls of the tools that a provider runs itself, with what comes of them.

Pages and files are made up, code prints what it would print. A call takes no time of its own.
"""

from __future__ import annotations

import re
from typing import Final

import orjson
from msgspec import structs

from llmsim.core import (
    Citation,
    HostedCallSegment,
    Message,
    Request,
    Segment,
    Source,
    TextSegment,
    Tool,
)
from llmsim.core.conversation import results
from llmsim.engine import painting
from llmsim.engine.seeds import fraction, mix
from llmsim.engine.text import pool
from llmsim.engine.tokens.tokenizer import Tokenizer

FOUND: Final = 3
"""How many sources a search finds."""
EXCERPT: Final = 40
"""Tokens of what a source says."""
WORDS: Final = 8
"""Words of the user's message that are searched for."""
VARIETY: Final = 8
"""Different pictures, so that most are at hand."""
CITED: Final = ("web_search", "file_search")
"""The tools whose sources texts cite by themselves."""
SITES: Final = ("www.example.com", "docs.example.org", "news.example.net")
EXTENSIONS: Final = ("pdf", "md", "txt")

_WORD = re.compile(r"\w[\w'-]*")
_URL = re.compile(r"https?://[^\s<>\"')\]]+")
_SENTENCE = re.compile(r"[^.!?]+[.!?]?")


def chosen(request: Request, rate: float, seed: int) -> Tool | None:
    """The tool that the provider is to run now; None for none of them.

    They are called in answer to the user, before anything else is said. A model that must call a
    tool calls the client's where there are any.
    """
    names, mode = request.choice.names, request.choice.mode
    allowed = [tool for tool in request.tools if not names or tool.name in names]
    hosted = [tool for tool in allowed if tool.hosted is not None]
    if not hosted or mode == "none":
        return None
    if mode == "required" and len(hosted) < len(allowed):
        return None
    if mode == "auto" and (results(request.messages) or fraction(seed, 60) >= rate):
        return None
    return hosted[mix(seed, 61) % len(hosted)]


def run(tool: Tool, request: Request, seed: int, tokenizer: Tokenizer) -> HostedCallSegment:
    """A call of ``tool`` about what the user last said, and what comes of it. Raises BadRequest for
    a picture where Pillow is not installed."""
    return called(tool, _subject(tool, request, seed), request, seed, tokenizer)


def called(
    tool: Tool, subject: str, request: Request, seed: int, tokenizer: Tokenizer
) -> HostedCallSegment:
    """A call of ``tool`` for a query, a URL or whatever else it takes, and what comes of it."""
    argument = next(iter(_properties(tool)), None)
    text = subject if argument is None else orjson.dumps({argument: subject}).decode()
    generated = tokenizer.text(text, pieces=request.stream)
    call = HostedCallSegment(tool, subject, generated)
    sources: tuple[Source, ...] = ()
    output = ""
    match tool.hosted:
        case "web_search":
            sources = tuple(_page(subject, index, seed) for index in range(FOUND))
        case "web_fetch":
            sources = (Source(_title(subject), pool("random").passage(seed, EXCERPT), subject),)
        case "file_search":
            sources = tuple(_file(subject, index, seed) for index in range(FOUND))
        case "code":
            output = f"{sum(range(_last(seed)))}\n"
        case "image":
            return structs.replace(call, versions=_versions(tool, seed))
        case "mcp":
            output = pool("random").passage(seed, EXCERPT)
    found = "".join([source.text for source in sources]) + output
    return structs.replace(
        call, sources=sources, output=output, result_tokens=tokenizer.count(found)
    )


def slow(tool: Tool) -> bool:
    """Whether a call of it takes long enough to keep others waiting."""
    return tool.hosted == "image"


def with_citations(
    said: tuple[Segment, ...], calls: tuple[HostedCallSegment, ...], request: Request
) -> tuple[Segment, ...]:
    """What is said after the calls, its texts with citations of what they found."""
    sources = [source for call in calls if call.tool.hosted in CITED for source in call.sources]
    if not sources or request.format is not None:
        return said
    return tuple(_cited(one, sources) if isinstance(one, TextSegment) else one for one in said)


def _cited(segment: TextSegment, sources: list[Source]) -> TextSegment:
    """The text with a citation of each source, in its sentences from the first on."""
    citations: list[Citation] = []
    sentences = _SENTENCE.finditer(segment.generated.text)
    for place, (sentence, source) in enumerate(zip(sentences, sources, strict=False)):
        start = sentence.end() - len(sentence.group().lstrip())
        citations.append(Citation(start, sentence.end(), place, source))
    return TextSegment(segment.generated, tuple(citations))


def subject_of(arguments: str) -> str:
    """What the arguments of a mocked call are about: the first text in them, or all of it."""
    try:
        values = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    return next((value for value in values.values() if isinstance(value, str)), arguments)


def _subject(tool: Tool, request: Request, seed: int) -> str:
    said = _said(request.messages)
    match tool.hosted:
        case "web_fetch":
            found = _URL.search(said)
            return (
                found.group().rstrip(".,;:!?")
                if found is not None
                else _page(_query(said), 0, seed).url
            )
        case "code":
            code = f"print(sum(range({_last(seed)})))"
            return f'python3 -c "{code}"' if "command" in _properties(tool) else code
        case "mcp":
            return orjson.dumps({"query": _query(said)}).decode()
        case "image":
            return said or "A picture"
        case _:
            return _query(said)


def _properties(tool: Tool) -> tuple[str, ...]:
    schema = tool.schema if isinstance(tool.schema, dict) else {}
    return tuple(schema.get("properties", ()))


def _said(messages: tuple[Message, ...]) -> str:
    return next((one.text for one in reversed(messages) if one.role == "user"), "")


def _query(said: str) -> str:
    return " ".join(_WORD.findall(said)[:WORDS]) or "latest news"


def _title(subject: str) -> str:
    return " ".join(_WORD.findall(subject.rpartition("//")[2])[:WORDS]).capitalize()


def _slug(query: str) -> str:
    return "-".join(_WORD.findall(query.lower()))[:60]


def _page(query: str, index: int, seed: int) -> Source:
    """One of the pages that a search finds, the first fitting best."""
    own = mix(seed, 62 + index)
    site = SITES[index % len(SITES)]
    url = f"https://{site}/{_slug(query) or 'page'}-{own % 10_000}"
    title = f"{query[:1].upper()}{query[1:]}: {pool('random').passage(own, 4).rstrip('.')}"
    return Source(title, pool("random").passage(own, EXCERPT), url, "", _score(index, own))


def _file(query: str, index: int, seed: int) -> Source:
    own = mix(seed, 62 + index)
    name = f"{_slug(query)[:30] or 'file'}-{index + 1}.{EXTENSIONS[index % len(EXTENSIONS)]}"
    text = pool("random").passage(own, EXCERPT)
    return Source(name, text, "", f"file-{own:016x}", _score(index, own))


def _score(index: int, seed: int) -> float:
    return round(0.95 - 0.15 * index - 0.1 * fraction(seed, 3), 4)


def _last(seed: int) -> int:
    return 10 + mix(seed, 65) % 990


def _versions(tool: Tool, seed: int) -> tuple[bytes, ...]:
    """The picture's versions, the last of them done."""
    assert tool.paint is not None
    painting.required()
    canvas = structs.replace(tool.paint.canvas, seed=mix(seed, 66) % VARIETY)
    return tuple(painting.painted(canvas, left) for left in range(tool.paint.partial, -1, -1))
