"""`wintun-api inject`: packets to the host."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.options import finite
from wintun_api.cli.output import fail, show_json
from wintun_api.cli.sessions import Named
from wintun_api.limits import MAX_PACKET


@takes_client_options()
def inject(
    session: Named,
    *,
    hex_digits: Annotated[
        str | None,
        typer.Option("--hex", help="The packet in hexadecimal. Spaces, colons and 0x are ignored."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file with the bytes of the packet; - is standard input.")
    ] = None,
    pcap: Annotated[
        Path | None,
        typer.Option(
            help="A pcap or pcapng file, which gzip may have compressed; - is standard input. "
            "Every IP packet in it is injected."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            callback=finite,
            help="Packets per second from --pcap. Without it they are sent as fast as possible.",
        ),
    ] = None,
    options: ClientOptions,
) -> None:
    """Inject IP packets: the host receives them as if they had come through the tunnel.

    A single packet comes from --hex, from --file or from standard input; many packets
    come from the capture file that --pcap names.
    """
    from wintun_api.cli.replay import Totals, replay
    from wintun_api.client import operations

    if pcap is not None:
        if hex_digits is not None or file is not None:
            raise typer.BadParameter("--pcap cannot be used with --hex or --file.")
        totals = Totals()
        fault: str | None = None
        code = ExitCode.FAILED
        try:
            with options.connect() as client:
                fault = replay(client, client.session_id(session), pcap, rate, totals)
        except KeyboardInterrupt:
            fault = "The replay was interrupted; what came before was sent."
            code = ExitCode.INTERRUPTED
        if options.as_json:
            show_json(totals.json())
        else:
            typer.echo(str(totals))
        if fault is not None:
            fail(fault, code=code)
        return
    if rate is not None:
        raise typer.BadParameter("--rate needs --pcap.")
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
