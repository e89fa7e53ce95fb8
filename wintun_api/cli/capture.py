"""`wintun-api capture`: show packets as they pass, or write them to a pcapng file."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import Annotated

import typer

from wintun_api.choices import CaptureDirection, Tap
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.exit_codes import ExitCode, signal_code
from wintun_api.cli.options import finite
from wintun_api.cli.output import Progress, fail
from wintun_api.cli.sessions import Named
from wintun_api.limits import MAX_PACKET


@takes_client_options("Write one JSON object per packet, a line each; errors too.")
def capture(
    session: Named,
    *,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            "-w",
            help="The pcapng file to write; - is standard output, for wireshark -k -i -.",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-c", min=1, help="End after this many packets.")
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.001, callback=finite, help="End after this many seconds."),
    ] = None,
    snaplen: Annotated[
        int,
        typer.Option(
            "--snaplen",
            "-s",
            min=0,
            max=MAX_PACKET,
            help="Keep only so many bytes of each packet; 0 keeps all.",
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
    options: ClientOptions,
) -> None:
    """Capture the packets of a session until Ctrl-C, or until the session ends.

    Every packet is a line, with --json an object; --write puts them into a file instead.
    The totals go to standard error. Ctrl-C ends with exit code 130 after everything has
    been written.
    """
    from wintun_api.client import operations

    if options.as_json and write is not None:
        fail(
            "--json and --write cannot be used together.",
            "Choose one.",
            code=ExitCode.USAGE,
        )
    if str(write) == "-" and sys.stdout is not None and sys.stdout.isatty():
        fail(
            "pcapng is binary, and standard output is a terminal.",
            "Pipe it into a program: wintun-api capture SESSION -w - | wireshark -k -i -",
            code=ExitCode.USAGE,
        )
    with ExitStack() as stack:
        client = stack.enter_context(options.connect())
        call = operations.capture_packets(
            client.session_id(session),
            packets=count,
            seconds=seconds,
            snaplen=snaplen,
            direction=direction,
            tap=None if tap is Tap.AFTER else tap,
        )
        file = stack.enter_context(_open(write)) if write is not None else None
        recording = Recording(file, as_json=options.as_json)
        fault: str | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, recording.interrupt)
        try:
            chunks = stack.enter_context(client.stream(call))
            recording.run(chunks)
        except BrokenPipeError:  # the program that reads the capture has enough
            pass
        except OSError as error:
            to = "standard output" if write is None or str(write) == "-" else str(write)
            fault = f"Cannot write {to}: {error.strerror or error}. The capture was stopped."
        finally:
            recording.tell()
        if fault is not None:
            fail(fault)
        if recording.signal is not None:
            raise typer.Exit(signal_code(recording.signal))


class Recording:
    """What one capture has recorded. `file` is None where packets become lines, or JSON.

    Attributes:
        signal: The signal that ended it, or None.
    """

    def __init__(self, file: FileIO | None, *, as_json: bool) -> None:
        self._file = file
        self._as_json = as_json
        self._started = time.time_ns()
        self._packets = 0
        self._bytes = 0
        self._lost = 0
        self._begun = False
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
        reader = Reader(chunks if self._file is None else self._written(chunks))
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
                    if packet.dropped:
                        typer.echo(f"({packet.dropped} packets lost)")
                    typer.echo(line_of(packet))
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
        from wintun_api.capture import pcapng

        if self._file is not None and self._begun:
            statistics = pcapng.statistics(
                start_ns=self._started,
                end_ns=time.time_ns(),
                received=self._packets + self._lost,
                dropped=self._lost,
            )
            _, failure = self._put(statistics)
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
        return f"{self._packets} packets captured, {self._bytes} bytes, {self._lost} lost."

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
            self._begun = self._begun or bool(kept)
            yield whole[:kept]
            if failure is not None:
                raise failure


def _open(path: Path) -> FileIO:
    # Unbuffered: what is written is seen at once, and an interrupt never leaves half a block.
    if str(path) == "-":
        if sys.stdout is None:
            fail("Standard output is closed.", "Give a file with --write instead.")
        return FileIO(sys.stdout.fileno(), "wb", closefd=False)
    try:
        return FileIO(path, "wb")
    except OSError as error:
        fail(f"Cannot write {path}: {error.strerror or error}.")
