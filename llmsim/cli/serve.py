"""``llmsim serve``."""

from __future__ import annotations

import click

from llmsim.cli import flags

EXAMPLES = """\b
Examples:
  llmsim serve
  llmsim serve --port 9000 --workers 4 --latency gpt-5
  llmsim serve --generator echo --latency instant --log-level warning
  llmsim serve --generator "fixed:All good." --seed 7
  llmsim serve --config llmsim.yaml
  LLMSIM_PORT=9000 LLMSIM_LATENCY=fast llmsim serve
"""


@click.command(epilog=EXAMPLES)
@flags.sets("host", "port", "workers", "generator", "target_tokens", "latency", "seed", "log_level")
def serve(path: str | None, **given: str | None) -> None:
    """Serve until SIGINT or SIGTERM, then let open streams end.

    Flags count over LLMSIM_* variables (--target-tokens is LLMSIM_TARGET_TOKENS), variables over
    the file, the file over the defaults.
    """
    config = flags.loaded(path, given)
    # Imported late: it takes longer than all other commands need.
    from llmsim.server import launch  # noqa: PLC0415

    try:
        launch.serve(config, flags.loading(path, given))
    except OSError as error:
        where = f"{config.server.host}:{config.server.port}"
        raise click.ClickException(f"cannot listen on {where}: {error.strerror}") from None
