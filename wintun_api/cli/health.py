"""`wintun-api health`: tell whether the service answers, for containers and supervisors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli import options
from wintun_api.cli.options import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wintun_api.settings import Settings


def health(
    *,
    config: options.Config = None,
    host: options.Host = None,
    port: options.Port = None,
    data_dir: options.DataDir = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(help="PEM file, where the service has one.", rich_help_panel=SERVICE),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that it has to answer.")] = 4.0,
) -> None:
    """Ask the service on this machine whether it is up; needs no token.

    It is asked where it said that it answers, in its data directory, unless --host
    or --port name another place. Exits with 0 when it answers, else with 1.
    """
    from wintun_api.cli.output import fail

    settings = options.read_settings(
        config, host=host, port=port, data_dir=data_dir, tls_certificate=tls_certificate
    )
    failures = []
    for url in _addresses(settings, named=host is not None or bool(port)):
        failure = ask(url, timeout)
        if failure is None:
            typer.echo(f"The service answers at {url}.")
            return
        failures.append(f"The service does not answer at {url}: {failure}.")
    fail(*failures, "See its log, and wintun-api doctor.")


def _addresses(settings: Settings, *, named: bool) -> Iterator[str]:
    from wintun_api.api.data_directory import noted_address
    from wintun_api.cli.running import url_at

    noted = None if named else noted_address(settings.data_dir)
    if noted is not None:
        yield noted
    # A demo has no data directory, and one that has ended leaves its note.
    if settings.port and (url := url_at(settings, settings.port)) != noted:
        yield url


def ask(url: str, timeout: float) -> str | None:
    """Ask the health route; return None when it answers, else why not.

    A proxy that is set for this machine is not used, and any certificate is trusted: it has the
    name by which others know the service.
    """
    import http.client
    import json
    import ssl
    from contextlib import closing
    from urllib.parse import urlsplit

    from wintun_api.api.access import HEALTH

    parts = urlsplit(url)
    name, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(name, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(name, port, timeout=timeout)  # type: ignore[assignment]
    with closing(connection):
        try:
            connection.request("GET", HEALTH)
            answer = connection.getresponse()
            body = answer.read(1000)
            said = json.loads(body) if answer.status == 200 else None
        except OSError as error:  # a time-out and ssl.SSLError are such errors
            return error.strerror or str(error) or type(error).__name__
        except (http.client.HTTPException, ValueError):
            return "another program answers there"
    if answer.status != 200:
        return f"it answers with {answer.status}"
    if not (isinstance(said, dict) and said.get("status") == "ok"):
        return "another program answers there"
    return None
