import pytest

from llmsim.core import Message
from llmsim.engine.tasks.moderations import WORDS, verdict


def test_there_are_all_thirteen_categories() -> None:
    assert len(WORDS) == 13


@pytest.mark.parametrize(("category", "words"), WORDS.items())
def test_each_of_its_words_flags_a_category(category: str, words: tuple[str, ...]) -> None:
    for word in words:
        for text in (word, f"He said: {word.upper()}!"):
            result = verdict(Message("user", text))
            assert category in result.flagged
            assert result.scores[category] >= 0.8


@pytest.mark.parametrize("text", ["", "hello", "skilled bombastic shooting stars", "a subhumanity"])
def test_other_words_flag_nothing(text: str) -> None:
    result = verdict(Message("user", text))
    assert result.flagged == frozenset()
    assert all(0 <= score < 0.01 for score in result.scores.values())


def test_scores_follow_from_the_text() -> None:
    one, same, other = (verdict(Message("user", text)) for text in ("a", "a", "b"))
    assert one == same
    assert list(one.scores) == list(WORDS)
    assert all(one.scores[name] != other.scores[name] for name in WORDS)


def test_a_lone_surrogate_is_a_text_too() -> None:
    assert verdict(Message("user", "\ud800 kill")).flagged
