"""`wintun-api join NETWORK`: join a network of many hosts with an adapter."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from wintun_api.cli.amounts import bytes_in
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.fleet_options import (
    EXTRA,
    FleetOptions,
    check_name,
    connected,
    network_in,
    prefix_in,
    takes_fleet_options,
)
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.output import counted, printable
from wintun_api.cli.packet_options import FILTER_HELP, expression_in
from wintun_api.limits import MAX_PACKET

if TYPE_CHECKING:
    import asyncio
    from asyncio import AbstractEventLoop

    from wintun_api.client import AsyncClient
    from wintun_api.fleet.agent.order import Order
    from wintun_api.fleet.events import Event
    from wintun_api.fleet.packets.accounts import Accounts

LEAST_BYTES, MOST_BYTES = 256 * 1024, 1 << 30
EPILOG: Final = (
    "Example: wintun-api join lab --adapter A\n\n"
    "On another machine: wintun-api join lab --adapter B --key FILE"
)


@takes_fleet_options
@takes_client_options("Write one JSON object per line; errors too.")
def join(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="The name of the network.")],
    *,
    adapter: Annotated[
        str,
        typer.Option("--adapter", "-a", metavar="ADAPTER", help="The adapter: its name or GUID."),
    ],
    prefix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PREFIX",
            help="A network behind this host, such as 192.168.5.0/24: other hosts send packets "
            "for it here, besides those for the addresses of the adapter. Can be repeated.",
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The name that others see. The default is the name of this machine.",
        ),
    ] = None,
    policy: Annotated[
        Literal["drop_oldest", "drop_newest", "block"],
        typer.Option(
            help="What happens to packets when the bus takes them too slowly: those that have "
            "waited longest are dropped, new ones are dropped, or with block all wait in the ring "
            "of the adapter.",
        ),
    ] = "drop_oldest",
    bus_bytes: Annotated[
        str, typer.Option(metavar="SIZE", help="How many bytes of packets may wait for the bus.")
    ] = "1mb",
    allow: Annotated[
        Literal["read", "capture", "admin"] | None,
        typer.Option(
            help="Let operators of the network use the service of this host, with wintun-api "
            "--host NAME: read shows its state, capture also records packets into files, admin "
            "does everything. The token must allow it too. Every request is a line here. By "
            "default operators may do nothing.",
        ),
    ] = None,
    capture: Annotated[
        bool,
        typer.Option(
            "--capture",
            help="Capture the packets of the adapter for the network. Users with the key of a "
            "reader see them with wintun-api capture --network, as long as the bus keeps them.",
        ),
    ] = False,
    capture_filter: Annotated[
        str | None,
        typer.Option(
            callback=expression_in,
            metavar="EXPRESSION",
            help=f"With --capture: {FILTER_HELP[:1].lower()}{FILTER_HELP[1:]}",
        ),
    ] = None,
    capture_snaplen: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_PACKET,
            help="With --capture: keep only this many bytes of each packet; 0 keeps all.",
        ),
    ] = 0,
    options: ClientOptions,
    fleet: FleetOptions,
) -> None:
    """Join a network of many hosts with an adapter, until Ctrl-C or SIGTERM.

    Other hosts then reach the addresses of the adapter, and packets for their addresses
    leave through it. The command needs a token with the scopes read, capture and inject,
    and no other right on this machine. If the adapter does not exist yet, or if its
    session does not run and the token may not start it, the command waits for it.

    Every change is a line: hosts that join and leave, addresses that are refused because
    another host has them, lost packets. A second signal ends the command at once.
    """
    import asyncio

    from wintun_api.cli.fleet_failure import fleet_failures

    if not capture and (capture_filter is not None or capture_snaplen):
        raise typer.BadParameter(
            "--capture-filter and --capture-snaplen belong to --capture, which is missing."
        )
    if not adapter.strip():
        raise typer.BadParameter(
            "Give the name or the GUID of an adapter; wintun-api adapters list shows them.",
            param_hint="--adapter",
        )
    with fleet_failures(EXTRA):
        # A missing package is said before a service is looked for.
        import wintun_api.fleet.bus.nats  # noqa: F401
        from wintun_api.fleet.agent.order import Order
        from wintun_api.fleet.captures.capturing import CaptureOrder
        from wintun_api.fleet.remote.allowance import Allow

        order = Order(
            network_in(network),
            adapter,
            _name_in(name),
            tuple(map(prefix_in, prefix or ())),
            policy,
            bytes_in(bus_bytes, "--bus-bytes", least=LEAST_BYTES, most=MOST_BYTES),
            Allow(allow) if allow else None,
            CaptureOrder(capture_filter, capture_snaplen) if capture else None,
        )
        with Interruption() as interruption, asyncio.Runner(loop_factory=_new_loop()) as runner:
            runner.run(_run(order, options, fleet, interruption))
            if interruption.signal is not None:
                raise KeyboardInterrupt


async def _run(
    order: Order, options: ClientOptions, fleet: FleetOptions, interruption: Interruption
) -> None:
    import asyncio

    from wintun_api.cli.log import tell
    from wintun_api.cli.service_failure import service_failures
    from wintun_api.client import AsyncClient
    from wintun_api.fleet.agent.agent import Agent
    from wintun_api.fleet.keys.rights import Role

    def show(event: Event) -> None:
        if options.as_json:
            typer.echo(json.dumps(event.document()))
        else:
            typer.echo(printable(f"{event.time.astimezone():%H:%M:%S}  {event.text}"))

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with (
        service_failures(options.url),
        interruption.told(lambda: loop.call_soon_threadsafe(stop.set)),
    ):
        async with AsyncClient(
            options.url, token=options.token, token_file=options.token_file
        ) as client:
            await client.get_system()  # says what is wrong there before a key is made
            await _check_filter(client, order)
            if not fleet.has_key(
                order.network, order.adapter, role=Role.HOST
            ) and not await _is_there(client, order, show, stop):
                return
            line = await fleet.key_for(
                order.network, order.adapter, role=Role.HOST, name=order.name
            )
            ledger = fleet.storage().ledger(order.network, line.identity.host)
            if ledger.set_aside is not None:
                tell(
                    "Warning: the file of the counters is damaged, or of another version. It is "
                    f"kept as {ledger.set_aside}, and counting begins again."
                )
            try:
                bus = await connected(line, f"wintun-api {order.name}", pending=order.bus_bytes)
                try:
                    agent = Agent(client, bus, line.identity.host, order, ledger, on_event=show)
                    await agent.run(stop)
                finally:
                    await bus.aclose()
                if not options.as_json:
                    typer.echo(_totals(ledger.accounts()), err=True)
            finally:
                ledger.close()


async def _check_filter(client: AsyncClient, order: Order) -> None:
    """End the command if the service refuses the filter of the capture, before others see it."""
    from wintun_api.cli import filter_fault
    from wintun_api.client.problems import ProblemError
    from wintun_api.errors import InvalidFilter
    from wintun_api.fleet.service.attachment import may_pass

    expression = None if order.capture is None else order.capture.filter
    if not expression:
        return
    try:
        verdict = await client.check_filter(expression)
    except ProblemError as error:
        if not may_pass(error):
            raise
    else:
        if verdict.error is not None:
            fault = verdict.error
            filter_fault.refuse(InvalidFilter(expression, fault.message, fault.offset))


async def _is_there(
    client: AsyncClient, order: Order, show: Callable[[Event], None], stop: asyncio.Event
) -> bool:
    """Wait for the adapter, or for a signal: an adapter that is mistyped gets no key."""
    from wintun_api.fleet.agent.sentences import about_wait
    from wintun_api.fleet.events import Event
    from wintun_api.fleet.problems import FleetError
    from wintun_api.fleet.race import first_of
    from wintun_api.fleet.service.attachment import Attachment

    def waits(missing: FleetError) -> None:
        show(Event(*about_wait(missing)))

    attachment = Attachment(
        client,
        order.adapter,
        overflow=order.policy,
        on_found=lambda _adapter: None,
        on_change=lambda _connected, _why: None,
        on_wait=waits,
        on_end=lambda: None,
    )
    await attachment.check()
    return await first_of(attachment.find(), stop.wait()) == 0


def _new_loop() -> Callable[[], AbstractEventLoop] | None:
    """Return what makes the fastest event loop that is installed; None for the usual one."""
    try:
        import uvloop
    except ImportError:
        return None
    make: Callable[[], AbstractEventLoop] = uvloop.new_event_loop
    return make


def _totals(accounts: Accounts) -> str:
    from wintun_api.fleet.packets.accounts import GROUP
    from wintun_api.fleet.packets.losses import lost_by

    sent = counted(accounts.taken.numbered, "packet")
    confirmed = sum(one.delivered for one in accounts.sent)
    to_all = sum(one.sent for one in accounts.sent if one.to == GROUP)
    unconfirmed = f", {to_all} to all hosts, which confirm none" if to_all else ""
    delivered = counted(sum(one.delivered for one in accounts.arrived), "packet")
    lost = ", ".join(
        f"{count} {cause.value.replace('_', ' ')}"
        for cause, count in lost_by(accounts).items()
        if count
    )
    return (
        f"In all runs with this key: {sent} sent, {confirmed} of them confirmed{unconfirmed}; "
        f"{delivered} injected; lost: {lost or 'none'}."
    )


def _name_in(name: str | None) -> str:
    said = (socket.gethostname() if name is None else name).strip() or "host"
    check_name(said)
    return said
