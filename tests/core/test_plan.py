"""What is large, in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.core.plan import PIECE, LargeChunk, pieces


@given(sizes=st.lists(st.sampled_from([0, 1, 100, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])))
def test_pieces_are_the_whole_and_none_is_large(sizes: list[int]) -> None:
    parts = [bytes([place % 251]) * size for place, size in enumerate(sizes)]
    chunk = LargeChunk(parts)
    cut = list(pieces(chunk))
    assert b"".join(cut) == bytes(chunk) == b"".join(parts)
    assert len(chunk) == sum(sizes)
    assert all(0 < len(piece) <= PIECE for piece in cut)
    assert len(cut) <= 2 * len(chunk) // PIECE + 1  # small parts share a piece


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 5 * PIECE])
def test_bytes_are_cut_alike(size: int) -> None:
    cut = list(pieces(b"x" * size))
    assert b"".join(cut) == b"x" * size
    assert all(0 < len(piece) <= PIECE for piece in cut)
