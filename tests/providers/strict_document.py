"""Makes the tables of ``docs/strict.md`` from the rules.

python -m tests.providers.strict_document
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from llmsim.providers.anthropic.messages import strict as anthropic
from llmsim.providers.gemini import embeddings as gemini_embeddings
from llmsim.providers.gemini import strict as gemini
from llmsim.providers.openai import embeddings, moderations
from llmsim.providers.openai.assistants import strict as assistants
from llmsim.providers.openai.chat import strict as chat
from llmsim.providers.openai.completions import strict as completions
from llmsim.providers.openai.images import strict as images
from llmsim.providers.openai.responses import strict as responses
from llmsim.providers.rules import Rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "strict.md"
TABLES: dict[str, Rules[Any]] = {
    "Anthropic Messages": anthropic.RULES,
    "OpenAI Chat Completions": chat.RULES,
    "OpenAI Responses": responses.RULES,
    "OpenAI Completions": completions.RULES,
    "OpenAI Embeddings": embeddings.RULES,
    "OpenAI Moderations": moderations.RULES,
    "OpenAI Images": images.RULES,
    "OpenAI Assistants, threads and runs": assistants.RULES,
    "Gemini": gemini.RULES,
    "Gemini embeddings": gemini_embeddings.RULES,
}


def table(rules: Rules[Any]) -> str:
    """The rules of an endpoint, in the order in which they are checked."""
    lines = ["| rule | models | says | known from |", "|---|---|---|---|"]
    for row in rules.rows:
        said = re.sub(r"\{\{|\}\}", lambda brace: brace[0][0], row.message).replace("|", "\\|")
        called = row.models.called
        lines.append(f"| `{row.id}` | {called} | {said} | {row.source} |")
    return "\n".join(lines)


def made(document: str) -> str:
    """The document with its tables as the rules are."""
    for title, rules in TABLES.items():
        heading = f"## {title}\n\n"
        start = document.index(heading) + len(heading)
        end = document.index("\n\n", start)
        document = document[:start] + table(rules) + document[end:]
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(made(DOCUMENT.read_text("utf-8")), "utf-8")
