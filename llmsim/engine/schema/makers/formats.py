"""Strings of each ``format``: a natural one, and a pattern for lengths that one does not have."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from llmsim.engine.schema import plausible
from llmsim.engine.schema.seeded_random import SeededRandom


@dataclass(frozen=True, slots=True)
class StringFormat:
    """``pattern`` matches only valid strings, but not all of them."""

    natural: Callable[[SeededRandom], str]
    pattern: str


def _date(rng: SeededRandom) -> str:
    return f"{rng.between(2023, 2026)}-{rng.between(1, 12):02}-{rng.between(1, 28):02}"


def _time(rng: SeededRandom) -> str:
    return f"{rng.between(8, 19):02}:{rng.between(0, 11) * 5:02}:00Z"


def _date_time(rng: SeededRandom) -> str:
    return f"{_date(rng)}T{_time(rng)}"


def _duration(rng: SeededRandom) -> str:
    return rng.pick(("PT15M", "PT30M", "PT1H", "PT2H30M", "P1D", "P7D"))


def _email(rng: SeededRandom) -> str:
    return f"{rng.pick(plausible.FIRST).lower()}.{rng.pick(plausible.LAST).lower()}@example.com"


def _hostname(rng: SeededRandom) -> str:
    return f"{rng.pick(plausible.PLAIN)}.example.com"


def _ipv4(rng: SeededRandom) -> str:
    return f"192.0.2.{rng.between(1, 254)}"


def _ipv6(rng: SeededRandom) -> str:
    return f"2001:db8::{rng.between(1, 0xFFFF):x}"


def _uri(rng: SeededRandom) -> str:
    return f"https://example.com/{rng.pick(plausible.PLAIN)}"


def _reference(rng: SeededRandom) -> str:
    return f"/{rng.pick(plausible.PLAIN)}"


def _template(rng: SeededRandom) -> str:
    return f"https://example.com/{rng.pick(plausible.PLAIN)}/{{id}}"


def _uuid(rng: SeededRandom) -> str:
    bits = rng.below(1 << 122)
    bits = (bits >> 76 << 80) | (4 << 76) | (bits & ((1 << 76) - 1))
    bits = (bits & ~(3 << 62)) | (2 << 62)
    digits = f"{bits:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _pointer(rng: SeededRandom) -> str:
    return f"/{rng.pick(plausible.PLAIN)}/{rng.below(4)}"


def _relative_pointer(rng: SeededRandom) -> str:
    return f"{rng.below(3)}/{rng.pick(plausible.PLAIN)}"


def _regex(rng: SeededRandom) -> str:
    return rng.pick(("^[a-z]+$", "^[A-Z]{2}[0-9]{4}$", "^\\d{3}-\\d{4}$"))


def _bytes(rng: SeededRandom) -> str:
    return b64encode(rng.pick(plausible.PLAIN).encode()).decode()


def _secret(rng: SeededRandom) -> str:
    return f"{rng.pick(plausible.PLAIN).title()}-{rng.between(1000, 9999)}!"


_DAY = r"202[0-9]-0[1-9]-(1[0-9]|2[0-8])"
_CLOCK = r"(0[0-9]|1[0-9]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|\+0[0-9]:00)"
_LABELS = r"([a-z]{1,60}\.){0,3}[a-z]{1,60}"
_OCTET = r"([1-9]?[0-9]|1[0-9][0-9])"
_PATH = r"^(/[a-z]+)*$"

_EMAIL = StringFormat(_email, r"^[a-z]{1,64}@([a-z]{1,60}\.){1,3}[a-z]{2,6}$")
_HOST = StringFormat(_hostname, f"^{_LABELS}$")
_URI = StringFormat(_uri, r"^([a-z]{1,5}:[a-z]{1,9}|https://example\.com/[a-z]*)$")
_URI_REFERENCE = StringFormat(_reference, r"^/[a-z]*$")

FORMATS: dict[str, StringFormat] = {
    "date-time": StringFormat(_date_time, f"^{_DAY}T{_CLOCK}$"),
    "date": StringFormat(_date, f"^{_DAY}$"),
    "time": StringFormat(_time, f"^{_CLOCK}$"),
    "duration": StringFormat(_duration, r"^P([1-9][0-9]{0,3}D|[1-9][0-9]{0,3}DT[1-9]H([1-9]M)?)$"),
    "email": _EMAIL,
    "idn-email": _EMAIL,
    "hostname": _HOST,
    "idn-hostname": _HOST,
    "ipv4": StringFormat(_ipv4, rf"^{_OCTET}(\.{_OCTET}){{3}}$"),
    "ipv6": StringFormat(_ipv6, r"^(::[1-9a-f]{0,4}|2001:db8:(:[1-9a-f]{1,4}){1,5})$"),
    "uri": _URI,
    "iri": _URI,
    "uri-reference": _URI_REFERENCE,
    "iri-reference": _URI_REFERENCE,
    "uri-template": StringFormat(_template, r"^(/[a-z]+)*/?\{[a-z]{1,9}\}$"),
    "uuid": StringFormat(
        _uuid, r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    ),
    "json-pointer": StringFormat(_pointer, _PATH),
    "relative-json-pointer": StringFormat(_relative_pointer, r"^[0-3](/[a-z]+)*$"),
    "regex": StringFormat(_regex, r"^[a-z]*$"),
    "byte": StringFormat(_bytes, r"^([A-Za-z0-9]{4})*$"),
    "password": StringFormat(_secret, r"^[A-Za-z0-9]*$"),
}
