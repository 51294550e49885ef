"""The workers panel: one line a process, the busiest first."""

from __future__ import annotations

from rich.text import Text

from llmsim.tui import number_format
from llmsim.tui.history import History
from llmsim.tui.stats import ServerStats, WorkerStats
from llmsim.tui.traffic import apart

_PID = 6


def workers(history: History, stats: ServerStats, width: int, height: int) -> list[Text]:
    """How many there are and how often one was restarted; then processor, memory and how late
    its event loop runs, of each."""
    restarts = stats.worker_restarts
    again = "" if restarts is None else number_format.counted(restarts, "restart")
    head = apart(f"{len(stats.workers)} up", again, width, "bold" if stats.workers else "bold red")
    busiest = sorted(stats.workers, key=lambda one: (-history.cpu.get(one.slot, 0.0), one.slot))
    lines = [head, Text(_row(("pid", "cpu", "mem", "lag"), width), "dim")]
    room = max(0, height - len(lines))
    shown = busiest if len(busiest) <= room else busiest[: max(0, room - 1)]
    lines += [Text(_worker(one, history.cpu.get(one.slot), width)) for one in shown]
    if len(shown) < len(busiest):
        lines.append(Text(f"and {len(busiest) - len(shown)} more", "dim"))
    return lines


def _worker(one: WorkerStats, cpu: float | None, width: int) -> str:
    busy = number_format.NONE if cpu is None else f"{100 * cpu:.0f}%"
    return _row(
        (str(one.pid), busy, number_format.size(one.rss_bytes), number_format.millis(one.lag_ms)),
        width,
    )


def _row(cells: tuple[str, str, str, str], width: int) -> str:
    pid, *rest = cells
    each = min(9, max(5, (width - _PID) // 3))
    right = "".join(cell.rjust(each) for cell in rest)
    return pid + right.lstrip().rjust(_PID + len(right) - len(pid))
