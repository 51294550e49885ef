"""What requests get that neither a mock nor a recording answers."""

from pathlib import Path

import pytest

from tests.pipeline.simulated import Simulated, said


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("on_miss: simulate", 200, ""),
        ("on_miss: fail", 404, "Neither a mock nor a recording answers this request."),
        ("on_miss: {models: {'gpt-*': fail}}", 404, "Neither"),
        ("on_miss: {default: fail, models: {'gpt-*': simulate, '*': fail}}", 200, ""),
        ("on_miss: fail\nmocks: [{response: Mocked.}]", 200, "Mocked."),
        ("on_miss: fail\nmocks: [{match: {model: other}, response: Mocked.}]", 404, "Neither"),
    ],
)
def test_what_nobody_answers(tmp_path: Path, text: str, status: int, words: str) -> None:
    plan = Simulated(tmp_path, text).ask("Hello")
    assert plan.status == status
    assert words in said(plan)
