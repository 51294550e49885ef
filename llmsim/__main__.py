"""``python -m llmsim`` is ``llmsim``."""

import sys


def main() -> None:
    """The command. Ctrl-C while it is being loaded ends it without a word, as later."""
    try:
        from llmsim.cli import main as command  # noqa: PLC0415  what takes its time
    except KeyboardInterrupt:
        sys.exit(130)
    command(prog_name="llmsim")


if __name__ == "__main__":
    main()
