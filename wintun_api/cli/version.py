"""`wintun-api version`: the versions of the command, of the service and of its driver."""

from __future__ import annotations

import platform
from typing import Any

import typer

from wintun_api import __version__
from wintun_api.choices import DriverGeneration
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.output import show_json, tried


@takes_client_options()
def version(
    *,
    options: ClientOptions,
) -> None:
    """Show the versions of this command, of the running service and of its driver.

    It is not an error if the service is not running.
    """
    from wintun_api.client import operations

    def ask() -> tuple[dict[str, Any], dict[str, Any]]:
        with options.connect() as client:
            return client.ask(operations.get_system()), client.ask(operations.get_driver())

    found, reason = tried(ask)
    system, driver = found or (None, None)
    if options.as_json:
        service = None if system is None else {"url": options.url, "version": system["version"]}
        show_json(
            {
                "client": {"version": __version__, "python": platform.python_version()},
                "service": service,
                "driver": None
                if driver is None
                else {"name": driver["name"], "version": driver["running_version"]},
                "reason": reason or None,
            }
        )
        return
    typer.echo(f"Command  {__version__} (Python {platform.python_version()})")
    if system is None or driver is None:
        typer.echo(f"Service  not known: {reason}")
        return
    typer.echo(f"Service  {system['version']} at {options.url}")
    typer.echo(f"Driver   {driver_words(driver)}")


def driver_words(driver: dict[str, Any]) -> str:
    """Return the driver's name and what is known of its version."""
    words = f"{driver['name']}"
    if driver["running_version"] is not None:
        words = f"{words} {driver['running_version']}"
    if driver["generation"] != DriverGeneration.KERNEL:
        return f"{words}, API of {GENERATIONS.get(driver['generation'], driver['generation'])}"
    return words


GENERATIONS = {
    DriverGeneration.POOL.value: "Wintun 0.9 to 0.13",
    DriverGeneration.TUNNEL_TYPE.value: "Wintun 0.14",
}
