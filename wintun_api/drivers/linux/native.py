"""Read and write bursts with one call to optional native code, from `burst.c`.

    build    compile it, next to its source, with this machine's C compiler
    load     load it, if it was built from the present source

Without it, the driver uses pure Python. It saves Python's share of the cost per packet, which is
about a third for reading.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import subprocess
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeAlias

from wintun_api.drivers.linux.calls import PacketCalls, PythonCalls, Read, Written
from wintun_api.errors import InvalidSettings
from wintun_api.packet.block import Block

Native: TypeAlias = Literal["auto", "off"] | Path

SOURCE = Path(__file__).with_name("burst.c")
LIBRARY = Path(__file__).with_name("burst.so")
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC")

MAX_COUNT = 4096  # the largest number of packets that a call reads
ENOUGH = 128 * 1024  # the approximate bytes that a call reads: as much as the caches hold
HEADER = bytes.__basicsize__ - 1  # of a bytes object, before its content and the final zero


def load(wanted: Native = "auto") -> Callable[[], PacketCalls] | None:
    """Return a function that creates the native calls; None if they are off or were not built.

    Raises:
        InvalidSettings: The named library cannot be used.
    """
    if wanted == "off":
        return None
    library = LIBRARY if wanted == "auto" else Path(wanted)
    try:
        NativeCalls(library)
    except (OSError, ValueError) as error:
        if wanted == "auto":
            return None
        raise InvalidSettings(f"--native: {error}") from None
    return partial(NativeCalls, library)


def build(library: Path = LIBRARY, compiler: str | None = None) -> Path:
    """Compile the native code and return the library. Running services keep the old one.

    Raises:
        FileNotFoundError: There is no C compiler.
        subprocess.CalledProcessError: The compiler failed and has printed why.
        OSError: The library's directory is not writable.
    """
    compiler = compiler or os.environ.get("CC") or next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        raise FileNotFoundError(errno.ENOENT, "No C compiler was found", "cc")
    with TemporaryDirectory(dir=library.parent) as directory:
        made = Path(directory, library.name)
        name = f'-DBURST_SOURCE="{_hash()}"'
        command = [compiler, *FLAGS, name, "-o", str(made), str(SOURCE)]
        subprocess.run(command, check=True)  # noqa: S603 - the user's own compiler, no shell
        made.replace(library)
    return library


class NativeCalls:
    """Read or write a burst with one foreign call, which is short and keeps the interpreter lock.

    For a single packet the Python calls are faster and are used instead.

    Raises:
        OSError: The library does not exist or cannot be loaded.
        ValueError: It was built from a different source.
    """

    def __init__(self, library: Path = LIBRARY) -> None:
        loaded = ctypes.PyDLL(str(library))
        source = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(loaded, "burst_source")))
        if source.decode() != _hash():
            raise ValueError(f"{library} was built from a different version of the source.")
        self._read = loaded.read_burst
        self._read.restype = ctypes.py_object
        self._read.argtypes = [
            ctypes.c_int,
            ctypes.c_size_t,
            ctypes.c_size_t,
            ctypes.c_uint32,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._write = loaded.write_burst
        self._write.restype = ctypes.c_uint32
        self._write.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_void_p,
        ]
        self._lengths = array("H", bytes(2 * MAX_COUNT))
        self._lengths_at = self._lengths.buffer_info()[0]
        self._got, self._done = array("I", [0, 0, 0, 0]), array("I", [0, 0, 0, 0])
        self._got_at, self._done_at = (one.buffer_info()[0] for one in (self._got, self._done))
        self._alone = PythonCalls()
        self._many = False

    def read(self, descriptor: int, limit: int) -> Read:
        """Read up to `limit` packets, or only a few if they are large."""
        if not self._many:
            alone = self._alone.read(descriptor, limit)
            self._many = len(alone.packets) > 1
            return alone
        memory: bytes = self._read(
            descriptor, HEADER, ENOUGH, min(limit, MAX_COUNT), self._lengths_at, self._got_at
        )
        failure, count, size, cut = self._got
        if not count:
            return Read([], failure, cut)
        self._many = count > 1
        return Read(Block(memory, self._lengths[:count], size), failure, cut)

    def write(self, descriptor: int, packets: Sequence[bytes]) -> Written:
        """Write packets in order, up to the first one that cannot be written now."""
        if len(packets) == 1:
            return self._alone.write(descriptor, packets)
        block = Block.of(packets)
        lengths = block.lengths
        taken = self._write(
            descriptor,
            block.memory,
            block.start,
            lengths.buffer_info()[0],
            len(lengths),
            self._done_at,
        )
        failure, link_down, refused, reason = self._done
        return Written(taken, failure, link_down, refused, reason)


def _hash() -> str:
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()
