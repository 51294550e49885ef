"""The tokenizer's rank files, shipped in the package: no network, ever."""

from __future__ import annotations

import gzip
import hashlib
import threading
from binascii import a2b_base64
from importlib.resources import files
from itertools import count

import tiktoken

# Patterns and special tokens as tiktoken 0.14 defines them (tiktoken_ext.openai_public).
_LETTERS = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_CAPITALS = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K_PATTERN = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_CAPITALS}]*[{_LETTERS}]+{_SUFFIX}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_CAPITALS}]+[{_LETTERS}]*{_SUFFIX}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
_CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_ENCODINGS = {
    "o200k_base": (
        _O200K_PATTERN,
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    "cl100k_base": (
        _CL100K_PATTERN,
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
}
NAMES = tuple(_ENCODINGS)

SLICE = 4096
"""Tokens that are read at a time (1 to 2 ms): other threads have their turn between two slices."""

_loaded: dict[str, tiktoken.Encoding] = {}
_loading = threading.Lock()


def loaded(name: str) -> bool:
    """Whether :func:`encoding` would answer at once."""
    return name in _loaded


def pattern(name: str) -> str:
    """The pattern by which that encoding cuts a text into pieces."""
    return _ENCODINGS[name][0]


def encoding(name: str) -> tiktoken.Encoding:
    """The encoding of that name, built once a process (0.2 to 0.4 s).

    Raises KeyError for a name that is not in :data:`NAMES` and RuntimeError when the shipped
    file is damaged.
    """
    found = _loaded.get(name)  # without waiting for a thread that builds another one
    if found is None:
        with _loading:
            if name not in _loaded:
                _loaded[name] = _build(name)
            found = _loaded[name]
    return found


def _build(name: str) -> tiktoken.Encoding:
    pattern, special, expected = _ENCODINGS[name]
    packed = files("llmsim.data").joinpath(f"{name}.tiktoken.gz").read_bytes()
    content = gzip.decompress(packed)
    if hashlib.sha256(content).hexdigest() != expected:
        raise RuntimeError(
            f"the rank file {name}.tiktoken.gz is damaged: its sha256 is not {expected}"
        )
    # A token and its rank, which is its place, in turn. Freed all at once, or what is kept would
    # lie scattered among what is not, in pages that the workers then share no longer.
    fields = content.split()
    ranks: dict[bytes, int] = {}
    for start in range(0, len(fields) // 2, SLICE):
        tokens = fields[2 * start : 2 * (start + SLICE) : 2]
        ranks.update(zip(map(a2b_base64, tokens), count(start)))
    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
