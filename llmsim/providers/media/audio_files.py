"""Sound as files. WAV and raw PCM hold the tones; the formats that would take an encoder hold as
much silence, which every player of theirs takes.

Sources: RIFF WAVE; ISO 11172-3 and 13818-3 (MP3), 13818-7 (ADTS); RFC 9639 (FLAC), 3533 (Ogg), 7845
and 6716 (Opus).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from struct import pack
from typing import Final

from llmsim.providers.media.speech import RATE

# MPEG 2 layer III, 24 kHz, mono, 8 kbit/s: a header, and all zeros is silence. 576 samples.
_MP3: Final = bytes.fromhex("fff314c4") + bytes(20)
# A frame of silence of AAC LC, mono. 1024 samples.
_AAC_FRAME: Final = bytes.fromhex("00c800802380")
# 20 ms of CELT, fullband, mono. At 48 kHz, which Opus always counts in, 960 samples.
_OPUS: Final = bytes.fromhex("f8fffe")
_OPUS_SAMPLES: Final = 960
_OPUS_RATE: Final = 48_000
_OGG_PACKETS: Final = 50
_FLAC_BLOCK: Final = 4096


def wav(pcm: bytes) -> bytes:
    """A WAVE file of 16-bit samples."""
    form = pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"WAVEfmt " + pack("<I", len(form)) + form + b"data" + pack("<I", len(pcm))
    return b"RIFF" + pack("<I", len(head) + len(pcm)) + head + pcm


def mp3(pcm: bytes) -> bytes:
    return _MP3 * _frames(pcm, 576)


def aac(pcm: bytes) -> bytes:
    """Frames with ADTS headers."""
    return _adts(_AAC_FRAME) * _frames(pcm, 1024)


def flac(pcm: bytes) -> bytes:
    """A stream of constant subframes."""
    samples = len(pcm) // 2
    # 20 bits of rate, 3 of channels less one, 5 of bits less one, 36 of samples.
    form = RATE << 44 | 0 << 41 | 15 << 36 | samples
    info = pack(">HH", _FLAC_BLOCK, _FLAC_BLOCK) + bytes(6) + form.to_bytes(8, "big") + bytes(16)
    head = b"fLaC" + (0x80 << 24 | len(info)).to_bytes(4, "big") + info
    blocks = range(0, samples, _FLAC_BLOCK)
    return head + b"".join(
        _flac_frame(number, min(_FLAC_BLOCK, samples - start))
        for number, start in enumerate(blocks)
    )


def opus(pcm: bytes) -> bytes:
    """Opus in Ogg."""
    head = b"OpusHead" + pack("<BBHIHB", 1, 1, 0, RATE, 0, 0)
    tags = b"OpusTags" + pack("<I", 6) + b"llmsim" + pack("<I", 0)
    packets = _frames(pcm, _OPUS_SAMPLES * RATE // _OPUS_RATE)
    pages = [_ogg_page(0, 2, 0, [head]), _ogg_page(1, 0, 0, [tags])]
    for sent in range(0, packets, _OGG_PACKETS):
        count = min(_OGG_PACKETS, packets - sent)
        last = sent + count == packets
        at = (sent + count) * _OPUS_SAMPLES
        pages.append(_ogg_page(len(pages), 4 if last else 0, at, [_OPUS] * count))
    return b"".join(pages)


FORMATS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "wav": wav,
    "pcm16": bytes,
    "mp3": mp3,
    "aac": aac,
    "flac": flac,
    "opus": opus,
}
"""What makes a file of 16-bit samples at ``speech.RATE``, by the format's name."""


def _frames(pcm: bytes, samples: int) -> int:
    return max(1, -(-len(pcm) // (2 * samples)))


def _adts(frame: bytes) -> bytes:
    """A frame behind its header: AAC LC, 24 kHz (index 6), one channel, no CRC."""
    length = len(frame) + 7
    bits = 0xFFF << 44 | 0x1 << 40 | 1 << 38 | 6 << 34 | 1 << 30 | length << 13 | 0x7FF << 2
    return bits.to_bytes(7, "big") + frame


def _flac_frame(number: int, samples: int) -> bytes:
    """Block size in 16 bits at the end of the header, 24 kHz, mono, 16 bits, all samples 0."""
    head = b"\xff\xf8\x77\x08" + _coded(number) + pack(">H", samples - 1)
    frame = head + bytes([_crc(head, 8, 0x07)]) + bytes(3)
    return frame + _crc(frame, 16, 0x8005).to_bytes(2, "big")


def _coded(number: int) -> bytes:
    """A number as UTF-8 would code it."""
    return chr(number).encode("utf-8", "surrogatepass")


def _ogg_page(number: int, flags: int, samples: int, packets: list[bytes]) -> bytes:
    lacing = bytes(len(packet) for packet in packets)
    head = b"OggS\x00" + pack("<BqII", flags, samples, 1, number)
    page = head + bytes(4) + bytes([len(lacing)]) + lacing + b"".join(packets)
    return page[:22] + pack("<I", _crc(page, 32, 0x04C11DB7)) + page[26:]


def _crc(data: bytes, width: int, polynomial: int) -> int:
    table = _crc_table(width, polynomial)
    mask, value = (1 << width) - 1, 0
    for byte in data:
        value = (value << 8 & mask) ^ table[value >> width - 8 ^ byte]
    return value


@lru_cache(maxsize=3)
def _crc_table(width: int, polynomial: int) -> tuple[int, ...]:
    return tuple(_crc_rows(width, polynomial))


def _crc_rows(width: int, polynomial: int) -> Iterator[int]:
    top, mask = 1 << width - 1, (1 << width) - 1
    for byte in range(256):
        value = byte << width - 8
        for _ in range(8):
            value = (value << 1 & mask) ^ (polynomial if value & top else 0)
        yield value
