"""What a gateway does to response headers."""

from llmsim.overhead.headers import header_changes
from llmsim.overhead.joining import Joined
from tests.overhead.made import ID, record, seen

DIRECT = {
    "x-request-id": f"req_{ID}",
    "x-llmsim-seed": "0",
    "server-timing": "ttft;dur=1100.000, total;dur=2000.000",
    "openai-version": "2020-10-01",
    "server": "granian",
    "date": "today",
    "transfer-encoding": "chunked",
}


def answer(headers: dict[str, str], error: str | None = None) -> Joined:
    return Joined(seen(headers=tuple(headers.items()), error=error), (record(),))


def test_what_is_the_same_is_no_change() -> None:
    found = header_changes([answer(DIRECT | {"date": "x"})], [answer(DIRECT)])
    assert (found.added, found.stripped, found.renamed) == ([], [], {})


def test_added_stripped_and_renamed() -> None:
    through = {
        "via": "toy",
        "content-length": "7",
        "upstream-id": f"req_{ID}",
        "llm_provider-server-timing": DIRECT["server-timing"],
        "x-version": "2020-10-01",
        "server": "toy",
    }
    found = header_changes([answer(through)], [answer(DIRECT)])
    assert found.added == ["via"]
    assert found.stripped == ["x-llmsim-seed"]
    assert found.renamed == {
        "openai-version": "x-version",
        "server-timing": "llm_provider-server-timing",
        "x-request-id": "upstream-id",
    }


def test_failures_say_nothing_about_headers() -> None:
    found = header_changes([answer({"x-error": "1"}, "status 500")], [answer(DIRECT)])
    assert (found.added, found.stripped, found.renamed) == ([], [], {})
