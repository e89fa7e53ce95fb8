"""`wintun-api demo`: the service on an emulated machine, with something to see."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.choices import DriverName
from wintun_api.cli.hints import hint_for
from wintun_api.cli.setting_options import Flags, takes_settings
from wintun_api.settings import Settings

if TYPE_CHECKING:
    import socket

    from wintun_api.cli.running import CommandServer
    from wintun_api.hub.adapters import AdapterView

ON_WINDOWS: bool = sys.platform == "win32"
ON_MAC: bool = sys.platform == "darwin"
TRAFFIC = 20.0
NAME, POOL, MTU = "OfficeNet", "WireGuard", 1420
ADDRESSES = ("10.6.7.7/24", "fd06:7::7/64")


PORT = f"{Settings.declared()['port'].default_text}, or a free one if that is in use"


@takes_settings("demo", config=False, defaults={"traffic": TRAFFIC}, words={"port": PORT})
def demo(
    *,
    flags: Flags,
    browser: Annotated[bool, typer.Option(help="Open the dashboard if there is a display.")] = True,
) -> None:
    """Run the service on an emulated machine with an adapter, a session and traffic.

    The demo needs no special rights and leaves nothing behind: the machine and the
    token exist in memory only. It prints the address of the dashboard, the token and
    three curl commands to paste into another terminal.

    Ctrl-C ends the demo, with exit code 0.
    """
    settings = replace(
        # It keeps nothing, and runs where there is no home directory.
        flags.settings(data_dir=Path(os.devnull), driver=DriverName.EMULATED),
        captures_bytes=0,
        emulated_state=None,
        tls_certificate=None,
        tls_key=None,
    )
    chosen = "port" in flags.given or Settings.declared()["port"].variable in os.environ
    run(settings, free_port=not chosen, browser=browser)


def run(settings: Settings, *, free_port: bool, browser: bool) -> None:
    """Run the demo until a signal ends it."""
    import secrets

    from wintun_api.api.server import check_bind
    from wintun_api.api.tokens import TOKEN_BYTES, TokenStore
    from wintun_api.cli import running
    from wintun_api.cli.log import configure_logging, tell
    from wintun_api.cli.output import fail
    from wintun_api.errors import InvalidArgument, WintunApiError
    from wintun_api.hub.tasks import TaskSet

    configure_logging(settings.log_level)
    try:
        check_bind(settings)
    except InvalidArgument as error:
        fail(str(error), hint_for(error), code=2)
    sockets = _listen(settings, free_port=free_port)
    token, tasks = secrets.token_urlsafe(TOKEN_BYTES), TaskSet()

    async def show(server: CommandServer) -> None:
        adapter, session = await _set_up(server)
        lines = _lines(server.url, token, adapter, session, settings.traffic)
        tell("\n".join(lines), err=False)
        if browser and _has_display():
            # Not waited for: a browser of the terminal comes back only when it is left.
            tasks.spawn(_open_browser(running.dashboard_url(server.url, token)), name="browser")

    try:
        running.make_server(settings, sockets, TokenStore(token), show).start()
    except WintunApiError as error:
        fail(str(error), hint_for(error))


def _listen(settings: Settings, *, free_port: bool) -> list[socket.socket]:
    from wintun_api.api.listener import listen
    from wintun_api.cli import running

    if not free_port:
        return running.listen_or_exit(settings)
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        if not running.in_use(error):
            return running.listen_or_exit(settings)
    typer.echo(f"Port {settings.port} is in use; taking a free one.", err=True)
    return running.listen_or_exit(replace(settings, port=0))


async def _set_up(server: CommandServer) -> tuple[AdapterView, str]:
    from ipaddress import ip_interface

    from wintun_api.cli.demo_peers import MAX_ANSWERED, answer, expects_answers
    from wintun_api.hub.network import NetworkSettings

    registry = server.service.context.registry
    answered = server.service.settings.traffic <= MAX_ANSWERED
    if answered:
        expects_answers(registry.driver)
    addresses = tuple(ip_interface(address) for address in ADDRESSES)
    settings = NetworkSettings(mtu=MTU, addresses=addresses)
    adapter = await registry.create_adapter(NAME, POOL, settings=settings)
    session = await registry.sessions.start(adapter.info.guid)
    if answered:
        registry.sessions.started.append(lambda session, _: answer(session))
        answer(session)
    return adapter, session.id


def _lines(url: str, token: str, adapter: AdapterView, session: str, traffic: float) -> list[str]:
    from wintun_api import __version__
    from wintun_api.cli.ping import echo_request
    from wintun_api.cli.running import dashboard_url

    info = adapter.info
    ping = echo_request(info.addresses[0])
    return [
        f"wintun-api {__version__} demo on an emulated machine; yours stays as it is.",
        "",
        f"  Dashboard  {dashboard_url(url, token)}",
        f"  Token      {token}",
        f"  Adapter    {info.name} ({', '.join(map(str, info.addresses))})",
        f"  Session    {session}, {traffic:g} packets per second",
        "",
        "Three commands to paste into another terminal. The first lists the adapters:",
        "",
        _curl(token, f"{url}/v1/adapters"),
        "",
        "The second reads the counters of the session. Received packets go from the host to you,",
        "injected packets go from you to the host:",
        "",
        _curl(token, f"{url}/v1/sessions/{session}"),
        "",
        f"The third{', for PowerShell,' if ON_WINDOWS else ''} pings the host, which answers.",
        'It prints {"accepted":1,...}. The dashboard then shows an echo reply, and the second',
        "command counts one more injected and one more received packet:",
        "",
        *_ping_lines(token, f"{url}/v1/sessions/{session}", ping),
        "",
        "Ctrl-C ends the demo.",
    ]


def _curl(token: str, url: str, *more: str) -> str:
    # Double quotes do for sh, cmd and PowerShell, where `curl` may be another program.
    program = "curl.exe" if ON_WINDOWS else "curl"
    words = [program, "-sS", '-w "\\n"', f'-H "Authorization: Bearer {token}"', *more, url]
    return " ".join(words)


def _ping_lines(token: str, session_url: str, packet: bytes) -> list[str]:
    from wintun_api.cli.ping import printf_line

    url = f"{session_url}/packets"
    send = ('-H "Content-Type: application/octet-stream"', "--data-binary @-")
    if ON_WINDOWS:
        # Neither of its shells can write bytes to a pipe.
        bytes_list = ",".join(map(str, packet))
        file = "$env:TEMP\\ping.packet"
        send = (send[0], f'--data-binary "@{file}"')
        write = f'[IO.File]::WriteAllBytes("{file}", [byte[]]({bytes_list}))'
        return [f"{write}; {_curl(token, url, *send)}"]
    return [f"{printf_line(packet)} | {_curl(token, url, *send)}"]


def _has_display() -> bool:
    variables = ("DISPLAY", "WAYLAND_DISPLAY")
    return ON_WINDOWS or ON_MAC or any(os.environ.get(name) for name in variables)


async def _open_browser(url: str) -> None:
    import webbrowser

    from wintun_api.hub.aside import aside

    await aside("browser", partial(webbrowser.open, url))
