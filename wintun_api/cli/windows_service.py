"""The Windows service: the process that the Service Control Manager starts, and its management.

The process serves as `wintun-api serve` does, in the thread that the dispatcher of the manager
gives it. What serve writes to a console is written to a log file, and failures to the event log as
well.
"""

from __future__ import annotations

import io
import logging
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import pywintypes
import servicemanager
import typer
import win32evtlogutil
import win32service
import win32serviceutil
import winerror

from wintun_api.api.data_directory import make
from wintun_api.cli import serve
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.cli.running import CommandServer
from wintun_api.settings import Settings

NAME = "wintun-api"
DESCRIPTION = (
    "Manages Wintun adapters and exchanges IP packets over REST and WebSocket on loopback."
)
RESTARTS = (5, 30, 60)  # seconds after the first, the second and every later failure
FORGIVEN = 86_400  # seconds without a failure after which counting starts again
PATIENCE = 60.0  # seconds to wait for a start or a stop
LOG_BYTES, LOG_FILES = 5_000_000, 5

STATES = {
    win32service.SERVICE_STOPPED: "stopped",
    win32service.SERVICE_START_PENDING: "starting",
    win32service.SERVICE_STOP_PENDING: "stopping",
    win32service.SERVICE_RUNNING: "running",
    win32service.SERVICE_CONTINUE_PENDING: "continuing",
    win32service.SERVICE_PAUSE_PENDING: "pausing",
    win32service.SERVICE_PAUSED: "paused",
}

logger = logging.getLogger("wintun_api.service")


class WindowsService(win32serviceutil.ServiceFramework):
    """STARTING -> RUNNING once it answers -> STOPPING -> STOPPED; a failure is raised."""

    _svc_name_ = NAME
    _svc_display_name_ = NAME
    read_settings: Callable[[], Settings]

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(arguments)
        self._server: CommandServer | None = None

    def SvcRun(self) -> None:  # noqa: N802 - pywin32's name
        """Serve until the manager stops it. Runs in a thread of its own."""
        self.ReportServiceStatus(win32service.SERVICE_START_PENDING, waitHint=_ms(PATIENCE))
        words = Words()
        sys.stdout = sys.stderr = io.TextIOWrapper(
            io.BufferedWriter(words), "utf-8", line_buffering=True
        )
        try:
            settings = type(self).read_settings()
            configure_logging(settings.data_dir / "logs")
            serve.run(settings, self._started)
        except typer.Exit as error:
            if error.exit_code:
                said = words.last or "The service could not start."
                logger.error("%s", said)  # noqa: TRY400 - its traceback tells nothing
                raise RuntimeError(said) from None
        except Exception:
            logger.exception("The service failed.")
            raise
        logger.info("Stopped.")
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=_ms(PATIENCE))

    def SvcStop(self) -> None:  # noqa: N802
        """End in order, as Ctrl-C does. Runs in the thread of the dispatcher."""
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=_ms(PATIENCE))
        if self._server is not None:
            self._server.should_exit = True

    SvcShutdown = SvcStop

    def _started(self, server: CommandServer) -> None:
        self._server = server
        self.ReportServiceStatus(win32service.SERVICE_RUNNING)


class Words(io.RawIOBase):
    """A standard stream that writes to the log, and keeps the last lines."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=5)
        self._inside = False  # a log that cannot be written complains here

    @property
    def last(self) -> str:
        """The last lines, as one."""
        return " ".join(self._lines)

    def writable(self) -> bool:
        """Return that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Log every line of the text."""
        content = bytes(data)
        if not self._inside:
            self._inside = True
            try:
                for line in content.decode("utf-8", "replace").splitlines():
                    if line.strip():
                        self._lines.append(line)
                        logger.info("%s", line)
            finally:
                self._inside = False
        return len(content)


class EventLog(logging.Handler):
    """Writes to the event log of Windows, under the name of the service."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write an error to it."""
        try:
            servicemanager.LogErrorMsg(self.format(record))
        except pywintypes.error:
            self.handleError(record)  # it is full or closed; the log file has the line


def configure_logging(directory: Path) -> None:
    """Log to a file, and errors to the event log too."""
    make(directory.parent)  # other users cannot write into it, nor into the log
    directory.mkdir(exist_ok=True)
    file = RotatingFileHandler(
        directory / "service.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
    )
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for handler in (file, EventLog(logging.ERROR)):
        logging.getLogger().addHandler(handler)


def host(read_settings: Callable[[], Settings]) -> None:
    """Run as the service; return when it has ended. Main thread of a process of its own."""
    WindowsService.read_settings = staticmethod(read_settings)
    try:
        servicemanager.Initialize(NAME, servicemanager.__file__)
        servicemanager.PrepareToHostSingle(WindowsService)
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]
    except pywintypes.error as error:
        if error.winerror != winerror.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT:
            raise
        fail(
            "Only Windows starts this command.",
            "In a console use: wintun-api serve",
            code=ExitCode.USAGE,
        )


