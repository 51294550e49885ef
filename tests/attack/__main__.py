"""Attacks a server for some minutes, and exits with 1 if anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.attack import clients, fuzzing, garbage
from tests.attack.target import Target, trusting_anyone
from tests.live.http1 import Secured
from tests.serving import Server

ATTACKS = (fuzzing.attack, garbage.attack, clients.attack)
SERVER = ("--workers", "2", "--latency", "instant", "--target-tokens", "10")
SELF_SIGNED = ("--tls", "self-signed")


def attacked(port: int, seconds: float, seed: int, tls: Secured | None = None) -> Target:
    """The target after all attacks at once, for so long."""
    target = Target(port, time.monotonic() + seconds, seed, tls)
    restarts = target.stats()["worker_restarts"]
    threads = [threading.Thread(target=_attack, args=(attack, target)) for attack in ATTACKS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    target.settled()
    died = target.stats()["worker_restarts"] - restarts
    if died:
        target.report.fault("workers died", died)
    return target


def _attack(attack: Callable[[Target], None], target: Target) -> None:
    try:
        attack(target)
    except Exception as error:
        target.report.fault(f"{attack.__module__} ended early", repr(error))
        raise


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, help="of a running server; else one is started")
    parser.add_argument("--tls", action="store_true", help="over TLS, trusting any certificate")
    options = parser.parse_args()
    tls = trusting_anyone() if options.tls else None
    with ExitStack() as stack:
        port = options.port
        if port is None:
            log = Path(tempfile.mkstemp(prefix="llmsim-attack-", suffix=".log")[1])
            print(f"the server's log is {log}", flush=True)
            args = (*SERVER, *SELF_SIGNED) if tls else SERVER
            context = tls.http1 if tls else None
            port = stack.enter_context(Server(args, log, tls=context)).port
        target = attacked(port, options.minutes * 60, options.seed, tls)
    print(target.report)
    return 1 if target.report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
