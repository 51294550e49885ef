"""The word pools of data/words.json are token-exact: every word is one token, anywhere."""

import base64
import gzip
import random
import re
from importlib.resources import files

import msgspec
import pytest
import tiktoken
from tiktoken_ext import openai_public

POOLS = msgspec.json.decode(
    files("llmsim").joinpath("data/words.json").read_bytes(), type=dict[str, list[str]]
)
EVERYWHERE = [key for key in POOLS if key != "lorem_inner"]
KINDS = [("lorem", "lorem_starts"), ("random", "random_starts")]


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> tiktoken.Encoding:
    """The encoding, its ranks from the package and everything else as tiktoken defines it."""

    def ranks(*_: object, **__: object) -> dict[bytes, int]:
        packed = files("llmsim").joinpath(f"data/{name}.tiktoken.gz").read_bytes()
        lines = gzip.decompress(packed).splitlines()
        return {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", ranks)
    return tiktoken.Encoding(**getattr(openai_public, name)())


@pytest.fixture(scope="module", params=["o200k_base", "cl100k_base"])
def encoding(request: pytest.FixtureRequest) -> tiktoken.Encoding:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return load(request.param, monkeypatch)


def sentences(kind: str, starts: str, count: int) -> list[str]:
    """Token by token, with their leading spaces, ``count`` sentences of the pool."""
    draw = random.Random(7)
    inner = POOLS[kind] + POOLS.get(f"{kind}_inner", [])
    said: list[str] = []
    for _ in range(count):
        said.append((" " if said else "") + draw.choice(POOLS[starts]))
        for word in draw.choices(inner, k=draw.randint(2, 12)):
            said.append(" " + word)
            if draw.random() < 0.15:
                said.append(",")
        if said[-1] == ",":
            said.pop()
        said.append(".")
    return said


def test_pools_are_the_ones_the_generators_read() -> None:
    assert set(POOLS) == {"lorem", "lorem_inner", "lorem_starts", "random", "random_starts"}
    assert len(POOLS["lorem"]) >= 100
    assert len(POOLS["random"]) == 1500


@pytest.mark.parametrize("key", POOLS)
def test_words_are_letters_without_repeats(key: str) -> None:
    form = r"[A-Z][a-z]*" if key.endswith("_starts") else r"[a-z]+"
    assert [word for word in POOLS[key] if not re.fullmatch(form, word)] == []
    assert len(set(POOLS[key])) == len(POOLS[key])


@pytest.mark.parametrize("key", EVERYWHERE)
def test_word_is_one_token_with_and_without_a_leading_space(
    key: str, encoding: tiktoken.Encoding
) -> None:
    forms = [form for word in POOLS[key] for form in (word, " " + word)]
    assert [form for form in forms if len(encoding.encode_ordinary(form)) != 1] == []


def test_inner_word_is_one_token_after_a_space(encoding: tiktoken.Encoding) -> None:
    forms = [" " + word for word in POOLS["lorem_inner"]]
    assert [form for form in forms if len(encoding.encode_ordinary(form)) != 1] == []


@pytest.mark.parametrize(("kind", "starts"), KINDS)
def test_sentences_are_one_token_a_word_and_mark(
    kind: str, starts: str, encoding: tiktoken.Encoding
) -> None:
    said = sentences(kind, starts, 1500)
    ids = encoding.encode_ordinary("".join(said))
    assert [encoding.decode([each]) for each in ids] == said


@pytest.mark.parametrize(("kind", "starts"), KINDS)
def test_slice_from_a_sentence_start_encodes_to_itself(
    kind: str, starts: str, encoding: tiktoken.Encoding
) -> None:
    said = sentences(kind, starts, 300)
    heads = [0, *(i + 1 for i, token in enumerate(said[:-1]) if token == ".")]
    draw = random.Random(11)
    for head in heads:
        part = said[head : draw.randint(head + 1, len(said))]
        text = "".join(part).removeprefix(" ")
        got = [encoding.decode([each]) for each in encoding.encode_ordinary(text)]
        assert got == [part[0].removeprefix(" "), *part[1:]]
