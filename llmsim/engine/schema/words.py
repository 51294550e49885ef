"""Plausible values: what a property of a given name usually holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from llmsim.engine.schema.dice import Dice

T = TypeVar("T")

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_EXAMPLE = re.compile(
    r"(?:\be\.g\.,?|\bfor example[,:]?|\bsuch as|\bexamples?:) ?[\"'`“‘]?([^\"'`”’()\[\]{}\n]{1,60})",
    re.IGNORECASE,
)

PLAIN = (
    "alpha", "amber", "anchor", "aspen", "atlas", "aurora", "basil", "beacon", "birch", "breeze",
    "bridge", "canyon", "cedar", "cobalt", "comet", "copper", "coral", "crystal", "delta", "dune",
    "echo", "ember", "falcon", "fern", "forest", "garden", "glacier", "granite", "harbor", "harvest",
    "hazel", "horizon", "indigo", "iris", "island", "ivory", "jasper", "juniper", "lagoon", "lantern",
    "lemon", "linen", "lotus", "maple", "marble", "meadow", "mercury", "mint", "mosaic", "nectar",
    "nova", "oak", "ocean", "olive", "onyx", "opal", "orbit", "orchid", "pearl", "pebble",
    "pine", "planet", "prairie", "quartz", "raven", "reef", "ridge", "river", "robin", "saffron",
    "sage", "sierra", "silver", "solar", "spruce", "summit", "tango", "teal", "thunder", "tide",
    "timber", "topaz", "tulip", "tundra", "valley", "velvet", "violet", "willow", "winter", "zenith",
)  # fmt: skip

FIRST = ("Ada", "Alan", "Amara", "Ben", "Chloe", "Diego", "Elena", "Grace", "Kenji", "Lena")
LAST = (
    "Garcia",
    "Hopper",
    "Ito",
    "Lovelace",
    "Meyer",
    "Novak",
    "Okafor",
    "Rossi",
    "Silva",
    "Turing",
)
_PEOPLE = tuple(f"{first} {last}" for first, last in zip(FIRST, LAST, strict=True))
_CITIES = (
    "Paris",
    "Tokyo",
    "Berlin",
    "London",
    "Madrid",
    "Toronto",
    "Nairobi",
    "Boston",
    "Seoul",
    "Lisbon",
)
_PLACES = ("Paris, France", "Boston, MA", "Tokyo, Japan", "Berlin, Germany", "San Francisco, CA")
_SENTENCES = (
    "The team will review the results this week.",
    "A short note about the next steps.",
    "Everything is ready and works as expected.",
    "Please confirm the details before Friday.",
    "The order was shipped this morning.",
)
_TITLES = ("Weekly summary", "Project update", "Travel plan", "Quarterly report", "Meeting notes")
_QUERIES = (
    "latest release notes",
    "weather this weekend",
    "open support tickets",
    "best rated laptops",
)

_TABLE: dict[str, tuple[str, ...]] = {
    "address": ("12 Main Street", "48 Oak Avenue", "7 Harbor Road"),
    "author": _PEOPLE,
    "body": _SENTENCES,
    "brand": ("Acme", "Globex", "Initech", "Umbra"),
    "category": ("books", "electronics", "garden", "travel", "music"),
    "city": _CITIES,
    "code": ("A17", "B42", "C08", "D93"),
    "color": ("blue", "green", "red", "teal", "orange"),
    "colour": ("blue", "green", "red", "teal", "orange"),
    "comment": _SENTENCES,
    "company": ("Acme Corp", "Globex", "Initech", "Northwind"),
    "condition": ("sunny", "cloudy", "rainy", "windy"),
    "content": _SENTENCES,
    "country": ("France", "Japan", "Germany", "Canada", "Kenya"),
    "currency": ("USD", "EUR", "GBP", "JPY"),
    "date": ("2025-03-14", "2025-06-02", "2025-09-21", "2025-11-30"),
    "datetime": ("2025-03-14T09:30:00Z", "2025-06-02T16:45:00Z"),
    "day": ("Monday", "Wednesday", "Friday", "Saturday"),
    "department": ("Engineering", "Sales", "Finance", "Support"),
    "description": _SENTENCES,
    "destination": _CITIES,
    "email": ("ada@example.com", "ben@example.org", "chloe@example.net"),
    "expression": ("2 + 2", "3 * (4 + 5)", "10 / 4"),
    "file": ("report.pdf", "notes.txt", "data.csv"),
    "filename": ("report.pdf", "notes.txt", "data.csv"),
    "firstname": FIRST,
    "gender": ("female", "male"),
    "hotel": ("Hotel Lumen", "Grand Plaza", "Harbor Inn"),
    "industry": ("software", "retail", "energy", "health"),
    "ingredient": ("basil", "garlic", "olive oil", "tomato"),
    "keyword": ("latency", "throughput", "pricing", "support"),
    "label": ("bug", "feature", "question", "urgent"),
    "language": ("English", "French", "German", "Japanese"),
    "lastname": LAST,
    "level": ("low", "medium", "high"),
    "locale": ("en-US", "fr-FR", "de-DE", "ja-JP"),
    "location": _PLACES,
    "message": _SENTENCES,
    "model": ("standard", "compact", "pro"),
    "month": ("January", "April", "July", "October"),
    "name": _PEOPLE,
    "note": _SENTENCES,
    "origin": _CITIES,
    "path": ("/data/report.csv", "/home/user/notes.txt", "/var/log/app.log"),
    "phone": ("+1-555-0134", "+1-555-0178", "+1-555-0199"),
    "place": _PLACES,
    "postcode": ("75001", "10115", "02108"),
    "priority": ("low", "medium", "high"),
    "product": ("desk lamp", "notebook", "headphones", "backpack"),
    "prompt": ("Summarise the text.", "Describe the picture."),
    "query": _QUERIES,
    "question": ("What are the opening hours?", "Which plan is the cheapest?"),
    "reason": ("It matches the request.", "The price is lower.", "No other option is available."),
    "region": ("Europe", "Asia", "Africa", "North America"),
    "role": ("admin", "editor", "viewer"),
    "search": _QUERIES,
    "state": ("California", "Texas", "Bavaria", "Ontario"),
    "status": ("active", "pending", "done"),
    "street": ("12 Main Street", "48 Oak Avenue", "7 Harbor Road"),
    "subject": _TITLES,
    "summary": _SENTENCES,
    "symbol": ("AAPL", "MSFT", "NVDA", "TSLA"),
    "tag": ("new", "sale", "travel", "weekly"),
    "task": ("Book the flight", "Send the invoice", "Update the page"),
    "text": _SENTENCES,
    "ticker": ("AAPL", "MSFT", "NVDA", "TSLA"),
    "time": ("09:30", "12:00", "16:45"),
    "timestamp": ("2025-03-14T09:30:00Z", "2025-06-02T16:45:00Z"),
    "timezone": ("Europe/Paris", "America/New_York", "Asia/Tokyo"),
    "title": _TITLES,
    "topic": ("solar energy", "city history", "machine learning"),
    "type": ("standard", "express", "basic"),
    "unit": ("celsius", "meter", "kg"),
    "uri": ("https://example.com/docs", "https://example.org/item/42"),
    "url": ("https://example.com/docs", "https://example.org/item/42"),
    "username": ("ada", "ben42", "chloe_k"),
    "website": ("https://example.com", "https://example.org"),
    "zip": ("75001", "10115", "02108"),
}  # fmt: skip

_NUMBERS: dict[str, tuple[int, int, int]] = {
    "age": (18, 80, 0),
    "amount": (5, 500, 2),
    "confidence": (0, 1, 2),
    "cost": (5, 500, 2),
    "count": (1, 20, 0),
    "day": (1, 28, 0),
    "duration": (5, 120, 0),
    "height": (10, 200, 0),
    "hour": (0, 23, 0),
    "humidity": (20, 90, 0),
    "lat": (-60, 60, 4),
    "latitude": (-60, 60, 4),
    "limit": (5, 50, 0),
    "lng": (-170, 170, 4),
    "longitude": (-170, 170, 4),
    "minute": (0, 59, 0),
    "month": (1, 12, 0),
    "page": (1, 10, 0),
    "percent": (0, 100, 1),
    "port": (1024, 9999, 0),
    "price": (5, 500, 2),
    "probability": (0, 1, 2),
    "quantity": (1, 10, 0),
    "rating": (1, 5, 1),
    "score": (0, 1, 2),
    "temperature": (-5, 35, 1),
    "total": (5, 500, 2),
    "width": (10, 200, 0),
    "year": (1990, 2025, 0),
}

_ANY_NUMBER = (1, 100, 1)


@lru_cache(maxsize=4096)
def _parts(name: str) -> tuple[str, ...]:
    """The words of a name, lower case, singular and in order: ``userIDs`` → user, id."""
    return tuple(singular(part.lower()) for part in _PARTS.findall(name[:100]))


def singular(word: str) -> str:
    """An English plural without its ending, as far as a letter or two can tell."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