def install(command_line: str) -> list[str]:
    """Create the service, or change the existing one; return what could not be set."""
    with sentences(), _manager(win32service.SC_MANAGER_ALL_ACCESS) as manager:
        values = (
            win32service.SERVICE_WIN32_OWN_PROCESS,
            win32service.SERVICE_AUTO_START,
            win32service.SERVICE_ERROR_NORMAL,
            command_line,
            None,
            False,
            None,
            None,  # LocalSystem
            None,
        )
        try:
            service = win32service.CreateService(
                manager, NAME, NAME, win32service.SERVICE_ALL_ACCESS, *values
            )
        except pywintypes.error as error:
            if error.winerror != winerror.ERROR_SERVICE_EXISTS:
                raise
            service = win32service.OpenService(manager, NAME, win32service.SERVICE_ALL_ACCESS)
            win32service.ChangeServiceConfig(service, *values, NAME)
        try:
            warnings = list(_set_more(service))
        finally:
            win32service.CloseServiceHandle(service)
        win32evtlogutil.AddSourceToRegistry(NAME, servicemanager.__file__)
    return warnings


def _set_more(service: Any) -> Iterator[str]:
    restarts = [(win32service.SC_ACTION_RESTART, _ms(delay)) for delay in RESTARTS]
    recovery = {"ResetPeriod": FORGIVEN, "RebootMsg": "", "Command": "", "Actions": restarts}
    for what, level, value in (
        ("its description", win32service.SERVICE_CONFIG_DESCRIPTION, DESCRIPTION),
        ("its delayed start", win32service.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, True),
        ("restarts after failures", win32service.SERVICE_CONFIG_FAILURE_ACTIONS, recovery),
        # Also when it ends by itself with an error, not only when it dies.
        ("restarts after errors", win32service.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, True),
    ):
        try:
            win32service.ChangeServiceConfig2(service, level, value)
        except pywintypes.error as error:
            yield f"Windows did not accept {what}: {error.strerror}"


def start() -> None:
    """Start the service unless it runs, and wait until it answers."""
    if status()["state"] == "stopped":
        win32serviceutil.StartService(NAME)
    _wait_for("running")


def stop() -> None:
    """Stop the service and wait; do nothing if it does not run."""
    if status()["state"] != "stopped":
        win32serviceutil.StopService(NAME)
        _wait_for("stopped")


def remove() -> None:
    """Stop the service; remove it and its event source from the registry."""
    stop()
    win32serviceutil.RemoveService(NAME)
    win32evtlogutil.RemoveSourceFromRegistry(NAME)


def status() -> dict[str, object]:
    """Return the state and the configuration of the service."""
    with _manager(win32service.SC_MANAGER_CONNECT) as manager:
        access = win32service.SERVICE_QUERY_STATUS | win32service.SERVICE_QUERY_CONFIG
        service = win32service.OpenService(manager, NAME, access)
        try:
            now: Any = win32service.QueryServiceStatusEx(service)
            config = win32service.QueryServiceConfig(service)
        finally:
            win32service.CloseServiceHandle(service)
    return {
        "state": STATES.get(now["CurrentState"], "unknown"),
        "pid": now["ProcessId"] or None,
        "exit_code": now["ServiceSpecificExitCode"] or now["Win32ExitCode"],
        "starts": "automatically" if config[1] == win32service.SERVICE_AUTO_START else "by hand",
        "account": config[7],
        "command": config[3],
    }


@contextmanager
def sentences() -> Iterator[None]:
    """End the command with a sentence where the manager reports an error."""
    try:
        yield
    except pywintypes.error as error:
        match error.winerror:
            case winerror.ERROR_SERVICE_DOES_NOT_EXIST:
                fail(
                    "The service is not installed.",
                    "Install it with: wintun-api service install",
                    code=ExitCode.NOT_REACHABLE,
                )
            case winerror.ERROR_ACCESS_DENIED:
                fail(
                    "Windows allows this to administrators only.",
                    "Open a console with Run as administrator, and run the command there.",
                    code=ExitCode.REFUSED,
                )
            case _:
                fail(f"Windows reports: {error.strerror} ({error.funcname}: {error.winerror}).")


@contextmanager
def _manager(access: int) -> Iterator[Any]:
    manager = win32service.OpenSCManager(None, None, access)
    try:
        yield manager
    finally:
        win32service.CloseServiceHandle(manager)


def _wait_for(state: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (now := status())["state"] != state:
        if now["state"] == "stopped":
            fail(
                f"The service did not start (exit code {now['exit_code']}).",
                "The event log says why, and so does logs\\service.log in the data directory.",
            )
        if time.monotonic() > deadline:
            fail(
                f"The service is still {now['state']} after {PATIENCE:.0f} seconds.",
                "Look at it again with: wintun-api service status",
            )
        time.sleep(0.1)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
