"""How a command that talks to a server over TLS knows the server, and is known to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., None])

ADVICE: Final = "--ca FILE names who signed its certificate, --insecure does without"


def options(command: F) -> F:
    """Adds ``--ca``, ``--insecure``, ``--cert`` and ``--key`` to a command: the parameters of
    :func:`context`."""
    for option in (
        click.option("--key", metavar="FILE", help="Private key of that certificate, in PEM."),
        click.option("--cert", metavar="FILE", help="Certificate to show to the server, in PEM."),
        click.option("--insecure", is_flag=True, help="Do not check the server's certificate."),
        click.option(
            "--ca",
            envvar="LLMSIM_CA",
            metavar="FILE",
            help="Certificates, in PEM, that may have signed the server's. Default: LLMSIM_CA, or "
            "those that the system trusts.",
        ),
    ):
        command = option(command)
    return command


def context(ca: str | None, insecure: bool, cert: str | None, key: str | None) -> ssl.SSLContext:
    """What is asked of a server's certificate, and the client's own. Raises ClickException."""
    made = _loaded("--ca", lambda: ssl.create_default_context(cafile=ca))
    if insecure:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if cert is not None:
        _loaded("--cert and --key", lambda: made.load_cert_chain(cert, key))
    elif key is not None:
        raise click.UsageError("--key needs --cert")
    return made


T = TypeVar("T")


def _loaded(what: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except ssl.SSLError as error:
        raise click.ClickException(f"{what}: cannot be used: {error.reason or error}") from None
    except OSError as error:
        raise click.ClickException(f"{what}: {error.strerror}") from None


def why(error: ssl.SSLError) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message}): {ADVICE}"
    if "CERTIFICATE_REQUIRED" in str(error):
        return "the server asks for a certificate: --cert FILE --key FILE"
    if "WRONG_VERSION_NUMBER" in str(error):
        return "does not speak TLS: is it http?"
    return f"TLS: {getattr(error, 'reason', None) or error}"
