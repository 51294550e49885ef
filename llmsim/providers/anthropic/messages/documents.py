"""Anthropic Messages: citations of the documents in a prompt (``types.citation_char_location``,
``citation_page_location`` and ``citation_content_block_location``).

An answer cites the beginning of each document that is to be cited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import structs

from llmsim.core import Choice, Citation, Completion, Request, Segment, Source, TextSegment
from llmsim.providers.anthropic.messages.blocks import (
    ContentSource,
    DocumentBlock,
    TextBlock,
    TextSource,
)

_SENTENCE: Final = re.compile(r"\s*(?:[^.!?\n]*[.!?\n]|.+)", re.DOTALL)
MOST_CITED: Final = 300
"""Characters of a passage, at most."""


def wanted(messages: Sequence[Any]) -> bool:
    """Whether any document of a prompt is to be cited."""
    for message in messages:
        if type(message.content) is not str:
            break
    else:
        return False  # as most are
    return any(block.citations.enabled for block in _documents(messages) if block.citations)


def with_citations(request: Request, completion: Completion) -> Completion:
    """The completion with citations in its texts, if documents are to be cited."""
    if request.media is None or request.format is not None:
        return completion
    sources = [
        _source(place, block)
        for place, block in enumerate(_documents(request.wire.messages))
        if block.citations is not None and block.citations.enabled
    ]
    choices = tuple(_cited(choice, sources) for choice in completion.choices)
    return structs.replace(completion, choices=choices)


def _cited(choice: Choice, sources: Sequence[Source]) -> Choice:
    def segment(one: Segment) -> Segment:
        if not isinstance(one, TextSegment) or one.citations or not one.generated.tokens:
            return one
        length = one.generated.characters
        listed = [Citation(0, length, place, source) for place, source in enumerate(sources)]
        return TextSegment(one.generated, tuple(listed))

    return structs.replace(choice, segments=tuple(segment(one) for one in choice.segments))


def _documents(messages: Sequence[Any]) -> Iterator[DocumentBlock]:
    for message in messages:
        if isinstance(message.content, list):
            for block in message.content:
                if isinstance(block, DocumentBlock):
                    yield block


def _source(place: int, document: DocumentBlock) -> Source:
    """The passage of a document that is cited, and where it is."""
    about = {"document_index": place, "document_title": document.title, "file_id": None}
    match document.source:
        case TextSource(data=text):
            passage = _beginning(text)
            where: dict[str, Any] = {"type": "char_location", "start_char_index": 0}
            where["end_char_index"] = len(passage)
        case ContentSource(content=content):
            passage = content if isinstance(content, str) else _first_text(content)
            where = {"type": "content_block_location", "start_block_index": 0}
            where["end_block_index"] = 1
        case _:
            passage = f"What is on page 1 of {document.title or 'the document'}."
            where = {"type": "page_location", "start_page_number": 1, "end_page_number": 2}
    return Source(document.title or "", passage, location=where | about)


def _beginning(text: str) -> str:
    found = _SENTENCE.match(text)
    return found[0][:MOST_CITED] if found else text[:MOST_CITED]


def _first_text(content: Sequence[Any]) -> str:
    texts = [block.text for block in content if isinstance(block, TextBlock)]
    return texts[0] if texts else ""
