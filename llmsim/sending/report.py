"""What came of the requests that were sent: figures beside those that were recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from llmsim.sending.sender import Answer, SendingProgress

SHARES: Final = (50, 90, 95, 99)
MEASURES: Final = ("ttft_ms", "total_ms", "itl_ms")


def report(answers: Sequence[Answer], progress: SendingProgress, seconds: float) -> dict[str, Any]:
    """The report as JSON: times in milliseconds. ``itl_ms`` is the mean time between the tokens of
    each answer; what is ``recorded`` is of the same requests."""
    good = [one for one in answers if one.good]
    recorded = [one.asked.before for one in good]
    known = [one for one in answers if one.asked.before.status]
    return {
        "sent": progress.sent,
        "answered": len(good),
        "failed": len(answers) - len(good),
        "unanswered": progress.sent - len(answers),
        "seconds": round(seconds, 3),
        "requests_per_second": round(progress.sent / seconds, 3) if seconds else 0.0,
        "most_in_flight": progress.most_open,
        "late_ms": _spread(one.late for one in answers),
        "statuses": _counted(str(one.status) for one in answers if one.status),
        "problems": _counted(one.problem for one in answers if one.problem),
        "status_as_recorded": sum(one.status == one.asked.before.status for one in known),
        "status_other": sum(one.status != one.asked.before.status for one in known),
        "prompt_tokens": sum(one.prompt_tokens for one in good),
        "completion_tokens": sum(one.completion_tokens for one in good),
        "ttft_ms": _spread(one.ttft for one in good),
        "total_ms": _spread(one.total for one in good),
        "itl_ms": _spread(_between(one.ttft, one.total, one.completion_tokens) for one in good),
        "recorded": {
            "prompt_tokens": sum(one.prompt_tokens for one in recorded),
            "completion_tokens": sum(one.completion_tokens for one in recorded),
            "ttft_ms": _spread(one.ttft for one in recorded),
            "total_ms": _spread(one.total for one in recorded),
            "itl_ms": _spread(
                _between(one.ttft, one.total, one.completion_tokens) for one in recorded
            ),
        },
    }


def rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """The measures of a report as lines of a table; each with the recorded one below it, where
    there is one."""
    made = []
    for name, about in (("late_ms", "late"), *((each, each[:-3]) for each in MEASURES)):
        for where, label in ((found, about.upper()), (found["recorded"], "  recorded")):
            spread = where.get(name)
            if spread:
                figures = (spread[f"p{share}"] for share in SHARES)
                made.append((label, *(f"{one:.1f}" for one in figures), f"{spread['max']:.1f}"))
    return made


def summary(found: dict[str, Any]) -> str:
    """What a report says beside its times."""
    failures = [*found["statuses"].items(), *found["problems"].items()]
    failed = ", ".join(f"{name}: {count}" for name, count in failures if not name.startswith("2"))
    recorded = found["recorded"]
    lines = [
        f"{found['sent']} requests in {found['seconds']:.1f} s "
        f"({found['requests_per_second']:.1f}/s), {found['most_in_flight']} in flight at most",
        f"{found['answered']} answered, {found['failed']} failed"
        + (failed and f" ({failed})")
        + (f", {found['unanswered']} left without an answer" if found["unanswered"] else ""),
        f"{found['status_as_recorded']} with the recorded status, {found['status_other']} with "
        "another",
        f"{found['prompt_tokens']} prompt tokens (recorded {recorded['prompt_tokens']}), "
        f"{found['completion_tokens']} completion tokens "
        f"(recorded {recorded['completion_tokens']})",
    ]
    return "\n".join(lines)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _between(ttft: float | None, total: float | None, tokens: int) -> float | None:
    if ttft is None or total is None or tokens < 2 or total <= ttft:
        return None
    return (total - ttft) / (tokens - 1)


def _spread(values: Iterable[float | None]) -> dict[str, float] | None:
    """Percentiles, mean and the largest, in milliseconds; None where there are no values."""
    known = np.array([one for one in values if one is not None]) * 1e3
    if not len(known):
        return None
    figures = {f"p{share}": float(np.percentile(known, share)) for share in SHARES}
    figures |= {"mean": float(known.mean()), "max": float(known.max()), "count": len(known)}
    return {name: round(value, 3) for name, value in figures.items()}
