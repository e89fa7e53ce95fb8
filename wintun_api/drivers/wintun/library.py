"""The lower seam, and the real wintun.dll behind it.

`WintunDriver` needs a `WintunLibrary`: functions bound by `abi.PROTOTYPES`, the last error, and the
event calls of Win32. `WintunDll` is the real one, `emulated.library.EmulatedLibrary` the other.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.wintun.abi import (
    EventHandle,
    Generation,
    Prototype,
    function_type,
    generation_of,
    prototypes_of,
)
from wintun_api.drivers.wintun.image import Image, process_machine, read_image
from wintun_api.drivers.wintun.win32 import WIN32_PROTOTYPES, Events, elevated, result_check
from wintun_api.errors import DriverUnavailable

LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR = 0x100
LOAD_LIBRARY_SEARCH_SYSTEM32 = 0x800
SAFE_SEARCH = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32

DOWNLOAD = "Download it from https://www.wintun.net/ and name it with --wintun-dll."


class WintunLibrary(Protocol):
    """A loaded wintun.dll and the calls beside it. Every member may be used from any thread."""

    @property
    def path(self) -> str | None:
        """The absolute path of the file; None where there is none."""

    @property
    def generation(self) -> Generation | None:
        """Which prototypes its functions have; None while that cannot be known. Loads nothing."""

    def unavailable_reason(self) -> Unavailable | None:
        """Say why it cannot be used here, or None. Loads nothing, never raises."""

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The bound functions by exported name; loads the library the first time.

        Raises:
            DriverUnavailable: It cannot be used here.
        """

    def last_error(self) -> int:
        """Return this thread's error number of its last call, unsigned."""

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Create an unnamed event that is not set."""

    def set_event(self, event: EventHandle) -> None:
        """Set an event."""

    def close_handle(self, event: EventHandle) -> None:
        """Close an event's handle."""

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Block without a time-out until one is set; return the index of the first such."""


def bind(
    rows: Iterable[Prototype],
    find: Callable[[Prototype], Any],
    last_error: Callable[[], int],
    flags: int = 0,
) -> dict[str, Callable[..., Any]]:
    """Make a function of every row.

    Args:
        rows: The prototypes.
        find: Returns what ctypes makes a function of: (name, library), or a Python function.
        last_error: Read by the checks after a failed call, in the calling thread.
        flags: ctypes' function flags beyond those of the row.
    """
    functions: dict[str, Callable[..., Any]] = {}
    for row in rows:
        function = function_type(row, flags)(find(row))
        check = result_check(row, last_error)
        if check is not None:
            function.errcheck = check
        functions[row.name] = function
    return functions


def examine(image: Image, path: Path, machine: str | None) -> Unavailable | None:
    """Say why a process of this machine cannot use the file, or None."""
    if machine is not None and image.machine != machine:
        return Unavailable(
            reason=UnavailableReason.WRONG_ARCHITECTURE,
            message=f"{path} is for {image.machine}, this process is {machine}.",
            hint=f"Use the file of bin/{machine}/ from the Wintun download.",
        )
    if generation_of(image.exports) is None:
        return Unavailable(
            reason=UnavailableReason.LIBRARY_UNUSABLE,
            message=f"{path} exports neither the 18 functions of wintun.dll 0.9 to 0.13 "
            "nor the 14 of 0.14.",
            hint=DOWNLOAD,
        )
    return None


class WintunDll:
    """The real wintun.dll: found and examined as a file, loaded once when a call needs it.

    It is never unloaded: releases before 0.10.1 cannot be loaded twice.
    """

    def __init__(self, path: Path | None) -> None:
        self._candidates = [path] if path is not None else _beside_the_application()
        self._functions: dict[str, Callable[..., Any]] | None = None
        self._events: Events | None = None
        self._image: Image | None = None

    @property
    def path(self) -> str | None:
        """Return the absolute path of the file that is or would be loaded."""
        found = self._found()
        return str(found) if found is not None else None

    @property
    def generation(self) -> Generation | None:
        """Return the generation by the exports of the file."""
        image = self._read()
        return generation_of(image.exports) if image is not None else None

    def unavailable_reason(self) -> Unavailable | None:
        """Look at platform, file, machine, exports and elevation, in this order."""
        if not _on_windows():
            return Unavailable(
                reason=UnavailableReason.WRONG_PLATFORM,
                message="Wintun is a driver for Windows.",
                hint="Use --driver linux here, or --driver emulated anywhere.",
            )
        found = self._found()
        if found is None:
            looked = ", ".join(str(path) for path in self._candidates)
            return Unavailable(
                reason=UnavailableReason.LIBRARY_NOT_FOUND,
                message=f"There is no wintun.dll; looked for {looked}.",
                hint=DOWNLOAD,
            )
        image = self._read()
        if image is None:
            return Unavailable(
                reason=UnavailableReason.LIBRARY_UNUSABLE,
                message=f"{found} cannot be read as a Windows library.",
                hint=DOWNLOAD,
            )
        unusable = examine(image, found, process_machine())
        if unusable is not None:
            return unusable
        if not elevated():
            return Unavailable(
                reason=UnavailableReason.NOT_ELEVATED,
                message="This process is not elevated, and Wintun needs it to be.",
                hint="Run the service as Administrator, or as a service of Windows.",
            )
        return None

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """Return the bound functions; the first call loads the library."""
        if self._functions is None:
            unavailable = self.unavailable_reason()
            if unavailable is not None:
                raise DriverUnavailable(
                    unavailable.reason, unavailable.message, hint=unavailable.hint
                )
            self._load()
        assert self._functions is not None
        return self._functions

    def last_error(self) -> int:
        """Return what ctypes saved after this thread's last call."""
        if sys.platform == "win32":
            # Signed as ctypes gives it, and SetupAPI's numbers have the top bit set.
            return ctypes.get_last_error() & 0xFFFFFFFF
        else:  # noqa: RET505  the type checker needs the branch
            return 0

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

    def _found(self) -> Path | None:
        # A relative path would be looked for along PATH, where anybody may have put a file.
        return next((p for p in self._candidates if p.is_absolute() and p.is_file()), None)

    def _read(self) -> Image | None:
        found = self._found()
        if self._image is None and found is not None:
            try:
                self._image = read_image(found)
            except (OSError, ValueError):
                return None
        return self._image

    def _load(self) -> None:
        if sys.platform == "win32":
            from _ctypes import FUNCFLAG_USE_LASTERROR

            path, generation = self.path, self.generation
            assert path is not None
            assert generation is not None
            try:
                library = ctypes.WinDLL(path, use_last_error=True, winmode=SAFE_SEARCH)
                kernel32 = ctypes.WinDLL(
                    "kernel32", use_last_error=True, winmode=LOAD_LIBRARY_SEARCH_SYSTEM32
                )
            except OSError as error:
                raise DriverUnavailable(
                    UnavailableReason.LIBRARY_UNUSABLE, f"{path}: {error}", hint=DOWNLOAD
                ) from error
            self._events = Events(
                bind(
                    WIN32_PROTOTYPES,
                    lambda row: (row.name, kernel32),
                    self.last_error,
                    FUNCFLAG_USE_LASTERROR,
                )
            )
            self._functions = bind(
                prototypes_of(generation),
                lambda row: (row.name, library),
                self.last_error,
                FUNCFLAG_USE_LASTERROR,
            )


def _beside_the_application() -> list[Path]:
    return [Path(sys.executable).with_name("wintun.dll")]


def _on_windows() -> bool:
    return sys.platform == "win32"
