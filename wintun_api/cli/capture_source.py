"""Where the packets of `capture` come from: the live capture, and recorders before it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import typer

from wintun_api.choices import CaptureDirection, Tap
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail, printable

if TYPE_CHECKING:
    from wintun_api.cli.client import Client
    from wintun_api.client.call import Call

Fault: TypeAlias = tuple[str, str]  # what is wrong, and what to do


@dataclass(frozen=True, slots=True)
class Which:
    """Say whose packets are captured.

    Attributes:
        sessions: Sessions that run, by what people call them.
        adapters: Adapters, whether they have sessions or not.
        pool: The pool whose adapters they are; None if they are not chosen so.
        everything: Whether it is all adapters.
    """

    sessions: Sequence[str]
    adapters: Sequence[str]
    pool: str | None
    everything: bool

    @property
    def is_one(self) -> bool:
        """Whether it is one session and ends with it."""
        return len(self.sessions) == 1 and self._ways == 1

    @property
    def is_given(self) -> bool:
        """Whether something was chosen."""
        return self._ways > 0

    @property
    def fault(self) -> Fault | None:
        """What is wrong with it."""
        if not self._ways:
            return (
                "Name a session to capture from.",
                "For example: wintun-api capture OfficeNet, or wintun-api capture --all",
            )
        if self._ways > 1 and (self.pool is not None or self.everything):
            return (
                "--pool and --all cannot be used with one another or with something else.",
                "Give sessions and --adapter as often as needed, or --pool, or --all.",
            )
        return None

    @property
    def _ways(self) -> int:
        given = (self.sessions, self.adapters, self.pool is not None, self.everything)
        return sum(map(bool, given))


@dataclass(frozen=True, slots=True)
class Packets:
    """Say which of their packets are captured, and how many; as the options of `capture`."""

    filter: str | None
    since: str | None
    count: int | None
    seconds: float | None
    snaplen: int
    direction: CaptureDirection
    tap: Tap
    marks: bool

    @property
    def fault(self) -> Fault | None:
        """What is wrong with it."""
        if self.since is not None and self.tap is Tap.BEFORE:
            return (
                "Recorders have the packets after an impairment.",
                "Leave --tap before out, or --since.",
            )
        return None


def one_session(client: Client, which: Which) -> dict[str, Any] | None:
    """Return the session that is captured alone; None if it is several, or adapters."""
    return client.session(which.sessions[0]) if which.is_one else None


def chunks_of(
    client: Client, which: Which, session: dict[str, Any] | None, packets: Packets
) -> AbstractContextManager[Iterator[bytes]]:
    """Look everything up, and return what opens the capture: pcapng in chunks of any size.

    Args:
        client: A client of the service.
        which: Whose packets they are.
        session: What `one_session` has returned.
        packets: Which packets.
    """
    from wintun_api.client import operations

    limits: dict[str, Any] = {
        "packets": packets.count,
        "seconds": packets.seconds,
        "snaplen": packets.snaplen,
        "direction": packets.direction,
        "tap": None if packets.tap is Tap.AFTER else packets.tap,
        "filter": packets.filter,
        "marks": packets.marks or None,
    }
    waits = ""
    if session is not None:
        live = operations.capture_packets(session["id"], **limits)
        chosen = [session]
    else:
        guids = _guids(client, which)
        live = operations.capture_adapters(guids, pool=which.pool, **limits)
        chosen, waits = _sessions(client, guids, which.pool)
    recorders = _recorders(chosen) if packets.since is not None else []
    recorded = [
        operations.read_recorder(
            one, since=packets.since, direction=packets.direction, filter=packets.filter
        )
        for one in recorders
    ]
    return _opened(client, live, recorded, packets.snaplen, waits)


@contextmanager
def _opened(
    client: Client,
    live: Call[bytes],
    recorded: Sequence[Call[bytes]],
    snaplen: int,
    waits: str,
) -> Iterator[Iterator[bytes]]:
    """Open the capture; what it was asked for may be wrong, so say only then that it waits."""
    from wintun_api.capture.history import joined

    asked = time.monotonic()
    with ExitStack() as stack:
        chunks = stack.enter_context(client.stream(live))
        if waits:
            typer.echo(printable(waits), err=True)
        if not recorded:
            yield chunks
            return

        def recordings() -> Iterable[Iterable[bytes]]:
            return [stack.enter_context(client.stream(one)) for one in recorded]

        yield joined(chunks, recordings, asked=asked, snaplen=snaplen)


def _guids(client: Client, which: Which) -> list[str] | None:
    """Return the adapters that are chosen by name; None if they are not."""
    if which.pool is not None or which.everything:
        return None
    guids = [client.adapter_guid(one) for one in which.adapters]
    guids += [str(client.session(one)["adapter"]) for one in which.sessions]
    return list(dict.fromkeys(guids))


def _sessions(
    client: Client, guids: Sequence[str] | None, pool: str | None
) -> tuple[list[dict[str, Any]], str]:
    """Return the sessions that are chosen; if none runs, also a sentence that says so.

    The name of an adapter or a pool may be wrong.
    """
    from wintun_api.client import operations

    if pool is not None:
        guids = [one["guid"] for one in client.adapters() if one["pool"] == pool]
    chosen = [
        one
        for one in client.ask(operations.list_sessions())
        if guids is None or one["adapter"] in guids
    ]
    if pool is not None and not guids:
        return chosen, f"No adapter is in the pool {pool} yet; waiting for one."
    if all(one["state"] != "running" for one in chosen):
        return chosen, "No session of these adapters runs yet; waiting for one."
    return chosen, ""


def _recorders(sessions: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sessions whose recorder is on; say of which there is none."""
    on = [str(one["id"]) for one in sessions if one.get("recorder")]
    if not on:
        fail(
            "Nothing was recorded: no recorder of these sessions is on.",
            "Switch one on with: wintun-api recorder ADAPTER on",
            code=ExitCode.NOT_FOUND,
        )
    for one in sessions:
        if not one.get("recorder"):
            name = one.get("name") or one["adapter"]
            said = f"The recorder of {name} is off; its packets begin now."
            typer.echo(printable(said), err=True)
    return on
