"""An HTTP/1.1 response as it comes, with when each part of its body came."""

from __future__ import annotations

from typing import NamedTuple

MOST_HEAD = 1 << 16
BODILESS = (204, 304)


class HttpError(Exception):
    """What came is no HTTP/1.1 response."""


class Read(NamedTuple):
    """One read: how long the body was after it, when its last byte was in this machine's kernel,
    and when this process had it; Unix times in seconds."""

    end: int
    arrived: float
    seen: float


class ResponseReader:
    """Fed with bytes, has status, headers (lower case), body and ``reads`` of one response.

    ``done`` says that the response is whole, ``kept`` whether its connection can be used again.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.reads: list[Read] = []
        self.head_arrived = 0.0
        self.done = False
        self.kept = True
        self._rest = bytearray()
        self._left: int | None = None
        """Bytes to come, of the body or of a chunk; None where only the closing ends it."""
        self._chunked = False
        self._last = False

    @property
    def begun(self) -> bool:
        return bool(self.status or self._rest)

    def feed(self, data: bytes, arrived: float, seen: float) -> bool:
        """Take what one read brought; whether the response is whole. Raises HttpError."""
        before = len(self.body)
        self.head_arrived = self.head_arrived or arrived
        if self.status and not self._chunked:
            self._take(data)
        else:
            self._rest += data
            if not self.status and not self._head():
                return False
            if self._chunked:
                self._chunks()
        if len(self.body) > before or self.done:
            self.reads.append(Read(len(self.body), arrived, seen))
        return self.done

    def closed(self) -> bool:
        """The connection was closed by the other side: whether the response is whole."""
        self.kept = False
        if self.status and not self._chunked and self._left is None:
            self.done = True
        return self.done

    def _head(self) -> bool:
        end = self._rest.find(b"\r\n\r\n")
        if end < 0:
            if len(self._rest) > MOST_HEAD:
                raise HttpError("the head of the response does not end")
            return False
        head, rest = bytes(self._rest[:end]), bytes(self._rest[end + 4 :])
        self._rest.clear()
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, status = first.partition(" ")
        if not version.startswith("HTTP/1.") or not status[:3].isdigit():
            raise HttpError(f"not HTTP/1.1: {first[:60]!r}")
        if status.startswith("1"):  # 100 Continue, 103 Early Hints
            self._rest += rest
            return self._head()
        self.status = int(status[:3])
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.append((name.strip().lower(), value.strip()))
        self._framing(version)
        if self._chunked:
            self._rest += rest
        else:
            self._take(rest)
        return True

    def _framing(self, version: str) -> None:
        fields = dict(self.headers)
        self.kept = version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
        if "chunked" in fields.get("transfer-encoding", "").lower():
            self._chunked, self._left = True, 0
        elif self.status in BODILESS:
            self._left = 0
        elif "content-length" in fields:
            if not fields["content-length"].isdigit():
                raise HttpError(f"content-length: {fields['content-length'][:40]!r}")
            self._left = int(fields["content-length"])

    def _take(self, data: bytes) -> None:
        if self._left is None:
            self.body += data
            return
        self.body += data[: self._left]
        self.kept = self.kept and len(data) <= self._left
        self._left = max(self._left - len(data), 0)
        self.done = not self._left

    def _chunks(self) -> None:
        rest = self._rest
        at = 0
        while True:
            if self._left:
                part = rest[at : at + self._left]
                self.body += part
                at += len(part)
                self._left -= len(part)
                if self._left:
                    break
            line = rest.find(b"\r\n", at)
            if line < 0:
                break
            if line == at:  # behind a chunk's data, or the end of the trailers
                at += 2
                if self._last:
                    self.done = True
                    break
                continue
            if not self._last:
                try:
                    self._left = int(rest[at:line].partition(b";")[0], 16)
                except ValueError:
                    raise HttpError(f"size of a chunk: {bytes(rest[at:line])[:40]!r}") from None
                self._last = not self._left
            at = line + 2
        del rest[:at]
