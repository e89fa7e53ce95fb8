"""`wintun-api inject`: packets to the host."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from wintun_api.cli.options import DEFAULT_URL, Json, Token, TokenFile, Url, finite
from wintun_api.cli.output import fail, show_json
from wintun_api.cli.sessions import Named

PACKET_TYPE = "application/octet-stream"
MAX_PACKET = 0xFFFF


def inject(
    session: Named,
    *,
    hex_digits: Annotated[
        str | None,
        typer.Option("--hex", help="The packet in hexadecimal; spaces, colons and 0x are ignored."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="File that holds the packet's bytes; - is standard input.")
    ] = None,
    pcap: Annotated[
        Path | None,
        typer.Option(
            help="pcap or pcapng file, also compressed by gzip; - is standard input. Every IP "
            "packet in it is injected."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, callback=finite, help="Packets a second from --pcap; else at once."),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Inject IP packets, as if they had come through the tunnel.

    One comes from --hex, from --file, or from standard input; many come from --pcap.
    """
    from wintun_api.cli.client import connect, path_of
    from wintun_api.cli.replay import Totals, replay

    if pcap is not None:
        if hex_digits is not None or file is not None:
            raise typer.BadParameter("--pcap excludes --hex and --file.")
        totals = Totals()
        fault: str | None = None
        try:
            with connect(url, token, token_file) as client:
                path = path_of("v1", "sessions", client.session_id(session), "packets")
                fault = replay(client, path, pcap, rate, totals)
        except KeyboardInterrupt:
            fault = "The replay was interrupted; what came before was sent."
        if as_json:
            show_json(totals.json())
        else:
            typer.echo(str(totals))
        if fault is not None:
            fail(fault)
        return
    if rate is not None:
        raise typer.BadParameter("--rate goes with --pcap.")
    packet = _packet(hex_digits, file)
    with connect(url, token, token_file) as client:
        path = path_of("v1", "sessions", client.session_id(session), "packets")
        report = client.request("POST", path, content=packet, headers={"Content-Type": PACKET_TYPE})
    if as_json:
        show_json(report)
    if report["ring_full"]:
        fail("The send ring is full; the packet was dropped.", "Try again.")
    if "link_down" in report["refused"]:
        fail(
            "The host refused the packet, as the adapter's link is set down.",
            "Set it up again; on Linux with: ip link set NAME up",
        )
    if report["refused"]:
        fail("The host refused the packet.")
    if not as_json:
        typer.echo(f"Injected {len(packet)} bytes.")


def _packet(hex_digits: str | None, file: Path | None) -> bytes:
    if hex_digits is not None and file is not None:
        raise typer.BadParameter("--hex and --file exclude each other.")
    if hex_digits is not None:
        try:
            return bytes.fromhex(re.sub(r"0[xX]|[\s:]", "", hex_digits))
        except ValueError:
            raise typer.BadParameter(
                "these are no pairs of hexadecimal digits.", param_hint="--hex"
            ) from None
    if file is not None and str(file) != "-":
        try:
            # One byte more than a packet can have, so that the service refuses what is too long.
            with file.open("rb") as opened:
                return opened.read(MAX_PACKET + 1)
        except OSError as error:
            fail(f"Cannot read {file}: {error.strerror or error}.")
    if sys.stdin is None or sys.stdin.isatty():
        raise typer.BadParameter("Give --hex or --file, or the packet on standard input.")
    try:
        return sys.stdin.buffer.read(MAX_PACKET + 1)
    except OSError as error:
        fail(f"Cannot read standard input: {error.strerror or error}.")
