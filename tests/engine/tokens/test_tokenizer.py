"""Counting and cutting: exact, and never inside a character."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmsim.engine.tokens import ranks
from llmsim.engine.tokens.tokenizer import STEP, Counts, Tokenizer, tokenizer, whole_characters

# Text whose tokens end inside characters: emoji with modifiers, rare scripts, combining marks.
SPLIT = ["👩‍👩‍👧‍👦🏳️‍🌈", "ꙮ𓀀𓁐", "Ω≈ç√∫µ≤≥÷", "नमस्ते दुनिया", "ༀ༁༂"]
PLAIN = [
    "",
    " ",
    "\n\n\n",
    "hello world",
    "x" * 300,
    "<|endoftext|>",
    "a\r\n\tb",
    "don't 12345",
    "e\u0301" * 5,
]

texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(SPLIT + PLAIN), max_size=6).map("".join),
)
names = st.sampled_from(ranks.NAMES)


def tokens_of(name: str, text: str) -> list[int]:
    return ranks.encoding(name).encode_ordinary(text)


@given(names, texts)
@example("o200k_base", "<|endoftext|><|fim_prefix|>")
def test_count_is_tiktokens_own(name: str, text: str) -> None:
    for _ in range(2):  # tokenised, then remembered
        assert tokenizer(name).count(text) == len(tokens_of(name, text))


def test_text_that_spells_a_special_token_is_plain_text() -> None:
    assert tokenizer("o200k_base").count("<|endoftext|>") > 1


@given(names, texts)
def test_encode_gives_the_texts_bytes(name: str, text: str) -> None:
    tokens = tokenizer(name).encode(text)
    assert b"".join(tokens) == text.encode()
    assert len(tokens) == len(tokens_of(name, text))


@given(names, texts)
def test_decode_is_the_way_back(name: str, text: str) -> None:
    assert tokenizer(name).decode(tokens_of(name, text)) == text


@pytest.mark.parametrize("token", [10_000_000, -1, 2**40])
def test_decode_refuses_what_is_no_token(token: int) -> None:
    with pytest.raises(ValueError, match="o200k_base has no such token"):
        tokenizer("o200k_base").decode([token])


@given(names, texts)
def test_pieces_are_the_text_and_end_where_their_tokens_do(name: str, text: str) -> None:
    made = tokenizer(name).text(text, pieces=True)
    assert made.text == text
    assert made.tokens == len(tokens_of(name, text))
    assert "".join(made.pieces) == text
    assert len(made.pieces) == len(made.ends)
    assert all(made.pieces)
    assert all(one < other for one, other in pairwise(made.ends))
    assert list(made.ends[-1:]) == ([made.tokens - 1] if text else [])
    sizes = list(accumulate(map(len, tokenizer(name).encode(text))))
    assert [sizes[end] for end in made.ends] == list(
        accumulate(len(piece.encode()) for piece in made.pieces)
    )


@given(names, texts)
def test_without_pieces_only_the_count_is_made(name: str, text: str) -> None:
    made = tokenizer(name).text(text, pieces=False)
    assert (made.text, made.tokens, list(made.pieces)) == (text, len(tokens_of(name, text)), [])


@pytest.mark.parametrize("text", SPLIT)
def test_the_examples_do_split_characters(text: str) -> None:
    made = tokenizer("cl100k_base").text(text, pieces=True)
    assert len(made.pieces) < made.tokens


@given(st.text(), st.lists(st.integers(1, 3), max_size=200))
def test_whole_characters_however_the_bytes_are_cut(text: str, sizes: list[int]) -> None:
    data = text.encode()
    tokens = []
    for size in [*sizes, len(data)]:
        if data:
            tokens.append(data[:size])
            data = data[size:]
    pieces, ends = whole_characters(tokens)
    assert "".join(pieces) == text
    for (start, end), piece in zip(pairwise([-1, *ends]), pieces, strict=True):
        assert b"".join(tokens[start + 1 : end + 1]).decode() == piece


@given(names, texts, st.integers(0, 60))
def test_cut_is_a_prefix_within_the_limit(name: str, text: str, limit: int) -> None:
    cut = tokenizer(name).cut(text, limit)
    assert text.startswith(cut)
    assert len(tokens_of(name, cut)) <= limit
    if len(tokens_of(name, text)) <= limit:
        assert cut == text


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("one two three four", 2, "one two"),
        ("one two three four", 4, "one two three four"),
        ("one two three four", 0, ""),
        ("👩👩", 1, ""),
        ("👩👩", 2, "👩"),
        ("👩👩", 3, "👩"),
        ("ꙮ", 1, ""),
    ],
)
def test_cut(text: str, limit: int, cut: str) -> None:
    assert tokenizer("o200k_base").cut(text, limit) == cut


def test_a_tokenizer_is_one_a_process() -> None:
    assert tokenizer("o200k_base") is tokenizer("o200k_base")
    assert tokenizer("cl100k_base").name == "cl100k_base"


def test_known_tells_what_was_counted_lately() -> None:
    fresh = Tokenizer(ranks.encoding("cl100k_base"), 10_000)
    assert fresh.known("hello world") is None
    fresh.count("hello world")
    assert fresh.known("hello world") == 2


def test_counts_forget_what_was_not_used_and_keep_what_was() -> None:
    counts = Counts(10_000)
    counts.put("used", 1)
    counts.put("unused", 2)
    for number in range(500):
        counts.put(f"{number:04}", number)
        assert counts.get("used") == 1
    assert counts.get("unused") is None
    assert counts.get("0000") is None
    assert counts.get("0499") == 499


def test_counts_are_bounded_by_characters() -> None:
    counts = Counts(10_000)
    made = ["x" * size for size in range(1000)]
    for text in made:
        counts.put(text, len(text))
    held = {**counts._old, **counts.young}
    assert sum(map(len, held)) <= 10_000
    assert held[made[-1]] == 999


def test_counts_do_not_hold_a_text_that_would_drive_out_all_others() -> None:
    counts = Counts(1000)
    counts.put("small", 1)
    counts.put("x" * 501, 2)
    assert counts.get("x" * 501) is None
    assert counts.get("small") == 1


@pytest.mark.parametrize("text", ["word " * 1000, "é🙂 ꙮ " * 300, "short"])
def test_steps_of_a_text_end_where_its_tokens_do(text: str) -> None:
    fresh = Tokenizer(ranks.encoding("o200k_base"))
    assert fresh.steps(text) == (), "nothing was counted"
    count = fresh.count(text)
    pieces = fresh.encode(text)
    expected = [
        sum(map(len, pieces[:stop])) for stop in range(STEP, count + 1, STEP) if count >= 2 * STEP
    ]
    assert list(fresh.steps(text)) == expected
