"""What a capture has recorded: lines or JSON on standard output, or blocks in a file."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path

import typer

from wintun_api.cli.exit_codes import ExitCode, signal_code
from wintun_api.cli.output import Progress, counted, fail


class Recording:
    """What one capture has recorded.

    Args:
        file: The file; None where packets become lines, or JSON.
        as_json: Whether packets become JSON.
        several: Whether a line names the interface of its packet.
        done: What has happened to the packets, for the totals.

    Attributes:
        signal: The signal that ended it, or None.
    """

    def __init__(
        self,
        file: FileIO | None,
        *,
        as_json: bool,
        several: bool = False,
        done: str = "captured",
    ) -> None:
        from wintun_api.capture.tally import Tally

        self._file = file
        self._as_json = as_json
        self._several = several
        self._done = done
        self._packets = 0
        self._bytes = 0
        self._lost = 0
        self._tally = Tally()
        self._waiting = True
        self._stopped = False
        self._progress = Progress()
        self.signal: int | None = None

    def run(self, chunks: Iterator[bytes]) -> None:
        """Write or show what comes, until nothing does."""
        from wintun_api.capture.reader import Reader
        from wintun_api.cli.packet_lines import json_of, line_of
        from wintun_api.cli.words import cause_of
        from wintun_api.client.problems import ServiceUnreachable

        chunks = self._until_stopped(chunks)
        reader = Reader(chunks if self._file is None else self._written(chunks), growing=True)
        try:
            for packet in reader:
                self._packets += 1
                self._bytes += len(packet.data or b"") + packet.missing
                self._lost += packet.dropped
                if self._file is not None:
                    self._progress.show(self._totals)
                elif self._as_json:
                    typer.echo(json_of(packet))
                else:
                    if packet.dropped and packet.comment is None:
                        typer.echo(f"({counted(packet.dropped, 'packet')} lost)")
                    typer.echo(line_of(packet, several=self._several))
        except KeyboardInterrupt:
            self._stopped = True
        except ServiceUnreachable as error:
            self._finish()
            fail(
                f"The capture broke off: {cause_of(error)}.",
                "See whether the service still runs with: wintun-api status",
                code=ExitCode.NOT_REACHABLE,
            )
        if reader.lost is not None:
            self._lost = reader.lost
        elif self._stopped:
            self._finish()

    def interrupt(self, number: int, _frame: object) -> None:
        """Stop; called by signals. What has come is written and counted first."""
        self._stopped = True
        self.signal = number
        if self._waiting:
            raise KeyboardInterrupt

    def _until_stopped(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        while not self._stopped:
            self._waiting = True
            chunk = next(chunks, None)
            self._waiting = False
            if chunk is None:
                return
            yield chunk

    def _finish(self) -> None:
        """End the file as the service would have."""
        if self._file is not None:
            _, failure = self._put(self._tally.end())
            if failure is not None:
                raise failure

    def _put(self, blocks: bytes) -> tuple[int, OSError | None]:
        """Write whole blocks; return how many bytes the file keeps, and why not all of them."""
        from wintun_api.capture import pcapng

        assert self._file is not None
        written = 0
        try:
            while written < len(blocks):
                written += self._file.write(memoryview(blocks)[written:]) or 0
        except OSError as error:
            kept = pcapng.whole(blocks[:written])
            with suppress(OSError):  # a pipe cannot be cut
                self._file.truncate(self._file.tell() - (written - kept))
            return kept, error
        return written, None

    def tell(self) -> None:
        """Write the totals."""
        self._progress.end(self._totals())

    def _totals(self) -> str:
        packets, size = counted(self._packets, "packet"), counted(self._bytes, "byte")
        return f"{packets} {self._done}, {size}, {self._lost} lost."

    def _written(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Write whole blocks only, so that the file is whole whenever it ends; pass them on."""
        from wintun_api.capture import pcapng

        rest = b""
        for chunk in chunks:
            rest += chunk
            whole, rest = rest[: (size := pcapng.whole(rest))], rest[size:]
            if not whole:
                continue
            kept, failure = self._put(whole)
            self._tally.note(whole[:kept])
            yield whole[:kept]
            if failure is not None:
                raise failure


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
) -> bool:
    """Write or show a capture until it or a signal ends it, and tell the totals.

    Return whether everything that came was taken, and the capture ended by itself.

    Args:
        path: The file; - is standard output. None where packets become lines, or JSON.
        chunks: The capture as pcapng, in chunks of any size.
        as_json: As for `Recording`.
        several: Likewise.
        done: Likewise.
    """
    with ExitStack() as stack:
        file = None if path is None else stack.enter_context(_file(path))
        recording = Recording(file, as_json=as_json, several=several, done=done)
        broken: str | None = None
        whole = False
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, recording.interrupt))
        try:
            recording.run(chunks)
            whole = True
        except BrokenPipeError:  # the program that reads the capture has enough
            pass
        except OSError as error:
            to = "standard output" if path is None or str(path) == "-" else str(path)
            broken = f"Cannot write {to}: {error.strerror or error}."
            if done == "captured":
                broken += " The capture was stopped."
        finally:
            recording.tell()
        if broken is not None:
            fail(broken)
        if recording.signal is not None:
            raise typer.Exit(signal_code(recording.signal))
    return whole


def _file(path: Path) -> FileIO:
    # Unbuffered: what is written is seen at once, and an interrupt never leaves half a block.
    if str(path) == "-":
        if sys.stdout is None:
            fail("Standard output is closed.", "Give a file with --write instead.")
        return FileIO(sys.stdout.fileno(), "wb", closefd=False)
    try:
        return FileIO(path, "wb")
    except OSError as error:
        fail(f"Cannot write {path}: {error.strerror or error}.")
