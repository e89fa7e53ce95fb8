"""Say whether the packet path runs in C or in Python.

`speedups.c` is compiled when the package is installed, where there is a C compiler. Each of its
functions has a twin in Python, so that everything works without it. Code that has both asks
`speedups` once, when it starts, and uses the twin if the answer is None.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from array import array
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol, TypeAlias, cast

from wintun_api.choices import Native

# Of the functions in speedups.c: an extension with another number is not used.
INTERFACE: Final = 2
MODULE: Final = "wintun_api.speedups"
SOURCE: Final = Path(__file__).with_name("speedups.c")
UNKNOWN: Final = "unknown"  # the digest in an extension that was compiled by hand
VARIABLE: Final = "WINTUN_API_NATIVE"

Buffer: TypeAlias = "bytes | bytearray | memoryview | array[int]"


class Speedups(Protocol):
    """List the functions of speedups.c, whose own texts say what they do."""

    def read_burst(
        self,
        descriptor: int,
        limit: int,
        enough: int,
        lengths: array[int],
        times: array[int] | None,
        /,
    ) -> tuple[bytes, int, int, int, int, int]:
        """Twin: `drivers.linux.calls.PythonCalls.read`; with times, `read_stamped`."""

    def write_burst(
        self, descriptor: int, memory: Buffer, start: int, lengths: Buffer, /
    ) -> tuple[int, int, int, int, int]:
        """Twin: `drivers.linux.calls.PythonCalls.write`."""

    def packet_frames(self, memory: Buffer, start: int, lengths: Buffer, /) -> bytes:
        """Twin: `frames.packet_frames`."""

    def batch_frame(  # noqa: PLR0917 - three for the packets, and the fields of the header
        self,
        memory: Buffer,
        start: int,
        lengths: Buffer,
        sequence: int,
        time_ns: int,
        injected: bool,
        /,
    ) -> bytes:
        """Twin: `frames.batch_frame`."""

    def cut_frames(
        self, data: Buffer, start: int, max_size: int, batched: bool, lengths: array[int], /
    ) -> tuple[bytes, int, int, int, int, int, int, int, int, int]:
        """Twin: `chunks.PythonCodec.cut`."""

    def receive_burst(  # noqa: PLR0917 - four addresses, and what to do
        self,
        receive: int,
        release: int,
        last_error: int,
        session: int,
        limit: int,
        enough: int,
        lengths: array[int],
        times: array[int] | None,
        /,
    ) -> tuple[bytes, int, int, int | None, int]:
        """Twin: `drivers.wintun.bursts.PythonCalls.receive`; with times, `receive_stamped`."""

    def send_burst(  # noqa: PLR0917 - four addresses, and the packets
        self,
        allocate: int,
        send: int,
        last_error: int,
        session: int,
        memory: Buffer,
        start: int,
        lengths: Buffer,
        /,
    ) -> tuple[int, int | None]:
        """Twin: `drivers.wintun.bursts.PythonCalls.send`."""

    def read_segments(
        self,
        descriptor: int,
        limit: int,
        enough: int,
        lengths: array[int],
        times: array[int] | None,
        /,
    ) -> tuple[bytes, int, int, int, int, int, int, int]:
        """Twin: `drivers.linux.segment_calls.PythonSegmentCalls.read`, or `read_stamped`."""

    def write_segments(
        self, descriptor: int, memory: Buffer, start: int, lengths: Buffer, kinds: int, /
    ) -> tuple[int, int, int, int, int]:
        """Twin: `drivers.linux.segment_calls.PythonSegmentCalls.write`."""

    def split_segments(self, header: Buffer, packet: Buffer, /) -> list[bytes]:
        """Twin: `packet.segments.split`."""

    def join_segments(
        self, memory: Buffer, start: int, lengths: Buffer, kinds: int, /
    ) -> list[tuple[int, bytes]]:
        """Twin: `packet.segments.join`."""

    def match_packets(  # noqa: PLR0917 - four for the packets, the program, and where it writes
        self,
        memory: Buffer,
        start: int,
        lengths: Buffer,
        originals: Buffer | None,
        program: Buffer,
        indexes: array[int],
        /,
    ) -> int:
        """Twin: `capture.filters.interpreter.match`."""

    def take_packets(
        self,
        memory: Buffer,
        start: int,
        lengths: Buffer,
        indexes: Buffer,
        taken: array[int],
        /,
    ) -> bytes:
        """Twin: `packet.block.Block.take`."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Say why the extension is not used, and what to do about it."""

    reason: str
    hint: str


BUILD_AGAIN: Final = (
    "In the directory of the source code, install again: pip install --force-reinstall --no-deps . "
    "(with -e if it was installed so), or uv sync --reinstall-package wintun-api."
)
NOT_BUILT: Final = Absence(
    "It was not built: at the installation there was no C compiler, there were no headers of "
    "Python, or WINTUN_API_BUILD_NATIVE=off was set.",
    "It is optional. To have more packets per second, install a C compiler and the headers of "
    f"Python (on Debian: apt install gcc libc6-dev python3-dev). {BUILD_AGAIN}",
)
OTHER_VERSION: Final = Absence("It was built from another version of its source.", BUILD_AGAIN)


def speedups(wanted: Native | None = None) -> Speedups | None:
    """Return the extension; None if it is switched off or cannot be used here.

    Args:
        wanted: The setting `native`. Without it the environment variable decides.
    """
    if wanted is None:
        off = os.environ.get(VARIABLE, "").strip().lower() == Native.OFF
        wanted = Native.OFF if off else Native.AUTO
    return None if wanted is Native.OFF else _found()[0]


def absence() -> Absence | None:
    """Return why this installation has no extension that can be used; None if it has one."""
    return _found()[1]


@cache
def _found() -> tuple[Speedups | None, Absence | None]:
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError:
        return None, NOT_BUILT
    except ImportError as error:  # of another system, or damaged
        return None, Absence(f"It cannot be loaded: {str(error).rstrip('.')}.", BUILD_AGAIN)
    if not _fits(module):
        return None, OTHER_VERSION
    return cast(Speedups, module), None


def _fits(module: ModuleType) -> bool:
    """Whether a module was built from the source that is beside this file, as far as it says."""
    if getattr(module, "INTERFACE", None) != INTERFACE:
        return False
    built_from = getattr(module, "SOURCE", UNKNOWN)
    return built_from == UNKNOWN or not SOURCE.exists() or built_from == digest(SOURCE)


def digest(source: Path) -> str:
    """Return what the build writes into an extension that is compiled from `source`."""
    return "x" + hashlib.sha256(source.read_bytes()).hexdigest()[:16]
