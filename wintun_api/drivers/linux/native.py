"""The optional native part: bursts with one call, from `burst.c`.

    build    compile it, next to its source, with the C compiler of this machine
    load     the calls, where it was built from the source that is here

Pure Python is what runs without it. What it saves is Python's part of a packet: about a third of
what reading one costs.
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

from wintun_api.drivers.linux.calls import PacketCalls, PythonCalls
from wintun_api.errors import InvalidSettings
from wintun_api.packet.block import Block
from wintun_api.settings import Native

SOURCE = Path(__file__).with_name("burst.c")
LIBRARY = Path(__file__).with_name("burst.so")
COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")

MAX_COUNT = 4096  # packets a call reads at the most
ROOM = 128 * 1024  # bytes it reads, about: what the caches hold


def load(wanted: Native = "auto") -> Callable[[], PacketCalls] | None:
    """Return what makes the native calls; None where they are off, or were not built.

    Raises:
        InvalidSettings: A library that was named cannot be used.
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
    """Compile the native part and return the library. What ran with an older one keeps it.

    Raises:
        FileNotFoundError: There is no C compiler.
        subprocess.CalledProcessError: It failed; it has printed why.
        OSError: The library's folder may not be written.
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
    """Bursts by one foreign call, which keeps the interpreter lock: it is short and never blocks.

    A packet that comes or goes alone is quicker without: then these are the calls of Python.

    Raises:
        OSError: There is no such library, or it is none.
        ValueError: It was built from another source.
    """

    def __init__(self, library: Path = LIBRARY) -> None:
        loaded = ctypes.PyDLL(str(library))
        source = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(loaded, "burst_source")))
        if source.decode() != _hash():
            raise ValueError(f"{library} was built from another source.")
        self._read = loaded.read_burst
        self._read.restype = ctypes.c_uint32
        self._read.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
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
        self._new = ctypes.pythonapi.PyBytes_FromStringAndSize
        self._new.restype = ctypes.py_object
        self._new.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t]
        self._lengths = array("H", bytes(2 * MAX_COUNT))
        self._lengths_at = self._lengths.buffer_info()[0]
        self._outcome = array("I", [0, 0, 0])
        self._outcome_at = self._outcome.buffer_info()[0]
        self._alone = PythonCalls()
        self._many = False

    def read(self, descriptor: int, limit: int, size: int) -> tuple[Sequence[bytes], int, bool]:
        """Read up to `limit` packets of at most `size` bytes."""
        if not self._many:
            packets, failure, filled = self._alone.read(descriptor, limit, size)
            self._many = len(packets) > 1
            return packets, failure, filled
        limit = min(limit, MAX_COUNT)
        room = min(limit * size, ROOM + size)
        # Not filled with zeros: the kernel writes it, and nobody sees it before.
        memory: bytes = self._new(None, room)
        count = self._read(
            descriptor, memory, room, size, limit, self._lengths_at, self._outcome_at
        )
        failure, longest, used = self._outcome
        if not count:
            return [], failure, False
        self._many = count > 1
        lengths = self._lengths[:count]
        if 2 * used < room:
            memory = memory[:used]  # a small burst does not keep all the room
        return Block(memory, lengths, used), failure, longest == size

    def write(self, descriptor: int, packets: Sequence[bytes], start: int) -> tuple[int, int]:
        """Write packets from `start` on; return how many were taken and the next one's error."""
        if len(packets) == 1:
            return self._alone.write(descriptor, packets, start)
        block = Block.of(packets)
        lengths = block.lengths
        at = block.start + (sum(lengths[:start]) if start else 0)
        taken = self._write(
            descriptor,
            block.memory,
            at,
            lengths.buffer_info()[0] + lengths.itemsize * start,
            len(lengths) - start,
            self._outcome_at,
        )
        return taken, self._outcome[0]


def _hash() -> str:
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()
