"""Credentials in a text: by their makers' prefixes, by what stands before them, by their entropy.

Prefixes are those that the makers document for secret scanning.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import re2

from llmsim.recordings.anonymise.finding import Finding

KNOWN: Final[Mapping[str, str]] = {
    "private_key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "api_key": (
        r"\b(?:"
        r"sk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek
        r"|AIza[A-Za-z0-9_-]{30,}"  # Google
        r"|ya29\.[A-Za-z0-9_-]{20,}"
        r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}"
        r"|glpat-[A-Za-z0-9_-]{20,}"
        r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
        r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"  # AWS
        r"|hf_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{30,}|pplx-[A-Za-z0-9]{30,}"
        r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}"
        r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}"  # Stripe
        r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
        r"|dop_v1_[a-f0-9]{40,}|dapi[a-f0-9]{32}"
        r")"
    ),
}
"""A pattern for each kind whose values say themselves what they are."""

NAMED: Final = (
    r"(?i)(?:\b|_)(?:password|passwd|pwd|passphrase|secret|api[ _-]?key|apikey|access[ _-]?key"
    r"|auth[ _-]?token|access[ _-]?token|refresh[ _-]?token|client[ _-]?secret|credentials?)"
    r"\\?[\"']?(?:\s*(?:[:=]|\bis\b|=>)){1,2}\s*\\?[\"']?([^\s\"'`,;<>(){}\[\]\\]{6,})"
)
"""What stands behind a name that says so."""

BEARER: Final = r"(?i)\b(?:bearer|basic|token)\s+([A-Za-z0-9._~+/-]{16,}=*)"
WORDS: Final = r"[A-Za-z0-9+/_-]{24,200}={0,2}"

IDS: Final = (
    r"^(?:chatcmpl|cmpl|resp|msg|call|toolu|srvtoolu|req|rs|fc|run|step|thread|asst|conv|file|batch"
    r"|item|event|ws|ci|rec|gen|fp|org|user|proj|vs|snapshot|sess|evt|ig|mcp|mcpl|modr|ctc|ctco)[_-]"
)
"""What providers' ids begin with: they are no secrets, and name what belongs together."""

SECRET_NAME: Final = (
    r"(?i)^(?:.*[_-])?(?:password|passwd|pwd|passphrase|secret|api_?key|apikey|access_?key|auth"
    r"|authorization|token|credentials?|private_?key|client_?secret|cookie)$"
)
"""Keys of JSON objects whose texts are secrets."""

ENTROPY: Final = 4.0
"""Bits a character from which a word of letters and digits is a secret: English has about 4 in
long texts, but needs more letters for it than a word has, and no digits."""

_KNOWN: Final[Mapping[str, Any]] = {kind: re2.compile(pattern) for kind, pattern in KNOWN.items()}
_NAMED, _BEARER, _WORDS = re2.compile(NAMED), re2.compile(BEARER), re2.compile(WORDS)
_IDS, _SECRET_NAME = re2.compile(IDS), re2.compile(SECRET_NAME)


def secrets(text: str) -> Iterator[Finding]:
    """The credentials of a text."""
    for kind, pattern in _KNOWN.items():
        for found in pattern.finditer(text):
            yield Finding(found.start(), found.end(), kind)
    for found in _BEARER.finditer(text):
        if random_looking(found.group(1)):
            yield Finding(found.start(1), found.end(1), "token")
    for found in _NAMED.finditer(text):
        value = found.group(1)
        stop = found.start(1) + len(value.rstrip(".!?:"))
        if secret_looking(text[found.start(1) : stop]):
            yield Finding(found.start(1), stop, "password")
    for found in _WORDS.finditer(text):
        if random_looking(found.group()):
            yield Finding(found.start(), found.end(), "token")


def is_secret_name(name: str) -> bool:
    """Whether the text under this key of a JSON object is a secret."""
    return _SECRET_NAME.match(name) is not None


def secret_looking(value: str) -> bool:
    """Whether a value that is called a secret is one, and no word of a sentence about it."""
    if not 6 <= len(value) <= 500:
        return False
    kinds = (any(map(str.isdigit, value)), any(map(str.isupper, value[1:])), not value.isalnum())
    return any(kinds) and value.strip("*.-_xX•…") != ""


def random_looking(word: str) -> bool:
    """Whether a long word of letters and digits can hardly be anything but a secret."""
    if word.strip("/").count("/") > len(word) / 12:  # a path
        return False
    if any(_IDS.match(part) or (len(part) > 6 and _is_hex(part)) for part in word.split("/")):
        return False
    bare = word.rstrip("=")
    letters = sum(map(str.isalpha, bare))
    digits = sum(map(str.isdigit, bare))
    if not (digits >= 2 and letters >= 3) or bare.replace("-", "").isdigit():
        return False
    if max(map(len, bare.replace("/", "-").replace("_", "-").split("-"))) < 12:
        return False  # words with hyphens: names of models, files
    return entropy(bare) >= ENTROPY


def _is_hex(word: str) -> bool:
    """Digests, UUIDs."""
    return all(one in "0123456789abcdefABCDEF-" for one in word)


def entropy(word: str) -> float:
    """Shannon's entropy of a word's characters, in bits a character."""
    size = len(word)
    return -sum(n / size * math.log2(n / size) for n in Counter(word).values())
