"""docs/strict.md has the rules as they are."""

from tests.providers.strict_document import DOCUMENT, made


def test_the_tables_are_the_rules() -> None:
    document = DOCUMENT.read_text("utf-8")
    assert made(document) == document, "run: python -m tests.providers.strict_document"
