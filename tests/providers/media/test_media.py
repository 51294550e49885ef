"""Sounds and pictures: files that others can read, the same each time."""

import io
import shutil
import subprocess
import wave
from base64 import b64encode
from pathlib import Path

import pytest

from llmsim.providers.media import audio_files, png, speech

TOKENS = 30
SECONDS = TOKENS / 25
SOUND = speech.pcm("Hello", 0, TOKENS)


def test_pieces_joined_are_the_whole() -> None:
    pieces = [speech.pcm("Hello", token, token + 1) for token in range(TOKENS)]
    assert b"".join(pieces) == SOUND
    assert len(SOUND) == TOKENS * speech.TOKEN_BYTES
    assert b"".join(map(b64encode, pieces)) == b64encode(SOUND)
    assert any(SOUND)


def test_other_texts_sound_otherwise() -> None:
    assert speech.pcm("Good night", 0, TOKENS) != SOUND


def test_wav_is_read_by_the_standard_library() -> None:
    with wave.open(io.BytesIO(audio_files.wav(SOUND))) as file:
        assert file.getparams()[:4] == (1, 2, speech.RATE, len(SOUND) // 2)
        assert file.readframes(-1) == SOUND


BEGINNINGS = {
    "wav": b"RIFF",
    "mp3": b"\xff\xf3",
    "aac": b"\xff\xf1",
    "flac": b"fLaC",
    "opus": b"OggS",
}


@pytest.mark.parametrize("form", BEGINNINGS)
def test_formats_begin_as_they_should_and_grow_with_the_text(form: str) -> None:
    file = audio_files.FORMATS[form](SOUND)
    assert file.startswith(BEGINNINGS[form])
    assert len(audio_files.FORMATS[form](SOUND * 4)) > len(file) > 100


def test_mp3_and_aac_are_whole_frames() -> None:
    assert len(audio_files.mp3(SOUND)) % 24 == 0
    aac = audio_files.aac(SOUND)
    length = (aac[3] & 3) << 11 | aac[4] << 3 | aac[5] >> 5
    assert length == 13
    assert len(aac) % length == 0


def test_ogg_pages_have_their_checksums() -> None:
    file = audio_files.opus(SOUND * 4)
    pages = file.split(b"OggS")[1:]
    assert len(pages) > 3
    for rest in pages:
        page = b"OggS" + rest
        blank = page[:22] + bytes(4) + page[26:]
        assert int.from_bytes(page[22:26], "little") == audio_files._crc(blank, 32, 0x04C11DB7)


def test_flac_is_of_known_checksums() -> None:
    """CRC-8 and CRC-16 of "123456789", as catalogues of them have it."""
    assert audio_files._crc(b"123456789", 8, 0x07) == 0xF4
    assert audio_files._crc(b"123456789", 16, 0x8005) == 0xFEE8


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize("form", BEGINNINGS)
def test_ffmpeg_decodes_each_format(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"sound.{form}"
    file.write_bytes(audio_files.FORMATS[form](SOUND))
    made = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(file), "-f", "s16le", "-ar", "24000", "-"],
        capture_output=True,
        check=True,
    )
    assert made.stderr == b""
    assert abs(len(made.stdout) / 2 / speech.RATE - SECONDS) < 0.1


def test_png_is_a_picture_of_that_size() -> None:
    image = pytest.importorskip("PIL.Image")
    with image.open(io.BytesIO(png.stripes(7, 1344, 768))) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (1344, 768))
        assert len(picture.convert("RGB").getcolors()) == png.PALETTE
    assert png.stripes(7, 64, 64) != png.stripes(8, 64, 64)
    assert len(png.stripes(7, 1024, 1024)) < 5000
