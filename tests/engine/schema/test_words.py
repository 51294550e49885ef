"""What names and descriptions say of a value."""

import pytest

from llmsim.engine.schema import words
from llmsim.engine.schema.plausible import BY_NAME, RANGES
from llmsim.engine.schema.seeded_random import SeededRandom


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("city", "city"),
        ("homeCity", "city"),
        ("CITY_NAME", "city"),
        ("cities", "city"),
        ("customer-email", "email"),
        ("userEmails", "email"),
        ("first_name", "firstname"),
        ("name", "name"),
        ("websiteURL", "url"),
        ("statuses", None),
        ("status", "status"),
        ("qwerty", None),
        ("", None),
    ],
)
def test_texts_by_name(name: str, entry: str | None) -> None:
    assert words.values(name) == (BY_NAME[entry] if entry else ())


@pytest.mark.parametrize(
    ("name", "entry"), [("age", "age"), ("unit_price", "price"), ("maxLatitude", "latitude")]
)
def test_ranges_by_name(name: str, entry: str) -> None:
    assert words.range_of(name) == RANGES[entry]


def test_range_of_any_other_number() -> None:
    assert words.range_of("qwerty") == (1, 100, 1)


@pytest.mark.parametrize("name", ["id", "orderId", "user_ids", "sku", "api_key"])
def test_identifiers(name: str) -> None:
    assert words.is_identifier(name)


@pytest.mark.parametrize("name", ["", "idea", "identity", "keyboard"])
def test_no_identifiers(name: str) -> None:
    assert not words.is_identifier(name)


def test_identifier_says_what_of() -> None:
    assert words.identifier("order_id", SeededRandom(1, 10)).startswith("order_")


@pytest.mark.parametrize(
    ("description", "example"),
    [
        ("The city and state, e.g. San Francisco, CA", "San Francisco, CA"),
        ("City and country e.g. Bogotá, Colombia", "Bogotá, Colombia"),
        ("A currency (for example 'EUR')", "EUR"),
        ("Ticker symbol, such as AAPL or MSFT.", "AAPL"),
        ("Example: hello world. More text.", "hello world"),
        ("The temperature unit to use.", None),
        ("e.g. ", None),
        ("", None),
    ],
)
def test_example_in_a_description(description: str, example: str | None) -> None:
    assert words.example(description) == example


@pytest.mark.parametrize(("low", "high"), [(0, 0), (1, 1), (0, 3), (12, 12), (300, 301)])
def test_phrase_has_the_length(low: int, high: int) -> None:
    for seed in range(50):
        text = words.phrase(low, high, SeededRandom(seed, 10))
        assert low <= len(text) <= high
        assert text == text.strip()
