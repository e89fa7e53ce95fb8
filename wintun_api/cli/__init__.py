"""The command line.

    serve      run the service
    demo       run it over an emulated machine with traffic, with curl lines to paste
    doctor     tell what keeps the service from running here
    health     tell whether the service answers
    adapters   list, create, change and delete adapters of a running service
    sessions   list, start and end its sessions
    capture    show packets, or write them as pcapng for Wireshark
    inject     send packets to the host; replay reads them from capture files
    events     show what happens, and go on with it
    tokens     make and revoke tokens
    service    run it as a service of Windows, or of Linux under systemd
    guide      read the user's guide
    native     build the optional native part of the Linux driver

    options    options that several commands have; flags to Settings
    config_file  who may have written the file of settings
    running    sockets, signals and the server: what serve and demo share
    ping       the demo's packet, as a shell can print it
    checks     what doctor looks at; windows_checks what it looks at there
    python_holes  holes of Python that concern the service, by version
    notify     what the service tells systemd; unit is the file that systemd reads
    windows_service  the process that Windows starts, and its manager
    client     the API over HTTP; its errors as sentences
    event_stream  the events as one sequence, also over broken connections
    completion what a shell completes
    packet_lines  a captured packet as a line, for a person or a program
    output     tables, JSON and the last words of a failing command

What a command needs is imported when it runs: `serve` never loads the client's parts.
Exit codes: 0 done, 1 it did not work, 2 wrong arguments or settings.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wintun_api import __version__
from wintun_api.cli import (
    adapters,
    capture,
    completion,
    demo,
    doctor,
    events,
    guide,
    health,
    inject,
    native,
    serve,
    service,
    sessions,
    tokens,
)
from wintun_api.paste import trimmed


class _Trimming(TyperGroup):
    """Takes the arguments of every command without what was pasted around them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_trimmed(one) for one in args])


def _trimmed(argument: str) -> str:
    name, equals, value = argument.partition("=")
    if equals and name.startswith("--"):
        return f"{name}={trimmed(value)}"
    return trimmed(argument)


app = typer.Typer(
    name="wintun-api",
    cls=_Trimming,
    help="The local REST and WebSocket control plane for Wintun.",
    epilog="Exit codes: 0 done, 1 it did not work, 2 wrong arguments or settings.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,  # ours take the name of the shell
    pretty_exceptions_enable=False,  # its tracebacks would pull in rich, and can show values
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wintun-api {__version__}")
        raise typer.Exit


def _show_completion(context: typer.Context, shell: str | None) -> None:
    if shell is not None and not context.resilient_parsing:
        typer.echo(completion.script(shell))
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    _show: Annotated[
        completion.Shell | None,
        typer.Option(
            "--show-completion",
            callback=_show_completion,
            is_eager=True,
            help="Print what this shell needs to complete commands, and exit.",
        ),
    ] = None,
) -> None:
    pass


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(health.health)
app.add_typer(adapters.app, name="adapters")
app.add_typer(sessions.app, name="sessions")
app.command()(capture.capture)
app.command()(inject.inject)
app.command()(events.events)
app.command()(guide.guide)
app.add_typer(tokens.app, name="tokens")
app.add_typer(tokens.app, name="token", hidden=True)  # what many type first
app.add_typer(service.app, name="service")
app.add_typer(native.app, name="native")
