"""What is found in a text, and what takes its place."""

import re
from collections.abc import Callable
from random import Random
from string import ascii_letters, digits

import pytest
from stdnum import iban, luhn

from llmsim.engine.tokens.ranks import encoding
from llmsim.recordings.anonymise.anonymiser import Anonymiser, AnonymiseRules, applied
from llmsim.recordings.anonymise.finding import Finding, without_overlaps

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow1BAAKCAQEA75\nq1w2e3r4\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"

FOUND = [
    ("credentials", "api_key", "sk-ant-api03-AbCd1234efgh5678IJKL-x_y"),
    ("credentials", "api_key", "sk-proj-t8Qm3nXw0LrZk5VbYd2J"),
    ("credentials", "api_key", "AIzaSyD9kq2Lx7vWm4Rt0PzNc8Yb3Ue6Hg1Js5f"),
    ("credentials", "api_key", "ghp_q8Zt3Lm0Xw7Rk2Vb9Yd4Nc6Jp1Hs5Gf8Ta3Q"),
    ("credentials", "api_key", "xoxb-720418365907-wQz8Lm3XtR0k"),
    ("credentials", "api_key", "AKIAIOSFODNN7EXAMPLE"),
    ("credentials", "jwt", JWT),
    ("credentials", "private_key", PEM),
    ("credentials", "token", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY9z"),
    ("standard", "email", "ann.baker+x@mail.example-corp.co.uk"),
    ("standard", "phone", "+49 30 901820"),
    ("standard", "phone", "(415) 555-2671"),
    ("standard", "card", "4111 1111 1111 1111"),
    ("standard", "card", "5500005555555559"),
    ("standard", "iban", "DE89 3704 0044 0532 0130 00"),
    ("standard", "iban", "GB82WEST12345698765432"),
    ("standard", "ip", "10.20.30.41"),
    ("standard", "ip", "2a02:8071:b87:1::5"),
]
"""The first mode that finds it, its kind, and the value."""

CONTEXTS = ["{}", "Use {} now.", "({})", "key={} other", "a\n{}\nb", "„{}“"]

NOT_FOUND = [
    "The quick brown fox jumps over the lazy dog.",
    "claude-sonnet-4-5-20250929 and gpt-4o-2024-08-06",
    "chatcmpl-BkW3kq8sZ1yPp0a7c9LmN2xQ4vT6u",
    "toolu_01A09q90qw90lq917835lq9 and call_Ab3dEf6hIj9kLm2nOp5qRs8t",
    "550e8400-e29b-41d4-a716-446655440000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "The password is required. Your password must be long.",
    "Version 1.2.3.4 and 127.0.0.1 and 0.0.0.0",
    "On 2026-11-30 at 12:30:45, 3.14159265358979 and 1,000,000",
    "/usr/local/lib/python3.11/site-packages/llmsim/engine/plan.py",
    "https://example.org/a/b?c=d#e",
    "@decorator, user@ and a @ b",
    "1234567890123456",
    "secret: none, token: null, api_key: <your key>",
]


def anonymiser(mode: str = "standard", **more: tuple[str, ...]) -> Anonymiser:
    return Anonymiser(AnonymiseRules(mode, **more).finders(), b"salt")  # type: ignore[arg-type]


def replaced(text: str, mode: str = "standard", **more: tuple[str, ...]) -> str:
    one = anonymiser(mode, **more)
    one.look(text)
    return applied(text, one.edits(text, "text"))


@pytest.mark.parametrize(("mode", "kind", "value"), FOUND)
@pytest.mark.parametrize("context", CONTEXTS)
def test_a_value_is_found_and_replaced_by_its_kind(
    mode: str, kind: str, value: str, context: str
) -> None:
    text = context.format(value)
    one = anonymiser(mode)
    (edit,) = one.edits(text, "text")
    assert (edit.kind, text[edit.start : edit.stop]) == (kind, value)
    made = applied(text, [edit])
    assert value not in made
    assert made.startswith(text[: edit.start])
    assert made.endswith(text[edit.stop :])
    assert anonymiser(mode).kinds(made) == anonymiser(mode).kinds(text) != text


@pytest.mark.parametrize(("mode", "kind", "value"), FOUND)
def test_modes_find_what_they_say(mode: str, kind: str, value: str) -> None:
    assert bool(anonymiser("credentials").edits(value, "")) == (mode == "credentials")
    assert anonymiser("strict").edits(value, "")


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_is_no_value_stays(text: str) -> None:
    assert replaced(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Jane O'Neil and I live here.", "Jane O'Neil"),
        ("Dear Anna Schmidt,", "Anna Schmidt"),
        ("Thanks.\n\nBest regards,\nBob van der Berg", "Bob van der Berg"),
        ("Patient: Maria Lopez", "Maria Lopez"),
    ],
)
def test_strict_finds_names_by_what_is_around_them(text: str, name: str) -> None:
    assert replaced(text) == text
    made = replaced(text, "strict")
    assert name not in made
    assert made.partition(" ")[0] == text.partition(" ")[0]


@pytest.mark.parametrize("text", ["Dear Customer Support,", "Hi There", "This is The End"])
def test_capitals_are_not_always_names(text: str) -> None:
    assert replaced(text, "strict") == text


