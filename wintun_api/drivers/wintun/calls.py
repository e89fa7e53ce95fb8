"""Call wintun.dll, so that a failure carries the lines that the library logged meanwhile."""

from __future__ import annotations

from typing import Any

from wintun_api.drivers.base import Logger
from wintun_api.drivers.windows.win32 import ERROR_FILE_NOT_FOUND, ERROR_VERSION_PARSE_ERROR
from wintun_api.drivers.wintun.abi import Generation, SessionHandle
from wintun_api.drivers.wintun.bursts import RingCalls, calls_of
from wintun_api.drivers.wintun.library import WintunLibrary
from wintun_api.drivers.wintun.log import Log
from wintun_api.errors import DriverError
from wintun_api.native import Speedups


class Calls:
    """Make the management calls of one library, and receive its log from the first call on.

    Packets do not pass here: they have calls of their own (`packets_of`). Calls come from one
    thread at a time, but for those of a session's start and end.

    Args:
        library: The library; it is not loaded until a call needs it.
        speedups: The C extension, if packets may pass through it.
    """

    def __init__(self, library: WintunLibrary, speedups: Speedups | None = None) -> None:
        self.library = library
        self._speedups = speedups
        self._log: Log | None = None
        self._logger: Logger | None = None
        self._closed = False

    @property
    def generation(self) -> Generation:
        """The library's generation; the current one (0.14) without a library."""
        return self.library.generation or Generation.TUNNEL_TYPE

    def call(self, function: str, *arguments: Any) -> Any:
        """Call a function of the library; a failure carries the log lines of the call.

        Raises:
            DriverError: The call failed.
            DriverUnavailable: The library cannot be used here.
        """
        functions = self.library.functions
        log = self._log
        if log is None:
            log = self._log = Log(self.generation)
            log.logger = self._logger
            if not self._closed:
                functions["WintunSetLogger"](log.callback)
        mark = log.mark()
        self.library.clear_last_error()
        try:
            return functions[function](*arguments)
        except DriverError as error:
            error.log = log.since(mark)
            raise

    def packets_of(self, session: SessionHandle) -> RingCalls:
        """Return what receives and sends the packets of a session."""
        return calls_of(self.library, session, self._speedups)

    def driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) (wintun.h: WintunGetRunningDriverVersion), None if not loaded.

        Also None if the call would delete adapters: a query must not change anything.
        """
        if self.library.endangered():
            return None
        try:
            version = self.call("WintunGetRunningDriverVersion")
        except DriverError as error:
            if error.carried in (ERROR_FILE_NOT_FOUND, ERROR_VERSION_PARSE_ERROR):
                return None
            raise
        return version >> 16, version & 0xFFFF

    def set_logger(self, logger: Logger | None) -> None:
        """Send the lines to `logger` (wintun.h: WintunSetLogger) from the first call on."""
        self._logger = logger
        if self._log is not None:
            self._log.logger = logger

    def close(self) -> None:
        """Unset the logger, for good. Calls still work, because adapters may be closed later."""
        self.set_logger(None)
        if self._log is not None and not self._closed:
            self.library.functions["WintunSetLogger"](type(self._log.callback)())
        self._closed = True
