"""Gemini: what the service's own tools leave in a candidate: code and what it printed, and where
the words come from (``GroundingMetadata`` and ``UrlContextMetadata`` of google-genai 3.4's types).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from llmsim.core import Choice, Citation, HostedCallSegment, Source, TextSegment

SUCCESS = "URL_RETRIEVAL_STATUS_SUCCESS"
COUNTED = ("code", "web_fetch")
"""The tools whose results count as tokens of the prompt."""


def parts(call: HostedCallSegment) -> list[bytes]:
    """The parts of a call: those of code that ran. Of others there are none."""
    if call.tool.hosted != "code":
        return []
    code = {"executableCode": {"language": "PYTHON", "code": call.subject}}
    result = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": call.output}}
    return [orjson.dumps(code), orjson.dumps(result)]


def members(choice: Choice) -> bytes:
    """The members of a candidate that say what was searched and fetched, each after a comma."""
    calls = [one for one in choice.segments if isinstance(one, HostedCallSegment)]
    if not calls:
        return b""
    said: dict[str, Any] = {}
    fetched = [one.subject for one in calls if one.tool.hosted == "web_fetch"]
    if fetched:
        urls = [{"retrievedUrl": url, "urlRetrievalStatus": SUCCESS} for url in fetched]
        said["urlContextMetadata"] = {"urlMetadata": urls}
    searches = [one for one in calls if one.tool.hosted in ("web_search", "file_search")]
    if searches:
        said["groundingMetadata"] = _grounding(searches, choice)
    return b"," + orjson.dumps(said)[1:-1] if said else b""


def prompt_tokens(choices: Sequence[Choice]) -> int:
    """Tokens of results that were put to the model."""
    return sum(
        one.result_tokens
        for choice in choices
        for one in choice.segments
        if isinstance(one, HostedCallSegment) and one.tool.hosted in COUNTED
    )


def _grounding(searches: Sequence[HostedCallSegment], choice: Choice) -> dict[str, Any]:
    sources = [source for call in searches for source in call.sources]
    metadata: dict[str, Any] = {"groundingChunks": [_chunk(source) for source in sources]}
    supports = [
        _support(citation, segment.generated.text)
        for segment in choice.segments
        if isinstance(segment, TextSegment)
        for citation in segment.citations
    ]
    if supports:
        metadata["groundingSupports"] = supports
    queries = [call.subject for call in searches if call.tool.hosted == "web_search"]
    if queries:
        metadata["webSearchQueries"] = queries
        chips = "".join(f'<a class="chip">{query}</a>' for query in queries)
        metadata["searchEntryPoint"] = {"renderedContent": f'<div class="carousel">{chips}</div>'}
    return metadata


def _chunk(source: Source) -> dict[str, Any]:
    if source.file:
        return {"retrievedContext": {"title": source.title, "text": source.text}}
    return {"web": {"uri": source.url, "title": source.url.split("/")[2]}}


def _support(citation: Citation, text: str) -> dict[str, Any]:
    """A stretch of the text, counted in bytes, and the sources it rests on."""
    before = len(text[: citation.start].encode())
    cited = text[citation.start : citation.end]
    segment: dict[str, Any] = {"startIndex": before} if before else {}
    segment |= {"endIndex": before + len(cited.encode()), "text": cited}
    return {"segment": segment, "groundingChunkIndices": [citation.place]}
