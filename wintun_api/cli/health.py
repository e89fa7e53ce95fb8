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
    from wintun_api.api.data_directory import noted_address
    from wintun_api.cli.running import url_at

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
        return f"it answers with the HTTP status {answer.status}"
    if not (isinstance(said, dict) and said.get("status") == "ok"):
        return "another program answers there"
    return None
