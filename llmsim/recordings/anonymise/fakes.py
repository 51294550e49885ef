"""Values that take the place of others: of the same kind and format, and nobody's.

A fake is drawn again and again until the text around it has as many tokens as it had; the random
numbers follow from the value and a salt, so the same value has the same fake wherever it comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from random import Random
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

TRIES: Final = 200
"""Fakes that are tried for one with the right number of tokens."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST: Final = _words(
    "James Mary Robert Linda John Susan David Karen Paul Nancy Mark Lisa Peter Sarah Frank Laura "
    "Henry Emma Jack Alice Tom Julia Max Clara Leo Nina Oscar Eva Simon Maria Daniel Anna"
)
LAST: Final = _words(
    "Smith Brown Miller Wilson Moore Taylor White Harris Martin Clark Lewis Walker Hall Young King "
    "Wright Green Baker Adams Nelson Hill Carter Mitchell Turner Parker Collins Murphy Cook Reed"
)
WORDS: Final = _words("alpha bravo cedar delta ember fable grove haven iris jade lumen maple nova")
PARTS: Final = re.compile(r"([._%+'-])")
ALPHABETS: Final = (digits, ascii_uppercase, ascii_lowercase)
DOMAINS: Final = ("example.com", "example.org", "example.net")
PREFIXES: Final = (
    "sk-ant-api03-", "sk-ant-", "sk-proj-", "sk-svcacct-", "sk-or-v1-", "sk-", "AIza", "ya29.",
    "github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "xoxb-", "xoxp-", "xoxa-",
    "xoxe-", "xoxs-", "xoxr-", "xapp-", "AKIA", "ASIA", "ABIA", "ACCA", "hf_", "gsk_", "xai-",
    "pplx-", "npm_", "pypi-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_", "SG.",
    "dop_v1_", "dapi", "eyJ",
)  # fmt: skip
"""What of a key says whose it is, and stays."""


def fakes(kind: str, value: str, salt: bytes) -> Iterator[str]:
    """:data:`TRIES` values of this kind in the place of ``value``, always the same ones."""
    digest = hashlib.blake2b(value.encode(errors="surrogatepass"), key=salt[:64]).digest()
    random = Random(digest)
    make = MAKERS.get(kind, _same_format)
    for _ in range(TRIES):
        fake = make(value, random)
        if fake != value:
            yield fake


def _same_format(value: str, random: Random) -> str:
    """Digits for digits, capitals for capitals, other letters for other letters."""
    return "".join(_like(one, random) for one in value)


def _like(one: str, random: Random) -> str:
    if one.isdigit():
        return random.choice(digits)
    if one.isupper():
        return random.choice(ascii_uppercase)
    return random.choice(ascii_lowercase) if one.isalpha() else one


def _key(value: str, random: Random) -> str:
    """The prefix and separators stay, and which of digits, capitals and others there are."""
    prefix = next((one for one in PREFIXES if value.startswith(one)), "")
    rest = value[len(prefix) :]
    alphabet = "".join(letters for letters in ALPHABETS if set(letters) & set(rest))
    made = (random.choice(alphabet) if one.isalnum() and one.isascii() else one for one in rest)
    return prefix + "".join(made)


def _token(value: str, random: Random) -> str:
    head, *rest = value.split(".eyJ")
    return ".eyJ".join([_key(head, random), *(_same_format(one, random) for one in rest)])


def _private_key(value: str, random: Random) -> str:
    """The lines that begin and end it stay."""
    begin, dashes, rest = value.partition("KEY-----")
    body, end, last = rest.partition("-----END")
    # In JSON a line ends with a backslash and an n.
    parts = [_same_format(part, random) for part in body.split("\\n")]
    return begin + dashes + "\\n".join(parts) + end + last


def _email(value: str, random: Random) -> str:
    """As many parts as it had, before and behind the ``@``, at a domain that nobody can have."""
    local, _, domain = value.partition("@")
    made = [_word(part, random) if part.isalnum() else part for part in PARTS.split(local)]
    labels = [random.choice(WORDS) for _ in domain.split(".")[2:]]
    return "".join(made) + "@" + ".".join([*labels, random.choice(DOMAINS)])


def _word(part: str, random: Random) -> str:
    """A name, or letters and digits at random: they have other numbers of tokens."""
    if part.isdigit() or random.random() < 0.6:
        return _same_format(part, random)
    name = random.choice(FIRST + LAST)
    return name if part[0].isupper() else name.lower()


def _user_info(value: str, random: Random) -> str:
    user, colon, password = value.partition(":")
    name = random.choice(WORDS) if user else ""
    return name + colon + _same_format(password, random)


def _phone(value: str, random: Random) -> str:
    """The country's code, and the first digits after it, stay; so does the format."""
    count = sum(map(str.isdigit, value))
    kept = min(count - 4, 5 if value.startswith("+") else 3)
    made, seen = [], 0
    for one in value:
        if one.isdigit():
            seen += 1
            if seen > kept:
                one = random.choice(digits)  # noqa: PLW2901
        made.append(one)
    return "".join(made)


def _card(value: str, random: Random) -> str:
    """The first digit, the format and Luhn's check stay."""
    said = [int(one) for one in value if one.isdigit()]
    made = [said[0], *(random.randrange(10) for _ in said[1:-1]), 0]
    total = 0
    for place, digit in enumerate(reversed(made)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    made[-1] = -total % 10
    return _filled(value, "".join(map(str, made)))


def _iban(value: str, random: Random) -> str:
    """The country and the format stay; the check digits are right (ISO 13616, mod 97)."""
    bare = value.replace(" ", "")
    rest = _same_format(bare[4:], random)
    number = int("".join(str(int(one, 36)) for one in rest + bare[:2] + "00"))
    return _filled(value, f"{bare[:2]}{98 - number % 97:02}{rest}")


def _filled(pattern: str, characters: str) -> str:
    """The characters with the separators of ``pattern``."""
    left = iter(characters)
    return "".join(next(left) if one.isalnum() else one for one in pattern)


def _ip(value: str, random: Random) -> str:
    """An address of those that are kept for documentation (RFC 5737, 3849)."""
    if ":" in value:
        first, _, rest = value.partition(":")
        second, _, rest = rest.partition(":")
        made = (random.choice("23456789") if one.isalnum() else one for one in rest)
        return f"2001:db8:{''.join(made)}" if first and second else "2001:db8::1"
    network = random.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{random.randrange(1, 255)}"


def _name(value: str, random: Random) -> str:
    words = value.split()
    made = [random.choice(FIRST if not place else LAST) for place in range(min(len(words), 2))]
    name = " ".join(made)
    if value.islower():
        return name.lower()
    return name.upper() if value.isupper() and len(value) > 1 else name


MAKERS: Final[dict[str, Callable[[str, Random], str]]] = {
    "api_key": _key,
    "jwt": _token,
    "token": _key,
    "private_key": _private_key,
    "email": _email,
    "user_info": _user_info,
    "phone": _phone,
    "card": _card,
    "iban": _iban,
    "ip": _ip,
    "name": _name,
}
"""How a value of each kind is made; all others keep their format alone."""
