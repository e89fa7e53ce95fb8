"""The command line.

    serve            run the service
    demo             run it on an emulated machine with traffic, with curl lines to paste
    doctor           find out what keeps the service from running here
    status           show what runs, on one screen
    health           check whether the service answers
    adapters         list, create, change and delete adapters of a running service
    sessions         list, start and end its sessions
    capture          show packets, or write them as pcapng for Wireshark
    captures         list, start, stop and download captures that the service writes into files
    recorder         keep the last packets of a session, and save them
    inject           send packets to the host
    impair         make the network of a session bad: delay, lose and limit its packets
    replay/          send packets from capture files, for `inject --pcap`
    extcap           show the adapters in Wireshark
    events           show what has happened and, with --follow, what happens
    tokens           create and revoke tokens
    clients          list who is connected, and disconnect clients
    service          run it as a service of Windows, or of Linux under systemd
    bus              run the server over which hosts join one network
    join             join a network of many hosts with an adapter
    hosts            list the hosts that have joined a network
    join_group       what follows `join`: the name of a network, or `keys`
    join_keys        make the keys with which hosts join
    guide            read the user's guide
    version          the versions of the command, the service and the driver

    bus_options      where the server of `bus` listens
    own_addresses    the addresses by which other machines may reach this one
    leading_options  options that may stand before the command, such as --host
    far_client       the client of commands with --host
    fleet_options    the bus, and the key with which a command connects
    service_failure  the exceptions of the client as the last words of a command
    fleet_failure    the exceptions of `fleet` as the last words of a command
    bundle           several options as one argument of a command
    setting_options  the options that set settings, made from their declarations
    client_options   the options of every command that talks to a service
    options          other options that several commands share
    exit_codes       what the exit codes mean
    hints            what to do about each problem of the API, in the words of the command line
    log              log lines to standard error, which may be closed, full or not read
    running          sockets, signals and the server, which serve and demo share
    demo_peers       answer the demo's host as the peers of its conversations do
    ping             the demo's packet as a shell can print it
    checks           what doctor looks at
    outcome          what a check found, and what to do about it
    windows_checks   what doctor looks at on Windows
    python_holes     security holes of Python that concern the service, by version
    notify           what the service tells systemd
    activation       the listening sockets that systemd passes to the service
    unit             the file that systemd reads
    windows_service  the process that Windows starts, and how it is managed
    client           the API over HTTP; its errors as sentences
    words            the errors of the client in the words of the command line
    wording          what is wrong with a value in plain words
    lookup           the capture, session, token or client that a name or an id means
    amounts          lengths of time and sizes of options, within their limits
    packet_options   the options that say which packets, for several commands
    event_stream     the events as one sequence, over broken connections too
    adapter_changes  what `events` says is different about an adapter
    route_text       a route of the service in one line
    completion       what a shell completes
    completion_scripts  the scripts by which shells ask for it
    durations        lengths of time as people write and read them
    capture_network  the packets of the hosts of a network, for `capture --network`
    capture_source   where its packets come from: live, and from recorders before that
    capture_end      why a live capture ended by itself
    recording        what it has recorded: lines, JSON or a file
    interruption     Ctrl-C and SIGTERM while a command has work that should not be torn
    capture_options  the options of `captures start` that say when files begin and end
    saving           save what the service sends as a file that is whole, or not there
    filter_fault     show where a filter is wrong
    packet_lines     a captured packet as a line, for a person or a program
    impairment_options  the options of impair that say what happens to which packets
    impairment_file  what impair is told by a file, and how the file calls it
    document  reads a file in YAML or JSON that people wrote
    impairment_tables  what holds and what has happened, as people read it
    table            tables that fit the terminal
    output           JSON, ids and the last words of a failing command

What a command needs is imported when it runs: `serve` never loads the client's parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from wintun_api import __version__
from wintun_api.cli import (
    adapters,
    bus,
    capture,
    captures,
    clients,
    completion,
    demo,
    doctor,
    events,
    exit_codes,
    extcap,
    guide,
    health,
    hosts,
    impair,
    inject,
    join_group,
    recorder,
    serve,
    service,
    sessions,
    status,
    tokens,
    version,
)
from wintun_api.cli.leading_options import about_host, behind_the_command
from wintun_api.cli.output import errors_are_json, fail, write_errors_as_json
from wintun_api.cli.wording import about_value
from wintun_api.paste import trimmed


class _Root(TyperGroup):
    """Takes arguments without what was pasted around them; writes errors as they are asked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, behind_the_command([_trimmed(one) for one in args]))

    def make_context(self, info_name: Any, args: list[str], *more: Any, **extra: Any) -> Any:
        # Known before the command is: an argument may be wrong before --json is read.
        options = args[: args.index("--")] if "--" in args else args
        write_errors_as_json("--json" in options)
        with _usage_errors():
            return super().make_context(info_name, args, *more, **extra)

    def invoke(self, ctx: Any) -> Any:
        with _usage_errors():
            return super().invoke(ctx)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Say wrong usage in plain words; write it as a problem document where --json was given.

    Without --json the caller writes it.
    """
    try:
        yield
    except TyperException as error:
        error.message = about_host(about_value(error.message))
        if not errors_are_json():
            raise
        fail(error.format_message(), "See --help.", code=error.exit_code)


def _trimmed(argument: str) -> str:
    name, equals, value = argument.partition("=")
    if equals and name.startswith("--"):
        return f"{name}={trimmed(value)}"
    return trimmed(argument)


app = typer.Typer(
    name="wintun-api",
    cls=_Root,
    help="Manage Wintun adapters and exchange IP packets with them: a local REST and WebSocket "
    "service, and commands for it.",
    epilog="Try it without any rights: wintun-api demo\n\n"
    "For another host of a network: wintun-api --host HOST COMMAND\n\n"
    f"{exit_codes.SHORT}",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,  # our own option takes the name of the shell
    pretty_exceptions_enable=False,  # its tracebacks would import rich, and can show values
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
            "--version",
            "-V",
            callback=_print_version,
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
    _show: Annotated[
        completion.Shell | None,
        typer.Option(
            "--show-completion",
            callback=_show_completion,
            is_eager=True,
            help="Print the script with which this shell completes commands, and exit.",
        ),
    ] = None,
) -> None:
    pass


def _help(
    context: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", help="The command, such as adapters create."),
    ] = None,
) -> None:
    """Show the help of a command."""
    root = context.find_root().command
    arguments = [*(command or ()), "--help"]
    root.main(arguments, prog_name=context.find_root().info_name)


app.command()(serve.serve)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(status.status)
app.command()(health.health)
app.add_typer(adapters.app, name="adapters")
app.add_typer(sessions.app, name="sessions")
app.command()(capture.capture)
app.add_typer(captures.app, name="captures")
app.command(epilog=recorder.EPILOG)(recorder.recorder)
app.command()(inject.inject)
app.add_typer(extcap.app, name="extcap")
app.command(epilog=impair.EPILOG)(impair.impair)
app.command()(events.events)
app.command()(guide.guide)
app.add_typer(tokens.app, name="tokens")
app.add_typer(tokens.app, name="token", hidden=True)  # what many type first
app.add_typer(clients.app, name="clients")
app.add_typer(service.app, name="service")
app.command(epilog=bus.EPILOG)(bus.bus)
app.add_typer(join_group.app, name="join")
app.command()(hosts.hosts)
app.command()(version.version)
app.command("help")(_help)
