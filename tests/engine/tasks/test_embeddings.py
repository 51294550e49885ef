"""Embeddings: unit length, the same everywhere, alike for texts that are alike."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.engine.tasks.embeddings import SPACE, vector

PARAPHRASES = [
    ("The cat sat on the mat.", "A cat was sitting on the mat"),
    ("How do I reset my password?", "I forgot my password, how can I reset it?"),
    ("The stock market fell sharply today", "Stocks fell sharply on the market today"),
    ("Der Zug nach Berlin fährt um neun Uhr", "Um neun Uhr fährt ein Zug nach Berlin"),
]
UNRELATED = "Quarterly revenue grew by nine percent"


def cosine(one: str, other: str, dimensions: int = 1536) -> float:
    return float(vector(one, dimensions) @ vector(other, dimensions))


@given(st.text(), st.sampled_from([1, 2, 3, 100, 768, 1536, 3072, SPACE, SPACE + 1]))
def test_every_text_has_a_vector_of_length_1(text, dimensions):
    made = vector(text, dimensions)
    assert made.shape == (dimensions,)
    assert made.dtype == np.float32
    assert np.linalg.norm(made) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("text", "paraphrase"), PARAPHRASES)
@pytest.mark.parametrize("dimensions", [256, 768, 1536, 3072])
def test_texts_that_say_the_same_are_nearer_than_others(text, paraphrase, dimensions):
    assert cosine(text, paraphrase, dimensions) > cosine(text, UNRELATED, dimensions) + 0.3


@pytest.mark.parametrize("other", ["hello world", "Hello, World!", "HELLO WORLD"])
def test_case_and_punctuation_count_for_little(other):
    assert cosine("Hello world.", other) > 0.99


def test_a_text_is_the_same_in_another_process():
    code = (
        "from llmsim.engine.tasks.embeddings import vector; import sys;"
        "sys.stdout.write(vector('the same text', 64).tobytes().hex())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == vector("the same text", 64).tobytes().hex()


def test_different_texts_differ():
    assert cosine("one", "another") < 0.9


def test_the_first_dimensions_are_the_shorter_vector():
    whole, short = vector("A text of some words", 1536), vector("A text of some words", 256)
    assert short == pytest.approx(whole[:256] / np.linalg.norm(whole[:256]), abs=1e-6)


def test_vectors_are_dense():
    assert np.mean(np.abs(vector("hi", 1536)) > 1e-5) > 0.99


def test_impossible_dimensions_are_named():
    with pytest.raises(ValueError, match="dimensions: must be at least 1, not 0"):
        vector("text", 0)


def test_a_hundred_tokens_take_no_time_worth_noticing():
    text = "counting what a gateway sends on " * 17
    vector(text, 1536)
    took = []
    for _ in range(50):
        start = time.perf_counter()
        vector(text, 1536)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.001
