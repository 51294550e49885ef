"""Every dialect tells every failure, before the first byte and in the middle of a stream."""

import orjson
import pytest

from llmsim.core import Codec, Request, Stamp
from llmsim.core.errors import Failure, FailureKind
from llmsim.providers.anthropic.messages.codec import Anthropic, AnthropicBatch, AnthropicCount
from llmsim.providers.gemini.count_tokens import GeminiCount
from llmsim.providers.gemini.embeddings import GeminiEmbed
from llmsim.providers.gemini.generate.codec import Gemini
from llmsim.providers.openai.chat.codec import OpenAIChat
from llmsim.providers.openai.completions.codec import OpenAICompletions
from llmsim.providers.openai.embeddings import OpenAIEmbeddings
from llmsim.providers.openai.images.codec import OpenAIImages
from llmsim.providers.openai.moderations import OpenAIModerations
from llmsim.providers.openai.responses.codec import OpenAIResponses

STAMP = Stamp("0123456789abcdef0123456789", 1_700_000_000)
OPENAI: list[Codec] = [
    OpenAIChat(),
    OpenAICompletions(),
    OpenAIEmbeddings(),
    OpenAIImages("generations", lambda canvas: ""),
    OpenAIModerations(),
    OpenAIResponses(),
]
ANTHROPIC: list[Codec] = [Anthropic(), AnthropicCount(), AnthropicBatch()]
GEMINI: list[Codec] = [
    Gemini("gemini-2.5-flash"),
    Gemini("gemini-2.5-flash", True),
    Gemini("gemini-2.5-flash", True, events=False),
    GeminiCount("gemini-2.5-flash"),
    GeminiEmbed("gemini-embedding-001"),
]
EVERY = OPENAI + ANTHROPIC + GEMINI
ASK = Request("gpt-4o", ())
RESPONSES_ASK = OpenAIResponses().decode(b'{"model":"gpt-4o","input":"hi","stream":true}')


def name(value: object) -> str:
    return f"{type(value).__name__}" if not isinstance(value, FailureKind) else value.value


@pytest.mark.parametrize("kind", FailureKind, ids=name)
@pytest.mark.parametrize("dialect", EVERY, ids=name)
def test_every_kind_has_a_status_and_words(dialect: Codec, kind: FailureKind) -> None:
    status, body = dialect.failure(Failure(kind, "", injected=True), STAMP)
    told = orjson.loads(body)
    error = (told[0] if isinstance(told, list) else told)["error"]
    assert 400 <= status <= 599
    assert error["message"]


@pytest.mark.parametrize("dialect", EVERY, ids=name)
def test_words_and_status_that_are_given_count(dialect: Codec) -> None:
    failure = Failure(FailureKind.OVERLOADED, "so there", status=418)
    status, body = dialect.failure(failure, STAMP)
    assert status == 418
    assert b"so there" in body


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        (FailureKind.RATE_LIMIT, 429, "RESOURCE_EXHAUSTED"),
        (FailureKind.OVERLOADED, 503, "UNAVAILABLE"),
        (FailureKind.AUTHENTICATION, 400, "INVALID_ARGUMENT"),
    ],
)
def test_geminis_refusals_say_in_the_body_when_to_come_back(
    kind: FailureKind, status: int, said: str
) -> None:
    failure = Failure(kind, "", retry_after=2.5)
    told_status, body = GEMINI[0].failure(failure, STAMP)
    error = orjson.loads(body)["error"]
    assert (told_status, error["code"], error["status"]) == (status, status, said)
    delays = [one["retryDelay"] for one in error["details"] if "retryDelay" in one]
    assert delays == ["2.5s"]


@pytest.mark.parametrize(
    ("dialects", "after", "expected"),
    [
        (OPENAI, 2.5, [("retry-after", "3"), ("retry-after-ms", "2500")]),
        (OPENAI, 0.02, [("retry-after", "1"), ("retry-after-ms", "20")]),
        (ANTHROPIC, 2.5, [("retry-after", "3")]),
        (ANTHROPIC, 60.0, [("retry-after", "60")]),
        (GEMINI, 2.5, []),
    ],
)
def test_when_to_come_back(
    dialects: list[Codec], after: float, expected: list[tuple[str, str]]
) -> None:
    assert [dialect.retry(after) for dialect in dialects] == [expected] * len(dialects)


@pytest.mark.parametrize("kind", FailureKind, ids=name)
@pytest.mark.parametrize(
    ("dialect", "chat", "before", "after"),
    [
        (OpenAIChat(), ASK, b"data: ", b"\n\n"),
        (OpenAICompletions(), ASK, b"data: ", b"\n\n"),
        (OpenAIImages("generations", lambda canvas: ""), ASK, b"event: error\ndata: ", b"\n\n"),
        (OpenAIResponses(), RESPONSES_ASK, b"event: response.failed\ndata: ", b"\n\n"),
        (Anthropic(), ASK, b"event: error\ndata: ", b"\n\n"),
        (Gemini("m", True), ASK, b"data: ", b"\r\n\r\n"),
        (Gemini("m", True, events=False), ASK, b"", b"\n]"),
    ],
    ids=name,
)
def test_every_kind_has_an_event(
    dialect: Codec, chat: Request, before: bytes, after: bytes, kind: FailureKind
) -> None:
    event = dialect.broken(chat, Failure(kind, "", injected=True), STAMP, 3)
    assert event.startswith(before)
    assert event.endswith(after)
    told = orjson.loads(event.removeprefix(before).removesuffix(after))
    error = told["response"]["error"] if "response" in told else told["error"]
    assert error["message"]


@pytest.mark.parametrize(
    "dialect",
    [OpenAIEmbeddings(), OpenAIModerations(), GeminiCount("m"), GeminiEmbed("m")],
    ids=name,
)
def test_what_is_never_streamed_has_none(dialect: Codec) -> None:
    assert dialect.broken(ASK, Failure(FailureKind.OVERLOADED, ""), STAMP, 3) == b""
