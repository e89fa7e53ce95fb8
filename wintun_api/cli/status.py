"""`wintun-api status`: what runs now, on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import typer

from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.durations import span
from wintun_api.cli.output import cell, counted, marked, printable, show_json

SHOWN = 4  # adapters, and sessions, that have a line of their own
SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB")


@takes_client_options(far=True)
def status(
    *,
    options: ClientOptions,
) -> None:
    """Show what runs: the service, its driver, its adapters and its sessions.

    Exits with 3 if the service is not running.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        system = client.ask(operations.get_system())
        found = {
            "url": client.url,
            "system": system,
            "driver": client.ask(operations.get_driver()),
            "adapters": client.adapters(),
            "sessions": client.ask(operations.list_sessions()),
            "token": {"source": client.token_source, "scopes": system["scopes"]},
            "data_dir": _data_dir(client.url),
        }
    if options.as_json:
        show_json(found)
    else:
        for line in _lines(found, datetime.now(UTC)):
            typer.echo(printable(line))


def _data_dir(url: str) -> str | None:
    """Return the data directory of the service, if it is the one that this user would use."""
    from wintun_api.api.data_directory import noted_address
    from wintun_api.cli.setting_options import environment_settings

    directory = environment_settings().data_dir
    return str(directory) if noted_address(directory) == url.rstrip("/") else None


def _lines(found: dict[str, Any], now: datetime) -> Iterator[str]:
    from wintun_api.cli.version import driver_words

    system, driver = found["system"], found["driver"]
    up = (now - datetime.fromisoformat(system["started_at"])).total_seconds()
    yield f"Service   wintun-api {system['version']} at {found['url']}, up {span(up)}"
    yield f"Driver    {driver_words(driver)}"
    if system["unavailable"] is not None:
        yield f"          It cannot be used: {system['unavailable']['message']}"
    yield f"Token     {found['token']['source']} allows {', '.join(found['token']['scopes'])}"
    yield f"Data      {found['data_dir'] or 'in a directory that is not known here'}"
    adapters, sessions = found["adapters"], found["sessions"]
    names = {one["guid"]: one["name"] for one in adapters}
    impaired = {one["id"]: one.get("impairment") for one in sessions}
    shown = [_adapter(one, impaired.get(one["session"])) for one in adapters]
    yield from _section("Adapters", shown, "adapters list")
    yield from _section("Sessions", [_session(one, names) for one in sessions], "sessions list")


def _section(title: str, lines: list[str], command: str) -> Iterator[str]:
    first, *rest = lines[:SHOWN] or ["none"]
    yield f"{title}  {first}"
    for line in rest:
        yield f"{'':10}{line}"
    if len(lines) > SHOWN:
        yield f"{'':10}and {len(lines) - SHOWN} more: wintun-api {command}"


def _adapter(adapter: dict[str, Any], impairment: str | None) -> str:
    addresses = cell(adapter["addresses"]) if adapter["addresses"] else "no addresses"
    return f"{cell(adapter['name'])}, {marked(adapter['state'], impairment)}, {addresses}"


def _session(session: dict[str, Any], names: dict[str, str]) -> str:
    from wintun_api.cli.sessions import lost_packets

    counters = session["counters"]
    received, injected = counters["received"], counters["injected"]
    name = cell(names.get(session["adapter"], session["adapter"]))
    return (
        f"{session['id']} on {name}, {marked(session['state'], session.get('impairment'))}: "
        f"received {received['packets']} ({size(received['bytes'])}), "
        f"injected {injected['packets']} ({size(injected['bytes'])}), "
        f"lost {lost_packets(counters['lost'])}"
    )


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that leaves at least 1."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return counted(count, "byte") if unit == 0 else f"{value:.1f} {SIZES[unit]}"
