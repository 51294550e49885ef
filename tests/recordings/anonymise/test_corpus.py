"""How much is found of a corpus, and how much that is none: the figures of the docs."""

from collections import Counter

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
    assert found.total() / marked.total() >= 0.98, missed
    assert false.total() / found.total() <= 0.01, false
