"""`wintun-api capture`: show packets as they pass, or write them to a pcapng file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wintun_api.choices import CaptureDirection, Tap
from wintun_api.cli.capture_end import tell_end
from wintun_api.cli.capture_network import Hosts, capture_network
from wintun_api.cli.capture_source import Packets, Which, chunks_of, one_session
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import adapter_names, network_names, session_words
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.fleet_options import FleetOptions, takes_fleet_options
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import as_moment, as_path, finite
from wintun_api.cli.output import fail
from wintun_api.cli.packet_options import MARKS_HELP, filter_option, pool_option
from wintun_api.cli.recording import record, refuse_terminal
from wintun_api.limits import MAX_CAPTURE_SECONDS, MAX_COUNT, MAX_PACKET


@takes_fleet_options
@takes_client_options("Write one JSON object per packet, a line each; errors too.")
def capture(
    sessions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SESSION",
            help=f"The ids of sessions, the beginnings of their ids ({SHORTEST} characters or "
            "more), or the names or GUIDs of their adapters.",
            autocompletion=session_words,
            show_default=False,
        ),
    ] = None,
    *,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            "--adapter",
            help="An adapter by its name or GUID, also before it has a session. Several times for "
            "several.",
            autocompletion=adapter_names,
            show_default=False,
        ),
    ] = None,
    pool: Annotated[str | None, pool_option()] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All adapters, those that come later too.")
    ] = False,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NETWORK",
            help="All hosts of a network that joined with --capture, in the order of time. The "
            "packets come from the bus, so no service is needed on this machine.",
            autocompletion=network_names,
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="With --network: only this host, by its name or id. Can be repeated.",
            show_default=False,
        ),
    ] = None,
    expression: Annotated[str | None, filter_option()] = None,
    since: Annotated[
        str | None,
        typer.Option(
            callback=as_moment,
            help="Begin with what the recorder of the session has since then: -60s, -5m, or a time "
            "with its zone. --count and --seconds count only what comes after that; with "
            "--network, what the bus has kept since then counts too.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            callback=as_moment,
            help="With --network: end with the packets of this time, such as -10s, instead of "
            "going on.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            "-w",
            parser=as_path,
            metavar="<path>",
            help="The pcapng file to write, which replaces one that is there; - is standard "
            "output, for wireshark -k -i -.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option("--count", "-c", min=1, max=MAX_COUNT, help="End after this many packets."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=MAX_CAPTURE_SECONDS,
            callback=finite,
            help=f"End after this many seconds, {MAX_CAPTURE_SECONDS:,} at most.",
        ),
    ] = None,
    snaplen: Annotated[
        int,
        typer.Option(
            "--snaplen",
            "-s",
            min=0,
            max=MAX_PACKET,
            help=f"Keep only so many bytes of each packet, {MAX_PACKET} at most; 0 keeps all.",
        ),
    ] = 0,
    direction: Annotated[
        CaptureDirection,
        typer.Option(
            help="Which packets: received ones go from the host to the application, injected ones "
            "from the application to the host."
        ),
    ] = CaptureDirection.BOTH,
    tap: Annotated[
        Tap,
        typer.Option(
            help="On which side of an impairment: after it is what really arrives, before it is "
            "what the host and the clients sent."
        ),
    ] = Tap.AFTER,
    marks: Annotated[bool, typer.Option(help=MARKS_HELP)] = False,
    options: ClientOptions,
    fleet: FleetOptions,
) -> None:
    """Capture the packets of a session until Ctrl-C, or until the session ends.

    Every packet is a line, with --json an object; --write puts them into a file instead.
    The totals go to standard error. Ctrl-C ends with exit code 130 after everything has
    been written.

    With several sessions, --adapter, --pool or --all there is an interface for each
    session, and the capture continues when sessions end and others start.

    With --network there is an interface for each host and adapter, and the times are
    those of the server of the bus.
    """
    which = Which(sessions or [], adapter or [], pool, everything)
    packets = Packets(
        filter=expression,
        since=since,
        count=count,
        seconds=seconds,
        snaplen=snaplen,
        direction=direction,
        tap=tap,
        marks=marks,
    )
    hosts = Hosts(network, host or [], until, fleet)
    fault = hosts.fault(which, packets) or (network is None and which.fault) or packets.fault
    if fault:
        fail(*fault, code=ExitCode.USAGE)
    if options.as_json and write is not None:
        fail(
            "--json and --write cannot be used together.",
            "Choose one.",
            code=ExitCode.USAGE,
        )
    refuse_terminal(write, "wintun-api capture SESSION -w -")
    if network is not None:
        capture_network(network, hosts, packets, write, as_json=options.as_json)
        return
    with options.connect() as client:
        session = one_session(client, which)
        with chunks_of(client, which, session, packets) as chunks:
            whole = record(write, chunks, as_json=options.as_json, several=session is None)
        if whole:
            tell_end(client, session)
