"""What a scrape of /metrics costs: 8 workers, 50 models.

python -m bench.scrape
"""

from __future__ import annotations

import statistics
import time

from llmsim.config import Config, Metrics
from llmsim.shared import layout
from llmsim.shared.board import Board
from llmsim.telemetry.prometheus import Reading, render
from llmsim.telemetry.snapshot import Snapshot, Worker

WORKERS = 8
SLOTS = 2 * WORKERS + 2  # as a server of so many workers has
MODELS = 50
STATUSES = (200, 400, 429, 499)
ENDPOINTS = ("/v1/chat/completions", "/v1/messages")
ROUNDS = 60
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def busy() -> list[Board]:
    """The boards of a server that has answered every model with every status."""
    boards = [Board(memoryview(bytearray(layout.SIZE))) for _ in range(SLOTS)]
    for slot, board in enumerate(boards[:WORKERS]):
        board.take_over(1000 + slot)
        board.sampled(1, 1, 1, 1, 1)
        for number in range(MODELS * len(STATUSES) * len(ENDPOINTS)):
            status = STATUSES[number % len(STATUSES)]
            endpoint = ENDPOINTS[number // len(STATUSES) % len(ENDPOINTS)]
            board.started()
            row = board.row(endpoint, f"model-{number % MODELS}", status)
            board.finished(row, number, (10, 20, 1, 2), True)
            board.timed(number / 50, number / 500)
            board.late(number, 3)
            board.apart(number * 50)
    return boards


def milliseconds(
    boards: list[Board], config: Metrics, accept: str, encodings: str, rounds: int = ROUNDS
) -> list[float]:
    """How long each of some scrapes took."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        workers = [Worker.of(slot, board) for slot, board in enumerate(boards) if board.pid]
        reading = Reading(Snapshot(boards), workers, WORKERS, 0.0, 1.0)
        render(reading, config, accept, encodings)
        took.append((time.perf_counter() - began) * 1e3)
    return took


def main() -> None:
    """Print the median and the longest of each kind of scrape."""
    boards = busy()
    vllm = Config(metrics=Metrics(vllm=True)).metrics
    for name, config, accept, encodings in (
        ("text", Metrics(), "", ""),
        ("text, gzip", Metrics(), "", "gzip"),
        ("OpenMetrics, gzip", Metrics(), OPENMETRICS, "gzip"),
        ("text, vLLM's names too", vllm, "", ""),
    ):
        took = milliseconds(boards, config, accept, encodings)
        print(f"{name:24} median {statistics.median(took):6.2f} ms  longest {max(took):6.2f} ms")


if __name__ == "__main__":
    main()
