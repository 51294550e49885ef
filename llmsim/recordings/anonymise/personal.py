"""What tells who somebody is: e-mail addresses, phones, cards, accounts, network addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import partial
from typing import Final

import re2

from llmsim.recordings.anonymise.finding import Finder, Finding

EMAIL: Final = (
    r"[A-Za-z0-9][A-Za-z0-9._%+'-]*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)
USER_INFO: Final = r"\b[a-z][a-z0-9+.-]*://([^\s/@:\"']+(?::[^\s/@\"']*)?)@"
CARD: Final = (
    r"\b(?:\d{13,19}|\d{4}(?: \d{4}){3}(?: \d{1,3})?|\d{4}(?:-\d{4}){3}"
    r"|\d{4}[ -]\d{6}[ -]\d{4,5})\b"
)
IBAN: Final = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"
IPV4: Final = r"\b(?:\d{1,3}\.){3}\d{1,3}\b"
IPV6: Final = r"(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?:%[a-z0-9]+)?"
PHONE: Final = r"\+\d(?:(?: ?[()][ -]?|[ .-])?\d){6,14}\b"
DIGITS: Final = r"\b\d(?:[ -]?\d){6,}\b"

SHORTEST_CARD: Final = 13

_EMAIL, _USER_INFO, _CARD = re2.compile(EMAIL), re2.compile(USER_INFO), re2.compile(CARD)
_IBAN, _IPV4, _IPV6 = re2.compile(IBAN), re2.compile(IPV4), re2.compile(IPV6)
_DIGITS, _PHONE = re2.compile(DIGITS), re2.compile(PHONE)


def finders(regions: tuple[str, ...]) -> tuple[Finder, ...]:
    """What finds these values, the more certain first. ``regions`` are the countries (ISO 3166)
    whose phone numbers are found without a country code. Raises ModuleNotFoundError where the
    packages are missing that know them."""
    import phonenumbers  # noqa: F401, PLC0415  missed here, and not at the first text
    import stdnum  # noqa: F401, PLC0415

    return (user_info, emails, ibans, cards, addresses, partial(phones, regions=regions))


def user_info(text: str) -> Iterator[Finding]:
    """User and password in a URL."""
    for found in _USER_INFO.finditer(text):
        yield Finding(found.start(1), found.end(1), "user_info")


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses."""
    if "@" in text:
        for found in _EMAIL.finditer(text):
            yield Finding(found.start(), found.end(), "email")


def cards(text: str) -> Iterator[Finding]:
    """Numbers of payment cards: 13 to 19 digits that pass Luhn's check."""
    from stdnum import luhn  # noqa: PLC0415  an extra of those who record

    for found in _CARD.finditer(text):
        if text[found.start() - 1 : found.start()] == "+":
            continue  # a phone number may pass that check, too
        value = found.group()
        # A number of something else may follow in its format.
        for one in (value, value.rpartition(" ")[0]):
            digits = one.replace(" ", "").replace("-", "")
            if len(digits) < SHORTEST_CARD or digits[0] not in "23456" or len(set(digits)) == 1:
                break
            if luhn.is_valid(digits):
                yield Finding(found.start(), found.start() + len(one), "card")
                break


def ibans(text: str) -> Iterator[Finding]:
    """International bank account numbers that pass their check."""
    from stdnum import iban  # noqa: PLC0415

    for found in _IBAN.finditer(text):
        value = found.group()
        while len(value) >= 15:
            if iban.is_valid(value, check_country=False):
                yield Finding(found.start(), found.start() + len(value), "iban")
                break
            value = value.rpartition(" ")[0]  # a word in capitals may follow


def addresses(text: str) -> Iterator[Finding]:
    """IP addresses, but those that mean this machine, nobody or everybody."""
    for pattern, mark in ((_IPV4, "."), (_IPV6, "::" if "::" in text else ":")):
        if mark not in text:
            continue
        for found in pattern.finditer(text):
            if _is_somebodys(found.group()) and not _in_number(text, found.start(), found.end()):
                yield Finding(found.start(), found.end(), "ip")


def _is_somebodys(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 6 and ":" not in text.strip(":"):
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _in_number(text: str, start: int, stop: int) -> bool:
    """Whether it is a part of something longer, such as a version of five numbers, or follows a
    word that says it is a version."""
    around = text[start - 1 : start] + text[stop : stop + 1]
    longer = any(one.isalnum() or one in "_-" for one in around)
    longer = longer or (text[stop : stop + 1] == "." and text[stop + 1 : stop + 2].isdigit())
    before = text[max(start - 10, 0) : start].lower().rstrip(" =:v")
    return longer or before.endswith(("version", "release", "build"))


def phones(text: str, regions: tuple[str, ...]) -> Iterator[Finding]:
    """Phone numbers that exist by their country's plan."""
    if sum(map(str.isdigit, text)) < 7:
        return
    import phonenumbers  # noqa: PLC0415  an extra of those who record

    for found in _PHONE.finditer(text):
        value = found.group()
        while value and not _exists(value):
            value = value[: max(map(value.rfind, " .-()")) + 1].rstrip(" .-()")  # others may follow
        if value:
            yield Finding(found.start(), found.start() + len(value), "phone")
    for region in regions:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if _written_as_phone(match.raw_string):
                yield Finding(match.start, match.end, "phone")


def _exists(number: str) -> bool:
    """Whether a number with a country code is one by that country's plan."""
    import phonenumbers  # noqa: PLC0415

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return False


def _written_as_phone(text: str) -> bool:
    """Without a country code, only with separators: digits alone may be anything."""
    return any(one in text for one in " -().") and not any(map(str.isalpha, text))


def long_numbers(text: str) -> Iterator[Finding]:
    """Numbers of seven digits or more: accounts, customers, orders."""
    for found in _DIGITS.finditer(text):
        yield Finding(found.start(), found.end(), "number")
