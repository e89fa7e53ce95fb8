"""The toolbar of Wireshark for an interface: a field that changes the filter of a capture.

Wireshark opens two pipes. In each, a message is `T`, the length of what follows in three bytes,
the number of a control, a command and a text. Tshark has no toolbar and opens none.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import FileIO
from queue import SimpleQueue
from typing import Final

from wintun_api.extcap.sentences import sentence
from wintun_api.limits import MAX_FILTER

FILTER: Final = 0  # the number of the control
SET, STATUS, WARNING = 1, 6, 8  # commands
_HEADER: Final = struct.Struct(">cBHBB")
_LONGEST: Final = 4 * MAX_FILTER + 2  # bytes of a filter in UTF-8, and what stands before it


def lines() -> Iterator[str]:
    """Return the lines by which Wireshark learns of the control."""
    yield sentence(
        "control",
        number=FILTER,
        type="string",
        display="Filter",
        tooltip="Which packets come from now on, as in tcpdump; empty for all",
    )


class Toolbar:
    """Speak with Wireshark through its two pipes, in threads that end with the process.

    A toolbar that does not work disturbs no capture: it only has no effect.

    Args:
        incoming: The pipe in which Wireshark writes.
        outgoing: The pipe that Wireshark reads.
    """

    def __init__(self, incoming: str, outgoing: str) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._messages: SimpleQueue[bytes] = SimpleQueue()
        self._change: Callable[[str], str | None] | None = None
        self._ready = threading.Event()

    def open(self) -> None:
        """Open both pipes. Wireshark waits for that before it opens the pipe for packets."""
        for name, run in (("in", self._read), ("out", self._write)):
            threading.Thread(target=run, name=f"toolbar:{name}", daemon=True).start()

    def serve(self, filter: str, change: Callable[[str], str | None]) -> None:  # noqa: A002
        """Show the filter, and pass on others.

        Args:
            filter: The filter with which the capture began.
            change: Called in a thread with another filter; returns what is wrong with it.
        """
        self._change = change
        self._say(SET, filter)
        self._ready.set()

    def _say(self, command: int, text: str) -> None:
        payload = text.encode()
        header = _HEADER.pack(b"T", 0, len(payload) + 2, FILTER, command)
        self._messages.put(header + payload)

    def _write(self) -> None:
        with suppress(OSError), FileIO(self._outgoing, "wb") as pipe:
            while True:
                message = memoryview(self._messages.get())
                while message:
                    message = message[pipe.write(message) or 0 :]

    def _read(self) -> None:
        with suppress(OSError), open(self._incoming, "rb") as pipe:  # noqa: PTH123 - a pipe
            while len(header := pipe.read(_HEADER.size)) == _HEADER.size:
                mark, high, low, control, command = _HEADER.unpack(header)
                length = high << 16 | low
                if mark != b"T" or not 2 <= length <= _LONGEST:
                    return
                text = pipe.read(length - 2).decode("utf-8", "replace").strip()
                self._ready.wait()
                if (control, command) == (FILTER, SET) and self._change is not None:
                    wrong = self._change(text)
                    if wrong is None:
                        self._say(
                            STATUS, f"Filter: {text}" if text else "All packets are captured."
                        )
                    else:
                        self._say(WARNING, wrong)
