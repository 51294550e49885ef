"""The encodings from the files in the package: tiktoken's own, and no others."""

import gzip
import socket
from importlib.resources import files
from pathlib import Path

import pytest
from tiktoken_ext import openai_public

from llmsim.engine.tokens import ranks


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No encoding has been built yet."""
    monkeypatch.setattr(ranks, "_loaded", {})


@pytest.mark.parametrize("name", ranks.NAMES)
def test_pattern_and_special_tokens_are_tiktokens(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", lambda *_, **__: {})
    theirs = getattr(openai_public, name)()
    ours = ranks.encoding(name)
    assert ours.name == name
    assert ours._pat_str == theirs["pat_str"]
    assert ours._special_tokens == theirs["special_tokens"]


@pytest.mark.parametrize(("name", "words"), [("o200k_base", 200_019), ("cl100k_base", 100_277)])
def test_vocabularies_are_whole(name: str, words: int) -> None:
    assert ranks.encoding(name).n_vocab == words


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [  # as tiktoken 0.14 encodes them
        ("o200k_base", "hello world", [24912, 2375]),
        ("cl100k_base", "hello world", [15339, 1917]),
        ("cl100k_base", "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
    ],
)
def test_known_encodings(name: str, text: str, tokens: list[int]) -> None:
    assert ranks.encoding(name).encode_ordinary(text) == tokens


def test_an_encoding_is_built_once() -> None:
    assert ranks.encoding("cl100k_base") is ranks.encoding("cl100k_base")


def test_loaded_tells_whether_an_encoding_is_at_hand(unloaded: None) -> None:
    assert not ranks.loaded("cl100k_base")
    ranks.encoding("cl100k_base")
    assert ranks.loaded("cl100k_base")
    assert not ranks.loaded("o200k_base")


def test_no_network_is_needed(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a rank file was looked for on the network")

    monkeypatch.setattr(socket, "socket", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert ranks.encoding("cl100k_base").encode_ordinary("hello world") == [15339, 1917]


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="p50k_base"):
        ranks.encoding("p50k_base")


def test_a_damaged_file_is_an_error(
    unloaded: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "cl100k_base.tiktoken.gz"
    content = gzip.decompress(files("llmsim.data").joinpath(name).read_bytes())
    (tmp_path / name).write_bytes(gzip.compress(content[:-1], compresslevel=1))
    monkeypatch.setattr(ranks, "files", lambda _: tmp_path)
    with pytest.raises(RuntimeError, match=r"cl100k_base\.tiktoken\.gz is damaged"):
        ranks.encoding("cl100k_base")
