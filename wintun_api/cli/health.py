"""`wintun-api health`: check whether the service answers, for containers and supervisors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.options import finite
from wintun_api.cli.setting_options import Flags, takes_settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@takes_settings("health")
@takes_client_options()
def health(
    context: typer.Context,
    *,
    flags: Flags,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.001, max=3600, callback=finite, help="How many seconds to wait for the answer."
        ),
    ] = 4.0,
    options: ClientOptions,
) -> None:
    """Check whether the service on this machine answers.

    A token is not needed, and not sent. Without --url the service is found by the
    address that it notes in its data directory, or by --host and --port. The command
    exits with 0 if the service answers and with 1 if it does not, as container runtimes
    expect of a health check.
    """
    from wintun_api.cli.output import fail, show_json

    failures: list[str] = []
    for url in _addresses(flags, _wanted(context, flags, options.url)):
        failure = ask(url, timeout)
        if failure is None:
            if options.as_json:
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


def _wanted(context: typer.Context, flags: Flags, url: str) -> str | None:
    """Return the address that --url or its variable gives; None if the service is to be found."""
    source = context.get_parameter_source("url")
    given = source is not None and source.name == "COMMANDLINE"
    named = _named(flags)
    if given and named:
        raise typer.BadParameter("--url cannot be used together with --host or --port.")
    return (
        url
        if given or (source is not None and source.name == "ENVIRONMENT" and not named)
        else None
    )


def _named(flags: Flags) -> bool:
    return "host" in flags.given or bool(flags.given.get("port"))


def _addresses(flags: Flags, wanted: str | None) -> Iterator[str]:
    from wintun_api.address import url_at
    from wintun_api.api.data_directory import noted_address

    if wanted is not None:
        yield wanted
        return
    settings = flags.settings()
    noted = None if _named(flags) else noted_address(settings.data_dir)
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

    from wintun_api.cli.words import cause_of, refuse_address
    from wintun_api.client import operations
    from wintun_api.client.problems import NotTheService, ProblemError, ServiceUnreachable
    from wintun_api.client.synchronous import Client

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    try:
        api = Client(url, timeout=timeout, tls=tls)
    except ServiceUnreachable as error:
        refuse_address(error, url)
    try:
        with api as client:
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
