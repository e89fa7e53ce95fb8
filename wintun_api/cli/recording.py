"""What a capture has recorded: lines or JSON on standard output, or blocks in a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.output import Progress, counted, fail, standard_output

if TYPE_CHECKING:
    from wintun_api.capture.tally import Totals


class Lines:
    """Show packets as lines, or as JSON.

    Args:
        as_json: Whether packets become JSON.
        several: Whether a line names the interface of its packet.

    Attributes:
        totals: What was shown.
    """

    def __init__(self, *, as_json: bool, several: bool) -> None:
        from wintun_api.capture.tally import Totals

        self._as_json = as_json
        self._several = several
        self.totals = Totals()

    def take(self, chunks: Iterator[bytes]) -> None:
        """Show what comes, until nothing does."""
        from wintun_api.capture.reader import Reader
        from wintun_api.cli.packet_lines import json_of, line_of

        totals = self.totals
        reader = Reader(chunks, growing=True)
        for packet in reader:
            totals.packets += 1
            totals.bytes += len(packet.data or b"") + packet.missing
            totals.lost += packet.dropped
            if self._as_json:
                typer.echo(json_of(packet))
            else:
                if packet.dropped and packet.comment is None:
                    typer.echo(f"({counted(packet.dropped, 'packet')} lost)")
                typer.echo(line_of(packet, several=self._several))
        # Where a signal ended the capture, some interfaces may have no statistics.
        totals.lost = max(totals.lost, reader.lost or 0)


class Blocks:
    """Write whole blocks of pcapng only, so that the file is whole whenever it ends.

    Args:
        file: The file.

    Attributes:
        totals: What the file has.
    """

    def __init__(self, file: FileIO) -> None:
        from wintun_api.capture.tally import Tally

        self._file = file
        self._tally = Tally()
        self.totals = self._tally.totals

    def take(self, chunks: Iterator[bytes]) -> None:
        """Write what comes, until nothing does, and end the file as the service would have."""
        from wintun_api.capture.history import whole_blocks

        for blocks in whole_blocks(chunks):
            self._put(blocks)
        self._put(self._tally.end())

    def _put(self, blocks: bytes) -> None:
        written = 0
        try:
            while written < len(blocks):
                written += self._file.write(memoryview(blocks)[written:]) or 0
        except (OSError, KeyboardInterrupt):
            from wintun_api.capture import pcapng

            kept = pcapng.whole(blocks[:written])
            self._tally.note(blocks[:kept])
            with suppress(OSError):  # a pipe cannot be cut
                self._file.truncate(self._file.tell() - (written - kept))
            raise
        self._tally.note(blocks)


def refuse_terminal(path: Path | None, command: str) -> None:
    """Refuse to write pcapng to a terminal; `command` is what can be piped instead."""
    if str(path) == "-" and sys.stdout is not None and sys.stdout.isatty():
        fail(
            "pcapng is binary, and standard output is a terminal.",
            f"Pipe it into a program: {command} | wireshark -k -i -",
            code=ExitCode.USAGE,
        )


def record(
    path: Path | None,
    chunks: Iterator[bytes],
    *,
    as_json: bool = False,
    several: bool = False,
    done: str = "captured",
    tell: Callable[[], object] | None = None,
) -> bool:
    """Write or show a capture until it or a signal ends it, and tell the totals.

    What has come before a signal is written. A second signal does not wait for that, because the
    program that reads it may have stopped to read.

    Return whether everything that came was taken, and the capture ended by itself.

    Args:
        path: The file; - is standard output. None where packets become lines, or JSON.
        chunks: The capture as pcapng, in chunks of any size.
        as_json: As for `Lines`.
        several: Likewise.
        done: What has happened to the packets, for the totals.
        tell: Called when a signal comes, for a capture that then ends by itself and in order.
    """
    from wintun_api.cli.words import broke_off
    from wintun_api.client.problems import ServiceUnreachable

    progress = Progress()
    unreachable: ServiceUnreachable | None = None
    unwritten = ""

    def told() -> str:
        packets, size = counted(totals.packets, "packet"), counted(totals.bytes, "byte")
        return f"{packets} {done}, {size}, {totals.lost} lost."

    def arriving() -> Iterator[bytes]:
        nonlocal unreachable
        try:
            for chunk in chunks:
                with interruption.held() if tell is None else nullcontext():
                    yield chunk
                if path is not None:
                    progress.show(told)
        except KeyboardInterrupt:
            return
        except ServiceUnreachable as error:
            unreachable = error

    with ExitStack() as stack:
        file = None if path is None else stack.enter_context(_file(path))
        recording = Lines(as_json=as_json, several=several) if file is None else Blocks(file)
        totals: Totals = recording.totals
        interruption = stack.enter_context(Interruption())
        if tell is not None:
            stack.enter_context(interruption.told(tell))
        whole = False
        try:
            recording.take(arriving())
            whole = True
        except BrokenPipeError:  # the program that reads the capture has enough
            pass
        except OSError as error:
            to = "standard output" if path is None or str(path) == "-" else str(path)
            unwritten = f"Cannot write {to}: {error.strerror or error}."
            if done == "captured":
                unwritten += " The capture was stopped."
        finally:
            progress.end(told())
        if unwritten:
            fail(unwritten)
        if unreachable is not None:
            broke_off("capture", unreachable)
        if interruption.signal is not None:
            raise KeyboardInterrupt
    return whole


def _file(path: Path) -> FileIO:
    # Unbuffered: what is written is seen at once, and an interrupt never leaves half a block.
    if str(path) == "-":
        return standard_output("--write")
    try:
        return FileIO(path, "wb")
    except OSError as error:
        fail(f"Cannot write {path}: {error.strerror or error}.")