def test_listed_names_are_found_everywhere_and_alone() -> None:
    made = replaced("ACME, Acme and Acmeist: acme.", "credentials", names=("Acme",))
    assert re.findall(r"(?i)\bacme\b", made) == []
    assert "Acmeist" in made


def test_patterns_of_ones_own() -> None:
    rules = AnonymiseRules("credentials", patterns=(("ticket", r"TICKET-\d+"),))
    one = Anonymiser(rules.finders(), b"s")
    (edit,) = one.edits("see TICKET-4711.", "text")
    assert edit.kind == "ticket"
    assert re.fullmatch(r"[A-Z]{6}-\d{4}", edit.new)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"mode": "none"}, "none is no mode"),
        ({"patterns": (("x", "("),)}, r"x: \(: not a regular expression"),
    ],
)
def test_impossible_rules(rules: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnonymiseRules(**rules)  # type: ignore[arg-type]


def test_the_same_value_has_the_same_fake_and_others_another() -> None:
    text = "ann@corp.io, bob@corp.io, ann@corp.io"
    first, second, third = replaced(text).split(", ")
    assert first == third != second


def test_fakes_depend_on_the_salt() -> None:
    fakes = {
        Anonymiser(AnonymiseRules().finders(), salt).edits("10.20.30.40", "")[0].new
        for salt in (b"a", b"b", b"c", b"d")
    }
    assert len(fakes) > 1


@pytest.mark.parametrize(("_mode", "kind", "value"), FOUND)
def test_fakes_keep_format_and_tokens(_mode: str, kind: str, value: str) -> None:
    text = f"Please use {value} for it."
    one = anonymiser()
    (edit,) = one.edits(text, "text")
    made = applied(text, [edit])
    if kind in ("card", "iban", "phone"):
        assert re.sub(r"\d", "0", edit.new) == re.sub(r"\d", "0", value) or kind == "iban"
    if kind == "card":
        assert luhn.is_valid(re.sub(r"\D", "", edit.new))
    if kind == "iban":
        assert iban.is_valid(edit.new)
    if kind == "private_key":
        assert edit.new.count("\n") == value.count("\n")
    encode = encoding("o200k_base").encode_ordinary
    assert one.tokens_changed or len(encode(made)) == len(encode(text))


def key_like(random: Random) -> str:
    prefix = random.choice(["sk-proj-", "sk-ant-api03-", "AIza"])
    return prefix + "".join(random.choices(ascii_letters + digits, k=random.randrange(30, 48)))


def email_like(random: Random) -> str:
    first, last = random.choices(["olivia", "liam", "noah", "chen", "priya", "lucas"], k=2)
    return f"{first}{random.choice('._')}{last}@{random.choice(['gmail.com', 'uni-bonn.de'])}"


def address_like(random: Random) -> str:
    return ".".join(str(random.randrange(11, 223)) for _ in range(4))


@pytest.mark.parametrize("like", [key_like, email_like, address_like])
def test_most_fakes_keep_the_number_of_tokens(like: Callable[[Random], str]) -> None:
    random, kept = Random(7), 0
    for _ in range(50):
        text = f"Please use {like(random)} for it."
        one = anonymiser()
        (edit,) = one.edits(text, "text")
        encode = encoding("o200k_base").encode_ordinary
        same = len(encode(applied(text, [edit]))) == len(encode(text))
        assert same or one.tokens_changed
        kept += same
    assert kept >= 45


def test_a_value_that_one_place_tells_is_replaced_everywhere() -> None:
    one = anonymiser()
    one.look("The password: tr0ub4dor&3")
    one.look("Write to ann.baker@corp.io")
    made = applied(text := "tr0ub4dor&3 and ann.baker", one.edits(text, "text"))
    assert "tr0ub4dor" not in made
    assert "ann.baker" not in made


def test_of_overlapping_findings_the_first_counts() -> None:
    findings = [Finding(5, 9, "a"), Finding(0, 6, "b"), Finding(9, 11, "c"), Finding(1, 3, "d")]
    assert list(without_overlaps(findings)) == [
        Finding(1, 3, "d"),
        Finding(5, 9, "a"),
        Finding(9, 11, "c"),
    ]


def test_what_was_replaced_is_counted_by_kind_and_place() -> None:
    one = anonymiser()
    one.edits("a@b.io c@d.io", "request")
    one.edits("10.2.3.4", "response")
    assert dict(one.replaced) == {("email", "request"): 2, ("ip", "response"): 1}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("order 4111 1111 1111 1111 536,467", "card", "4111 1111 1111 1111"),
        ("call +4915123455557, please", "phone", "+4915123455557"),  # which passes Luhn's check
        ("It is +4930127825. 192.221.133.35 is down", "phone", "+4930127825"),
    ],
)
def test_what_follows_a_value_is_none_of_it(text: str, kind: str, value: str) -> None:
    found = {edit.kind: text[edit.start : edit.stop] for edit in anonymiser().edits(text, "text")}
    assert found[kind] == value
    assert "card" not in found or kind == "card"


def test_the_beginning_of_a_number_is_no_card() -> None:
    assert not anonymiser().edits("4000 0000 0002 1235", "text")  # 400000000002 would pass
