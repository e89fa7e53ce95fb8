"""The blocks of one pcapng file that has an interface for each of its sessions."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wintun_api import __version__
from wintun_api.capture import pcapng
from wintun_api.hub.burst import Burst, Form
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Loss


@dataclass(slots=True)
class _Interface:
    """Hold an interface of the file: its number, and what its statistics say."""

    number: int
    session: str
    name: str
    began_ns: int
    written: int = 0
    lost: int = 0
    untold: list[Loss] = field(default_factory=list)


class PcapngFile:
    """Make the blocks of one file; it keeps no packets and writes nothing itself.

    Every method returns whole blocks, in the order in which they belong into the file. A session
    gets its interface block before its first packet. If its adapter is renamed, its packets belong
    to another interface with the new name from then on.

    Args:
        snaplen: Bytes of each packet that are kept; 0 for all.
        filter: The filter, which the interface blocks name.
        marks: Whether impaired and rejected packets get a comment.
    """

    def __init__(self, *, snaplen: int = 0, filter: str = "", marks: bool = False) -> None:  # noqa: A002
        self._snaplen = snaplen
        self._filter = filter
        self._marks = marks
        self._interfaces: dict[str, _Interface] = {}  # by session
        self._all: list[_Interface] = []

    @property
    def offered(self) -> list[tuple[str, int]]:
        """The session of each interface, and its packets, with those that were lost."""
        return [(one.session, one.written + one.lost) for one in self._all]

    def begin(self, comment: str = "") -> bytes:
        """Return the section header, with a comment."""
        return pcapng.section(
            os=f"{platform.system()} {platform.release()}",
            application=f"wintun-api {__version__}",
            comment=comment,
        )

    def introduce(self, source: Source) -> bytes:
        """Return the interface block of a session; empty if the file has it.

        After its adapter was renamed, the statistics under its old name come before it.
        """
        return self._introduce(source, time.time_ns())

    def lose(self, source: Source, losses: Sequence[Loss]) -> bytes:
        """Note losses, which the next packet of the session carries, or its statistics."""
        begin = self.introduce(source) if losses else b""
        self._note(source, losses)
        return begin

    def add(self, source: Source, burst: Burst, losses: Sequence[Loss] = ()) -> bytes:
        """Return the packets of a burst, at least one; the first carries the losses before it."""
        begin = self._introduce(source, burst.time_ns)
        self._note(source, losses)
        interface = self._interfaces[source.session]
        interface.written += burst.count
        comments: Mapping[int, Sequence[str]] = (burst.comments or {}) if self._marks else {}
        burst = burst.cut(self._snaplen)
        untold = interface.untold
        if not (untold or comments or interface.number):
            return begin + burst.form(Form.PCAPNG, _blocks)
        dropped = 0
        if untold:
            interface.untold = []
            dropped = sum(loss.count for loss in untold)
            comments = {**comments, 0: (told(untold, "before this one"), *comments.get(0, ()))}
        return begin + _blocks(burst, interface.number, dropped, comments)

    def end_of(self, source: Source) -> bytes:
        """Return the statistics of a session that has ended; empty if the file has none of it."""
        interface = self._interfaces.pop(source.session, None)
        return b"" if interface is None else _statistics(interface)

    def end(self) -> bytes:
        """Return the statistics of all other sessions, which end the file."""
        interfaces, self._interfaces = self._interfaces, {}
        return b"".join(map(_statistics, interfaces.values()))

    def _note(self, source: Source, losses: Sequence[Loss]) -> None:
        if losses:
            interface = self._interfaces[source.session]
            interface.untold += losses
            interface.lost += sum(loss.count for loss in losses)

    def _introduce(self, source: Source, now_ns: int) -> bytes:
        known = self._interfaces.get(source.session)
        if known is not None and known.name == source.name:
            return b""
        end = self.end_of(source)
        interface = _Interface(len(self._all), source.session, source.name, now_ns)
        self._interfaces[source.session] = interface
        self._all.append(interface)
        return end + pcapng.interface(
            source.name,
            snaplen=self._snaplen,
            description=f"adapter {source.adapter}, session {source.session}",
            filter=self._filter,
            comment=f"adapter {source.adapter}",
        )


def told(losses: Sequence[Loss], where: str) -> str:
    """Say how many packets were lost and why: "3 packets were lost before this one: queue 3"."""
    causes: dict[str, int] = {}
    for loss in losses:
        causes[loss.cause] = causes.get(loss.cause, 0) + loss.count
    count = sum(causes.values())
    text = "1 packet was" if count == 1 else f"{count} packets were"
    return f"{text} lost {where}: " + ", ".join(f"{cause} {n}" for cause, n in causes.items())


def _statistics(interface: _Interface) -> bytes:
    return pcapng.statistics(
        start_ns=interface.began_ns,
        end_ns=time.time_ns(),
        received=interface.written + interface.lost,
        dropped=interface.lost,
        interface=interface.number,
        comment=told(interface.untold, "after the last one") if interface.untold else "",
    )


def _blocks(
    burst: Burst,
    interface: int = 0,
    dropped: int = 0,
    comments: Mapping[int, Sequence[str]] | None = None,
) -> bytes:
    return pcapng.packets(
        burst.packets,
        burst.lengths,
        burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.original_lengths,
        times=burst.times,
        interface=interface,
        dropped=dropped,
        comments=comments,
    )
