"""Send the packets of a capture file into a session, for `inject --pcap`.

    pace          when each packet is due
    totals        what happened to the packets
    capture_file  what is read, a file or standard input

Packets go by HTTP, a batch a request, so that the report of each request accounts for its packets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from wintun_api.choices import CaptureDirection
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.output import Progress, fail
from wintun_api.cli.replay.capture_file import CaptureFile, opened
from wintun_api.cli.replay.pace import Pace
from wintun_api.cli.replay.totals import Totals
from wintun_api.limits import MAX_PACKET
from wintun_api.moments import NS_PER_SECOND
from wintun_api.packet.offload import completed

if TYPE_CHECKING:
    from wintun_api.capture.reader import Captured
    from wintun_api.cli.client import Client

__all__ = ["Order", "Replay"]

MAX_PACKETS: Final = 256
MAX_BYTES: Final = 60_000  # of a batch, so that it fits into the smallest message a service allows
STANDARD_INPUT: Final = "standard input"
SHORTENED: Final = "cut by the snap length"
WITHOUT_DIRECTION: Final = "without a direction"
_STEP: Final = 1.0  # seconds between two looks of the progress while it waits
_BEHIND: Final = NS_PER_SECOND  # a delay that is told at the end


@dataclass(frozen=True, slots=True)
class Order:
    """What is replayed, and how.

    Attributes:
        file: The capture; `-` is standard input.
        pace: When packets are due; None for as fast as possible.
        loop: How often; 0 for endlessly.
        direction: Only packets that were captured in this direction.
    """

    file: Path
    pace: Pace | None = None
    loop: int = 1
    direction: CaptureDirection = CaptureDirection.BOTH


class Replay:
    """Send the packets of one capture file.

    Packets that are not IP, that a snap length cut, or that have the other direction, are left out
    and counted. The file is read piece by piece, so its size does not matter.
    """

    def __init__(
        self,
        client: Client,
        session_id: str,
        order: Order,
        totals: Totals,
        interruption: Interruption,
    ) -> None:
        self._client = client
        self._session_id = session_id
        self._order = order
        self._pace = order.pace
        self._totals = totals
        self._interruption = interruption
        self._progress = Progress()
        self._name = str(order.file)
        self._subject = self._name  # at the beginning of a sentence
        if self._name == "-":
            self._name, self._subject = STANDARD_INPUT, STANDARD_INPUT.capitalize()
        self._file: CaptureFile | None = None
        self._found = 0
        self._handled = 0  # bytes of the file, in this pass, whose packets were sent or left out
        self._read = 0  # the same, with those of the batch
        self._batch: list[bytes] = []
        self._size = 0  # bytes of the batch
        self._due = 0  # when the batch is due, in nanoseconds after the start
        self._last_due = 0
        self._began = self._ended = time.monotonic_ns()
        self._start = 0  # the moment at which the first packet was due; 0 before it
        self._waited = False  # whether the source made the replay wait since the last packet

    def run(self) -> str | None:
        """Send everything; return a sentence about what is wrong with the file, if something is.

        Raises:
            KeyboardInterrupt: It was interrupted; the totals are right.
        """
        try:
            with opened(self._order.file) as file:
                return self._passes(file)
        except OSError as error:
            return f"Cannot read {self._name}: {error.strerror or error}."
        finally:
            self._ended = time.monotonic_ns()
            self._totals.seconds = (self._ended - self._began) / NS_PER_SECOND
            self._progress.clear()

    @property
    def lateness(self) -> str | None:
        """Return a sentence, at the end, if the pace could not be kept."""
        late = self._ended - self._start - self._last_due
        if self._pace is None or not self._start or late < max(_BEHIND, self._last_due // 10):
            return None
        return (
            "The packets were not sent as fast as asked: the last one came "
            f"{late / NS_PER_SECOND:.1f} s late."
        )

    def _passes(self, file: CaptureFile) -> str | None:
        loop = self._order.loop
        if loop != 1 and file.size is None:
            fail(
                f"--loop cannot read {self._name} again, because only files can be read twice.",
                "Save the capture in a file first.",
                code=ExitCode.USAGE,
            )
        self._file = file
        truncated = False
        while not loop or self._totals.passes < loop:
            self._handled = self._read = 0
            if self._totals.passes:
                file.rewind()
                if self._pace is not None:
                    self._pace.begin_again()
            self._totals.passes += 1
            sent = self._totals.sent
            try:
                truncated = self._pass(file)
            except ValueError as error:
                if self._found:
                    return f"Cannot read all of {self._name}: {error}"
                return f"Cannot read {self._name} as a capture: {error}"
            if self._totals.sent == sent:
                break
        if truncated and not self._totals.sent:
            return f"{self._subject} is cut short before the first packet that can be injected."
        if truncated:
            return f"{self._subject} is cut short; what came before was replayed."
        if not self._found:
            return f"{self._subject} holds no packets."
        if self._totals.left_out[WITHOUT_DIRECTION] == self._found:
            return (
                f"{self._subject} does not say in which direction its packets were captured; "
                "leave out --direction."
            )
        if not self._totals.sent:
            return f"{self._subject} holds no packet that can be injected."
        if not self._totals.accepted:
            return f"No packet of {self._name} was accepted."
        return None

    def _pass(self, file: CaptureFile) -> bool:
        """Send the packets of the file once; return whether the file is cut."""
        from wintun_api.capture.reader import Reader

        growing = file.size is None
        reader = Reader(self._arriving(file) if growing else file.chunks(), growing=growing)
        try:
            for captured in reader:
                self._found += 1
                reason = self._why_not(captured)
                if reason is None:
                    assert captured.data is not None
                    self._add(captured.data, captured.time_ns)
                else:
                    self._totals.left_out[reason] += 1
                    self._progress.show(self._so_far)
                self._read = reader.position
                if not self._batch:
                    self._handled = self._read
        except (ValueError, OSError):
            self._send()  # what came before the fault is whole
            raise
        self._send()
        return reader.truncated

    def _arriving(self, file: CaptureFile) -> Iterator[bytes]:
        """Yield what another program writes; send what has come before waiting for more."""
        chunks = file.chunks()
        while True:
            self._send()
            chunk = next(chunks, None)
            if chunk is None:
                return
            self._waited = True
            yield chunk

    def _why_not(self, captured: Captured) -> str | None:
        """Return why a packet is left out; None if it is not."""
        if captured.data is None:
            return captured.reason
        if captured.missing:
            return SHORTENED
        if len(captured.data) > MAX_PACKET:
            return f"longer than {MAX_PACKET} bytes"
        if self._order.direction is CaptureDirection.BOTH:
            return None
        if captured.injected is None:
            return WITHOUT_DIRECTION
        if captured.injected is not (self._order.direction is CaptureDirection.INJECTED):
            return "injected" if captured.injected else "received"
        return None

    def _add(self, data: bytes, time_ns: int) -> None:
        packet = completed(data)
        self._totals.completed += packet is not data
        due = 0
        if self._pace is not None:
            due = self._pace.due(time_ns, len(packet))
            now = time.monotonic_ns()
            # What comes late because its source was slow does not make the rest hurry.
            if not self._start or (self._waited and now - self._start > due):
                self._start = now - due
            self._waited = False
            # What is due already goes with the batch, so that a replay that is late catches up.
            if (
                self._batch
                and due - self._due >= self._pace.grain
                and self._start + due > time.monotonic_ns()
            ):
                self._send()
        if len(self._batch) >= MAX_PACKETS or self._size + len(packet) > MAX_BYTES:
            self._send()
        if not self._batch:
            self._due = due
        self._last_due = due
        self._batch.append(packet)
        self._size += len(packet)

    def _send(self) -> None:
        """Send the batch when it is due, and count what the service answers."""
        from wintun_api.cli.words import unreachable
        from wintun_api.client import operations
        from wintun_api.client.problems import ServiceUnreachable

        if not self._batch:
            return
        self._wait()
        batch, self._batch, self._size = self._batch, [], 0
        with self._interruption.held():
            self._totals.unanswered += len(batch)
            try:
                report = self._client.attempt(operations.inject_packets(self._session_id, batch))
            except ServiceUnreachable as error:
                unreachable(error)
            except typer.Exit:  # the service refused the request, and injected nothing of it
                self._totals.unanswered -= len(batch)
                raise
            self._totals.unanswered -= len(batch)
            self._totals.add(report)
            self._handled = self._read
        self._progress.show(self._so_far)

    def _wait(self) -> None:
        if self._pace is None:
            return
        moment = self._start + self._due
        while (left := (moment - time.monotonic_ns()) / NS_PER_SECOND) > 0:
            time.sleep(min(left, _STEP))
            self._progress.show(lambda: self._so_far(moment))

    def _so_far(self, due: int = 0) -> str:
        """Return how far the replay is, as a line; `due` is the moment for which it waits."""
        assert self._file is not None
        seconds = (time.monotonic_ns() - self._began) / NS_PER_SECOND
        sent = self._totals.sent
        rate = f" ({sent / seconds:.0f} a second)" if seconds > 0 else ""  # the clock may stand
        words = [f"{sent} sent in {seconds:.0f} s{rate}"]
        size, loop, number = self._file.size, self._order.loop, self._totals.passes
        if size and loop:
            passed = number - 1 + min(self._handled / size, 1)
            words.insert(0, f"{100 * passed / loop:.0f} %")
        if loop != 1:
            words.append(f"pass {number}" + (f" of {loop}" if loop else ""))
        left_out = sum(self._totals.left_out.values())
        if left_out:
            words.append(f"{left_out} left out")
        wait = (due - time.monotonic_ns()) / NS_PER_SECOND
        if wait > _STEP:
            words.append(f"the next in {wait:.0f} s")
        return ", ".join(words)
