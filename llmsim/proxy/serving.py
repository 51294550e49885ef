"""Services beside a server, if its configuration has any: their client is an extra, and imported
only for those who use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmsim.config import Config
from llmsim.state.shm.worker_counters import WorkerCounters

if TYPE_CHECKING:
    from llmsim.proxy.services import UpstreamServices


class CannotPassOn(Exception):  # noqa: N818  named for what it says
    """Why requests cannot be passed on, or recorded, as the configuration says."""


def passing_on(config: Config, counters: WorkerCounters) -> UpstreamServices | None:
    """The services of one worker; None if there are none."""
    if not config.proxy.upstreams:
        return None
    from llmsim.proxy.recorder import recorder  # noqa: PLC0415
    from llmsim.proxy.services import UpstreamServices  # noqa: PLC0415

    keeping = recorder(config.record, counters)
    return UpstreamServices(config.proxy, keeping, config.server.max_unsent_bytes)


def prepare(config: Config) -> None:
    """Look whether that will work, before there are workers. Raises CannotPassOn."""
    if not config.proxy.upstreams:
        return
    try:
        from llmsim.engine.tokens.ranks import encoding  # noqa: PLC0415
        from llmsim.proxy import recorder  # noqa: PLC0415
        from llmsim.proxy.answer import TOKENIZER  # noqa: PLC0415
        from llmsim.proxy.services import UpstreamServices  # noqa: PLC0415

        UpstreamServices(config.proxy, None, config.server.max_unsent_bytes).check()
        recorder.prepare(config.record)
        encoding(TOKENIZER)  # which takes long, and what is there when workers are forked is theirs
    except ModuleNotFoundError as error:
        advice = "pip install 'llmsim[record]'"
        raise CannotPassOn(f"proxy: {error.name} is not installed: {advice}") from None
    except ValueError as error:
        raise CannotPassOn(f"proxy.upstreams: {error}") from None
    except OSError as error:
        raise CannotPassOn(f"record.path: {error.filename}: {error.strerror}") from None
