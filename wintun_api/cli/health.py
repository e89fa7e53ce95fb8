"""`wintun-api health`: check whether the service answers, for containers and supervisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli.options import Json
from wintun_api.cli.setting_options import Flags, takes_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wintun_api.settings import Settings


@takes_settings("health")
def health(
    *,
    flags: Flags,
    timeout: Annotated[float, typer.Option(help="How many seconds to wait for the answer.")] = 4.0,
    as_json: Json = False,
) -> None:
    """Check whether the service on this machine answers.

    No token is needed. The service notes its address in its data directory; --host and
    --port give another one. The command exits with 0 if the service answers and with 1
    if it does not, as container runtimes expect of a health check.
    """
    from wintun_api.cli.output import fail, show_json

    failures: list[str] = []
    named = "host" in flags.given or bool(flags.given.get("port"))
    for url in _addresses(flags.settings(), named=named):
        failure = ask(url, timeout)
        if failure is None:
            if as_json:
                show_json({"status": "ok", "url": url})
            else:
                typer.echo(f"The service answers at {url}.")
            return
        failures.append(f"The service does not answer at {url}: {failure}.")
    if not failures:
        failures.append("The service has not noted an address in its data directory.")
    fail(
        *failures,
        "Look at the log of the service, or find the cause with: wintun-api doctor",
    )


def _addresses(settings: Settings, *, named: bool) -> Iterator[str]:
    from wintun_api.address import url_at
    from wintun_api.api.data_directory import noted_address

    noted = None if named else noted_address(settings.data_dir)
    if noted is not None:
        yield noted
    # A demo has no data directory, and a service that has ended leaves its note behind.
    if settings.port and (url := url_at(settings, settings.port)) != noted:
        yield url


def ask(url: str, timeout: float) -> str | None:
    """Ask the health route; return None if it answers, else the reason.

    A proxy that is set for this machine is not used, and any certificate is trusted: it is made
    for the name by which others know the service.
    """
    import ssl

    from httpx import RemoteProtocolError

    from wintun_api.cli.words import cause_of
    from wintun_api.client import operations
    from wintun_api.client.problems import NotTheService, ProblemError, ServiceUnreachable
    from wintun_api.client.synchronous import Client

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    try:
        with Client(url, timeout=timeout, tls=tls) as client:
            status, said = client.exchange(operations.get_health().as_json())
    except ProblemError as error:
        status, said = error.status, None
    except ServiceUnreachable as error:
        strange = isinstance(error, NotTheService)
        if not strange and not isinstance(error.__cause__, RemoteProtocolError):
            return cause_of(error)
        status, said = error.status or 200, None
    if status != 200:
        return f"it answers with the HTTP status {status}"
    if not (isinstance(said, dict) and said.get("status") == "ok"):
        return "another program answers there"
    return None
