"""How much is found of a corpus, and how much that is none: the figures of the docs."""

from collections import Counter
from pathlib import Path

from llmsim.recordings.anonymise.anonymiser import Anonymiser, AnonymiseRules
from tests.recordings.anonymise.corpus import TEXTS, VALUES, corpus


def test_recall_and_false_positives() -> None:
    finders = AnonymiseRules("standard").finders()
    marked, found, false = Counter[str](), Counter[str](), Counter[str]()
    texts = list(corpus())
    for one in texts:
        edits = Anonymiser(finders, b"s").edits(one.text, "text")
        for kind, start, stop in one.values:
            marked[kind] += 1
            found[kind] += any(edit.start <= start and stop <= edit.stop for edit in edits)
        false.update(
            edit.kind
            for edit in edits
            if not any(start < edit.stop and edit.start < stop for _, start, stop in one.values)
        )
    assert len(texts) == TEXTS
    assert marked.total() >= VALUES
    missed = {
        kind: f"{found[kind]} of {marked[kind]}" for kind in marked if found[kind] < marked[kind]
    }
    assert all(found[kind] >= 0.98 * marked[kind] for kind in marked), missed
    assert false.total() / found.total() <= 0.01, false
    page = (Path(__file__).parents[3] / "docs" / "recordings.md").read_text("utf-8")
    share = f"{found.total() / marked.total():.1%}".replace("%", " %")
    for figure in (
        f"Of {marked.total():,} marked values in {TEXTS} texts {share} are found",
        f"{found['card']} of {marked['card']} cards",
        f"{found['phone']} of {marked['phone']} phone numbers",
        f"{false.total() or 'nothing else is'} taken for one",
    ):
        assert figure in " ".join(page.split()), figure
