"""`wintun-api inject`: packets to the host."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.choices import CaptureDirection
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.exit_codes import ExitCode, signal_code
from wintun_api.cli.options import as_path
from wintun_api.cli.output import fail, show_json
from wintun_api.cli.sessions import Named
from wintun_api.limits import MAX_PACKET

if TYPE_CHECKING:
    from wintun_api.cli.replay import Order
    from wintun_api.cli.replay.pace import Pace
    from wintun_api.cli.replay.totals import Totals


@takes_client_options(far=True)
def inject(
    session: Named,
    *,
    hex_digits: Annotated[
        str | None,
        typer.Option("--hex", help="The packet in hexadecimal. Spaces, colons and 0x are ignored."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="A file with the bytes of the packet; - is standard input.",
        ),
    ] = None,
    pcap: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="A pcap or pcapng file, which gzip may have compressed; - is standard input. "
            "Every IP packet in it is injected.",
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="The rate of --pcap: 1000 or 1000pps is packets a second, 10mbit bits a second. "
            "Without it and --speed the packets are sent as fast as possible.",
        ),
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(
            metavar="FACTOR",
            help="Send the packets of --pcap at the times at which they were captured: 1x as they "
            "were, 2x twice as fast.",
        ),
    ] = None,
    max_gap: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The longest time between two packets that --speed keeps, such as 5s or 2m; a "
            "longer one is shortened to it.",
        ),
    ] = None,
    loop: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="TIMES", help="Send the file of --pcap so many times; 0 is endlessly."
        ),
    ] = None,
    direction: Annotated[
        CaptureDirection | None,
        typer.Option(
            help="Send only those packets of --pcap that were captured in this direction; both "
            "unless given."
        ),
    ] = None,
    options: ClientOptions,
) -> None:
    """Inject IP packets: the host receives them as if they had come through the tunnel.

    A single packet comes from --hex, from --file or from standard input; many packets
    come from the capture file that --pcap names.
    """
    from wintun_api.client import operations

    if pcap is not None:
        if hex_digits is not None or file is not None:
            raise typer.BadParameter("--pcap cannot be used with --hex or --file.")
        from wintun_api.cli.replay import Order

        pace = _pace(rate, speed, max_gap)
        _replay(
            options,
            session,
            Order(pcap, pace, 1 if loop is None else loop, direction or CaptureDirection.BOTH),
        )
        return
    for name, value in (
        ("--rate", rate),
        ("--speed", speed),
        ("--max-gap", max_gap),
        ("--loop", loop),
        ("--direction", direction),
    ):
        if value is not None:
            raise typer.BadParameter(f"{name} needs --pcap.")
    packet = _packet(hex_digits, file)
    with options.connect() as client:
        report = client.ask(operations.inject_packets(client.session_id(session), packet))
        if options.as_json:
            show_json(report)
        if report["ring_full"]:
            fail(
                "The send ring is full; the packet was dropped.",
                "Run the command again, or start the session with a larger --capacity.",
            )
        if "link_down" in report["refused"]:
            fail(
                "The host refused the packet, because the link is set down on the adapter.",
                "Set the link up again; on Linux with: ip link set NAME up",
            )
        if report["refused"]:
            fail(
                "The host refused the packet.",
                "See the counters of the session with: wintun-api sessions show",
            )
        if not options.as_json:
            typer.echo(f"Injected {len(packet)} bytes.")


def _pace(rate: str | None, speed: str | None, max_gap: str | None) -> Pace | None:
    """Return when packets are due by these options; None for as fast as possible."""
    if rate is not None and speed is not None:
        raise typer.BadParameter("--rate and --speed cannot be used together.")
    if max_gap is not None and speed is None:
        raise typer.BadParameter("--max-gap needs --speed.")
    from wintun_api.cli.replay.pace import CapturedTimes, gap_of, multiple_of, rate_of

    option = "--rate" if rate is not None else "--speed"
    try:
        if rate is not None:
            return rate_of(rate)
        if speed is None:
            return None
        times = CapturedTimes(multiple_of(speed))
        if max_gap is not None:
            option = "--max-gap"
            times.max_gap = gap_of(max_gap)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    return times


def _replay(options: ClientOptions, session: str, order: Order) -> None:
    """Replay a capture file, and say what happened to its packets however it ends."""
    from wintun_api.cli.interruption import Interruption
    from wintun_api.cli.replay import Replay
    from wintun_api.cli.replay.totals import Totals

    totals = Totals()
    fault: str | None = None
    note: str | None = None
    code: int = ExitCode.FAILED
    with Interruption() as interruption:
        try:
            with options.connect() as client:
                replay = Replay(client, client.session_id(session), order, totals, interruption)
                fault = replay.run()
                note = replay.lateness
        except KeyboardInterrupt:
            fault = (
                "The replay was interrupted; what came before was sent."
                if totals.sent
                else "The replay was interrupted before a packet was sent."
            )
            code = signal_code(interruption.signal or signal.SIGINT)
        except typer.Exit:
            if totals.passes:
                _show(totals, as_json=options.as_json)
            raise
    # Where the file cannot be opened, there was no replay to account for.
    if totals.passes or code != ExitCode.FAILED:
        _show(totals, as_json=options.as_json)
    if totals.ring_full:
        note = "Send the packets slower with --rate, so that the send ring does not become full."
    if note is not None:
        typer.echo(note, err=True)
    if fault is not None:
        fail(fault, code=code)


def _show(totals: Totals, *, as_json: bool) -> None:
    if as_json:
        show_json(totals.json())
    else:
        typer.echo(str(totals))


def _packet(hex_digits: str | None, file: Path | None) -> bytes:
    if hex_digits is not None and file is not None:
        raise typer.BadParameter("--hex and --file cannot be used together.")
    if hex_digits is not None:
        try:
            return bytes.fromhex(re.sub(r"0[xX]|[\s:]", "", hex_digits))
        except ValueError:
            raise typer.BadParameter(
                "The value does not consist of pairs of hexadecimal digits.", param_hint="--hex"
            ) from None
    if file is not None and str(file) != "-":
        try:
            # One byte more than a packet can have, so that the service refuses what is too long.
            with file.open("rb") as opened:
                return opened.read(MAX_PACKET + 1)
        except OSError as error:
            fail(f"Cannot read {file}: {error.strerror or error}.")
    if sys.stdin is None or sys.stdin.isatty():
        raise typer.BadParameter("Give the packet with --hex or --file, or on standard input.")
    try:
        return sys.stdin.buffer.read(MAX_PACKET + 1)
    except OSError as error:
        fail(f"Cannot read standard input: {error.strerror or error}.")