@lru_cache(maxsize=4096)
def values(name: str) -> tuple[str, ...]:
    """Texts a property of this name may hold; empty if the name says nothing."""
    return _looked_up(_TABLE, name) or ()


@lru_cache(maxsize=4096)
def range_of(name: str) -> tuple[int, int, int]:
    """The usual range of a number of this name, and how many decimals it has."""
    return _looked_up(_NUMBERS, name) or _ANY_NUMBER


def _looked_up(table: Mapping[str, T], name: str) -> T | None:
    parts = _parts(name)
    joined = "".join(parts)
    if joined in table:
        return table[joined]
    for part in sorted(reversed(parts), key=lambda part: part == "name"):  # "city_name" is a city
        if part in table:
            return table[part]
    return None


def is_identifier(name: str) -> bool:
    """Whether the name is that of an id: ``order_id``, ``sku``."""
    parts = _parts(name)
    return bool(parts) and parts[-1] in {"id", "sku", "uid", "key", "token", "reference"}


def identifier(name: str, dice: Dice) -> str:
    """An id that shows what it identifies: ``order_4821``."""
    parts = _parts(name)
    prefix = parts[-2] if len(parts) > 1 else "id"
    return f"{prefix}_{dice.between(1000, 9999)}"


def phrase(low: int, high: int, dice: Dice) -> str:
    """Words separated by spaces, between ``low`` and ``high`` characters in all."""
    text = dice.pick(PLAIN)
    while len(text) < low:
        text += " " + dice.pick(PLAIN)
    text = text[:high]
    return text[:-1] + "a" if text.endswith(" ") else text


@lru_cache(maxsize=4096)
def example(description: str) -> str | None:
    """The example a description gives: "City and state, e.g. Boston, MA" → ``Boston, MA``."""
    found = _EXAMPLE.search(description[:2000])
    if found is None:
        return None
    text = re.split(r"\.(?:\s|$)|;|,? (?:or|and|etc)\b", found[1])[0].strip(" ,.:")
    return text or None
