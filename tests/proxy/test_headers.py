"""Which headers are passed on."""

from llmsim.proxy.headers import passed_here, to_client, to_upstream


def test_to_the_service() -> None:
    headers = [
        ("host", "localhost"),
        ("authorization", "Bearer k"),
        ("content-length", "7"),
        ("connection", "keep-alive, x-mine"),
        ("x-mine", "1"),
        ("accept-encoding", "gzip"),
        ("x-llmsim-error", "429"),
        ("x-stainless-lang", "python"),
        ("via", "1.1 front"),
    ]
    assert to_upstream(headers, "llmsim-1") == [
        ("authorization", "Bearer k"),
        ("x-stainless-lang", "python"),
        ("accept-encoding", "identity"),
        ("via", "1.1 front, 1.1 llmsim-1"),
    ]


def test_to_the_client() -> None:
    headers = [
        ("Content-Type", "text/event-stream"),
        ("Transfer-Encoding", "chunked"),
        ("Set-Cookie", "a"),
        ("Set-Cookie", "b"),
        ("X-Request-Id", "r"),
    ]
    assert to_client(headers) == [
        ("content-type", "text/event-stream"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("x-request-id", "r"),
    ]


def test_circles_are_seen() -> None:
    once = to_upstream([], "llmsim-1")
    assert passed_here(once, "llmsim-1")
    assert not passed_here(once, "llmsim-2")
    assert passed_here(to_upstream(once, "llmsim-2"), "llmsim-1")
