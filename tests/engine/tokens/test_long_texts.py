"""Long texts: the tokens of the parts are those of the whole, also where tiktoken panics."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.engine.tokens import long_texts, ranks
from llmsim.engine.tokens.long_texts import LongTexts, parts
from llmsim.engine.tokens.tokenizer import tokenizer

NAMES = ranks.NAMES
LONG = {name: LongTexts(ranks.encoding(name)) for name in NAMES}

# What pieces are made of: letters of each case and script, marks, digits, signs, white space.
UNITS = [
    *"a A Aa ab the ing aaaaaaaaab é e\u0301 Ö ß \u017f ǅ ª ² Ⅷ ก ไทย \u0627 字 的".split(" "),  # noqa: SIM905  lines of units read better
    *"1 12 - = / _ ' 's 'S . ( 😀 — … 。 \uff0c".split(" "),  # noqa: SIM905
    *(" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\x1c", "\u200d"),
]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are long from 400 characters on, pieces from 1,024 bytes."""
    monkeypatch.setattr(long_texts, "PART", 200)
    monkeypatch.setattr(long_texts, "REACH", 400)
    monkeypatch.setattr(long_texts, "MERGED", 512)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", UNITS)
def test_a_run_of_anything_is_counted_as_tiktoken_counts_it(name: str, unit: str) -> None:
    for before, times, after in (
        ("x", 700, "y"),
        ("", 1301, ""),
        (".", 2000, "\n"),
        (" ", 999, "!"),
    ):
        text = before + unit * times + after
        assert LONG[name].encode(text) == ranks.encoding(name).encode_ordinary(text)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(60))
def test_so_is_any_mixture(name: str, seed: int) -> None:
    rng = random.Random(seed)
    units = rng.sample(UNITS, rng.randint(2, 5)) if seed % 3 else list("etaoinshrdlu")
    text = "".join(rng.choices(units, k=2000))
    assert LONG[name].encode(text) == ranks.encoding(name).encode_ordinary(text)


@given(st.text(alphabet="ab1 .'\n\u00a0字", max_size=300))
def test_parts_are_the_text(text: str) -> None:
    assert "".join(parts(text * 300)) == text * 300


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("space", [" ", "\t", "\u00a0", "\u3000"])
def test_white_space_at_which_tiktoken_panics_is_tokenised(name: str, space: str) -> None:
    text = "x" + space * 1_000_000 + "y"
    tokens = tokenizer(name).encode(text)
    assert b"".join(tokens) == text.encode()
    shorter = len(ranks.encoding(name).encode_ordinary("x" + space * 100_000 + "y"))
    assert len(tokens) == pytest.approx(10 * shorter, rel=0.01)


@pytest.mark.parametrize("text", ["a" * 5_000_000, "A" * 2_000_000, "-=" * 500_000, "字" * 500_000])
def test_what_takes_tiktoken_many_seconds_takes_less_than_one(text: str) -> None:
    began = time.process_time()
    assert LONG["o200k_base"].encode(text)
    assert time.process_time() - began < 2
