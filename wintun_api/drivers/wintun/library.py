"""Define the interface to a Wintun library, and implement it with the real wintun.dll.

`WintunDriver` needs a `WintunLibrary`: functions bound by `abi.PROTOTYPES`, the last error, and the
event calls of Win32. `WintunDll` is the real one, `emulated.library.EmulatedLibrary` the other.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.windows.binding import (
    LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR,
    LOAD_LIBRARY_SEARCH_SYSTEM32,
    address_of,
    bind_library,
    clear_last_error,
    last_error,
    load_library,
    load_system,
    system_library,
)
from wintun_api.drivers.windows.elevation import elevated
from wintun_api.drivers.windows.events import EVENT_PROTOTYPES, Events
from wintun_api.drivers.windows.foreign import EventHandle
from wintun_api.drivers.windows.image import process_machine
from wintun_api.drivers.wintun.abi import Generation, prototypes_of
from wintun_api.drivers.wintun.installed import older_adapters
from wintun_api.drivers.wintun.meanings import driver_error
from wintun_api.drivers.wintun.releases import download_hint
from wintun_api.drivers.wintun.supply import (
    Supply,
    candidates,
    find,
    held,
    judge,
    not_found,
    unreadable,
)
from wintun_api.errors import DriverUnavailable

logger = logging.getLogger(__name__)

SAFE_SEARCH = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32


@dataclass(frozen=True, slots=True)
class PacketAddresses:
    """Hold the addresses of the functions that C code calls for packets.

    Attributes:
        receive: WintunReceivePacket.
        release: WintunReleaseReceivePacket.
        allocate: WintunAllocateSendPacket.
        send: WintunSendPacket.
        last_error: What returns this thread's error number of the last of these calls.
    """

    receive: int
    release: int
    allocate: int
    send: int
    last_error: int


class WintunLibrary(Protocol):
    """Call wintun.dll and related system functions. All members may be used on any thread."""

    @property
    def path(self) -> str | None:
        """The absolute path of the file; None if there is none."""

    @property
    def generation(self) -> Generation | None:
        """The generation of its functions; None while it is unknown. Loads nothing."""

    def unavailable_reason(self) -> Unavailable | None:
        """Return why it cannot be used here, or None. Loads nothing, never raises."""

    def elevated(self) -> bool:
        """Return whether this process has the rights that the library's calls need."""

    def endangered(self) -> list[str]:
        """Return the adapters of other programs that loading would delete; [] once loaded."""

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The bound functions by exported name; loads the library the first time.

        Raises:
            DriverUnavailable: It cannot be used here.
        """

    @property
    def packet_addresses(self) -> PacketAddresses | None:
        """The functions for packets, for C code; None if they are Python functions.

        Raises:
            DriverUnavailable: It cannot be used here.
        """

    def last_error(self) -> int:
        """Return this thread's error number of its last call, unsigned."""

    def clear_last_error(self) -> None:
        """Set this thread's error number to 0, because some failing calls do not set it."""

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Create an unnamed event that is not set."""

    def set_event(self, event: EventHandle) -> None:
        """Set an event."""

    def close_handle(self, event: EventHandle) -> None:
        """Close an event's handle."""

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Block without a time-out until one is set; return the index of the first such."""


class WintunDll:
    """Use the real wintun.dll: it is checked as a file and loaded once when a call needs it.

    It is never unloaded: releases before 0.10.1 cannot be loaded twice.

    Args:
        path: The file to use; without it, the usual places are searched (`supply.candidates`).
        data_dir: A directory to search in addition to the program's own directory.
        allow_unverified: Accept a file that is neither a known release nor signed by its vendor.
    """

    def __init__(
        self, path: Path | None, *, data_dir: Path | None = None, allow_unverified: bool = False
    ) -> None:
        self._candidates = candidates(path, data_dir)
        self._allow_unverified = allow_unverified
        self._functions: Mapping[str, Callable[..., Any]] | None = None
        self._events: Events | None = None
        self._loading = Lock()
        self._loaded: Supply | None = None
        self._seen: tuple[object, Supply] | None = None

    @property
    def path(self) -> str | None:
        """Return the absolute path of the file that is or would be loaded."""
        found = self._loaded.path if self._loaded else find(self._candidates)
        return str(found) if found is not None else None

    @property
    def supply(self) -> Supply | None:
        """What is known about that file; None if it does not exist or cannot be read."""
        look = self._loaded or self._look()
        return look if isinstance(look, Supply) else None

    @property
    def generation(self) -> Generation | None:
        """Return the generation by the exports of the file."""
        found = self.supply
        return found.generation if found is not None else None

    def unavailable_reason(self) -> Unavailable | None:
        """Check platform, file, machine, exports, origin and elevation, in this order."""
        if self._loaded is not None:
            return None
        if not _on_windows():
            return Unavailable(
                reason=UnavailableReason.WRONG_PLATFORM,
                message="Wintun only works on Windows.",
                hint="Use --driver linux on Linux, or --driver emulated on any system.",
            )
        look = self._look()
        if look is None:
            return not_found(self._candidates)
        if isinstance(look, OSError):
            return unreadable(Path(self.path or ""), look)
        unavailable = self._judge(look)
        if unavailable is None and not elevated():
            return Unavailable(
                reason=UnavailableReason.NOT_ELEVATED,
                message="This process is not elevated, which Wintun requires.",
                hint="Start it as Administrator, or install it with: wintun-api service install",
            )
        return unavailable

    def elevated(self) -> bool:
        """Return whether this process runs as Administrator."""
        return elevated()

    def endangered(self) -> list[str]:
        """Look for adapters of older programs, which a 0.14 library deletes when it is loaded."""
        if self._loaded is not None or self.generation is not Generation.TUNNEL_TYPE:
            return []
        return older_adapters()

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """Return the bound functions; the first call loads the library."""
        with self._loading:
            if self._functions is None:
                _raise(self.unavailable_reason())
                self._load()
            assert self._functions is not None
            return self._functions

    @property
    def packet_addresses(self) -> PacketAddresses:
        """Return what ctypes resolved, and Windows' own GetLastError."""
        return packet_addresses(self.functions, system_library("kernel32.dll").GetLastError)

    def last_error(self) -> int:
        """Return what ctypes saved after this thread's last call."""
        return last_error()

    def clear_last_error(self) -> None:
        """Clear what ctypes puts back before this thread's next call."""
        clear_last_error()

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Call CreateEventW."""
        return self._system().create_event(manual_reset=manual_reset)

    def set_event(self, event: EventHandle) -> None:
        """Call SetEvent."""
        self._system().set_event(event)

    def close_handle(self, event: EventHandle) -> None:
        """Call CloseHandle."""
        self._system().close_handle(event)

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Call WaitForMultipleObjects."""
        return self._system().wait_for_multiple_objects(events)

    def _system(self) -> Events:
        assert self._events is not None, "no session before the library is loaded"
        return self._events

    def _look(self) -> Supply | OSError | None:
        # Called for every request: the file is read again only if it has changed.
        path = find(self._candidates)
        if path is None:
            return None
        try:
            status = path.stat()
            key = (path, status.st_mtime_ns, status.st_size, status.st_ino)
            if self._seen is None or self._seen[0] != key:
                with held(path) as found:
                    self._seen = (key, found)
            return self._seen[1]
        except OSError as error:
            return error

    def _judge(self, found: Supply) -> Unavailable | None:
        return judge(found, process_machine(), allow_unverified=self._allow_unverified)

    def _load(self) -> None:
        path = find(self._candidates)
        try:
            if path is None:
                raise FileNotFoundError(2, "it is gone")
            # Earlier results do not count: the file is checked while it cannot be changed.
            with held(path) as found:
                _raise(self._judge(found))
                assert found.generation is not None
                for name in self.endangered():
                    logger.warning("Loading %s deletes %s of an older program.", found.path, name)
                library = load_library(str(found.path), SAFE_SEARCH)
                rows = prototypes_of(found.generation)
                functions = bind_library(library, rows, driver_error)
            self._events = Events(load_system("kernel32.dll", EVENT_PROTOTYPES))
        except OSError as error:
            raise DriverUnavailable(
                UnavailableReason.LIBRARY_UNUSABLE,
                f"{path}: {error}",
                hint=download_hint(process_machine()),
            ) from error
        self._loaded, self._functions = found, functions


def packet_addresses(
    functions: Mapping[str, Callable[..., Any]], last_error: Any
) -> PacketAddresses:
    """Return the addresses of a library's functions for packets.

    Args:
        functions: The bound functions by exported name.
        last_error: The foreign function that returns the error number of a thread's last call.
    """
    return PacketAddresses(
        receive=address_of(functions["WintunReceivePacket"]),
        release=address_of(functions["WintunReleaseReceivePacket"]),
        allocate=address_of(functions["WintunAllocateSendPacket"]),
        send=address_of(functions["WintunSendPacket"]),
        last_error=address_of(last_error),
    )


def _raise(unavailable: Unavailable | None) -> None:
    if unavailable is not None:
        raise DriverUnavailable(unavailable.reason, unavailable.message, hint=unavailable.hint)


def _on_windows() -> bool:
    return sys.platform == "win32"
