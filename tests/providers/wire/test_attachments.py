"""Files in requests: sizes of pictures, and marks that tell files apart."""

from base64 import b64encode

import pytest

from llmsim.providers.wire.attachments import mark, size


def big(number: int, width: int) -> bytes:
    return number.to_bytes(width, "big")


def little(number: int, width: int) -> bytes:
    return number.to_bytes(width, "little")


def riff(kind: bytes, rest: bytes) -> bytes:
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + rest


def frame(marker: int) -> bytes:
    return b"\xff" + bytes([marker]) + big(17, 2) + b"\x08" + big(480, 2) + big(640, 2) + bytes(10)


PREVIEW = b"\xff\xe1" + big(30_000, 2) + bytes(29_998)
PICTURES = {
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + big(640, 4) + big(480, 4),
    "gif": b"GIF89a" + little(640, 2) + little(480, 2) + bytes(8),
    "jpeg": b"\xff\xd8" + frame(0xC0),
    "progressive jpeg": b"\xff\xd8" + frame(0xC2),
    "jpeg with a preview": b"\xff\xd8" + PREVIEW + frame(0xC0),
    "webp": riff(b"VP8 ", bytes(6) + little(640, 2) + little(480, 2)),
    "lossless webp": riff(b"VP8L", b"\x2f" + little(639 | 479 << 14, 4) + bytes(8)),
    "extended webp": riff(b"VP8X", bytes(4) + little(639, 3) + little(479, 3)),
}


@pytest.mark.parametrize("data", PICTURES.values(), ids=PICTURES)
def test_sizes(data: bytes) -> None:
    assert size(b64encode(data).decode()) == (640, 480)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "A",
        "no base64!",
        "ünïcode",
        b64encode(b"plain text, and more of it than a picture's head would be").decode(),
        b64encode(PICTURES["png"][:14]).decode(),
        b64encode(b"\xff\xd8\xff").decode(),
        b64encode(b"\xff\xd8" + PREVIEW).decode(),
        b64encode(riff(b"ALPH", bytes(20))).decode(),
    ],
)
def test_what_is_no_picture_has_no_size(encoded: str) -> None:
    width, height = size(encoded)
    assert width * height == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a" * 10_000, "a" * 10_001),
        ("a" * 10_000 + "b", "a" * 10_000 + "c"),
        ("a" + "c" * 10_000, "b" + "c" * 10_000),
    ],
)
def test_marks_tell_files_apart(one: str, other: str) -> None:
    assert mark(one) == mark(one) != mark(other)
    assert mark(one, mark(other)) not in {mark(one), mark(other, mark(one))}
