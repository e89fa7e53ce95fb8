"""The sockets, the signals and the server that serve and demo share."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType
from typing import Final
from urllib.parse import quote

from wintun_api.address import url_at
from wintun_api.api.app import Service
from wintun_api.api.certificate import check_pem_files
from wintun_api.api.listener import close, listen
from wintun_api.api.server import Server, check_bind
from wintun_api.api.tokens import TokenStore
from wintun_api.cli import activation, notify
from wintun_api.cli.hints import hint_for
from wintun_api.cli.log import settle, tell
from wintun_api.cli.output import fail, printable
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.errors import InvalidArgument, WintunApiError
from wintun_api.files import UntrustedFile
from wintun_api.settings import Settings

logger = logging.getLogger(__name__)

# Seconds after which the event loop gives the interpreter to a thread that waits for it. A request
# that asks the driver needs it several times. With the default of 5 ms, GET /v1/adapters beside a
# flood of injected packets took half as long again, on two cores.
SWITCH: Final = 0.001

Started = Callable[["CommandServer"], Awaitable[None]]


class CommandServer(Server):
    """A server on given sockets that calls `started` once it answers, and ends with code 0."""

    def __init__(self, service: Service, sockets: list[socket.socket], started: Started) -> None:
        super().__init__(service)
        self.service = service
        self.failure: WintunApiError | None = None
        self.url = url_at(service.settings, sockets[0].getsockname()[1])
        self.reach = reach(sockets)
        self._sockets = sockets
        self._started = started
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Serve until a signal ends it.

        Raises:
            WintunApiError: `started` failed; the server is down again.
        """
        sys.setswitchinterval(SWITCH)
        try:
            self.run(self._sockets)
        finally:
            settle()
        if self.failure is not None:
            raise self.failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then call `started`."""
        await super().startup(sockets)
        try:
            await self._started(self)
        except WintunApiError as error:
            self.failure = error
            self.should_exit = True
        except OSError as error:  # what it prints is not taken
            logger.warning("Cannot print: %s. The service goes on.", error.strerror or error)
        self._loop = asyncio.get_running_loop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell systemd, then stop."""
        notify.stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals as a request to end in order, which is not a failure.

        uvicorn would raise them again in the end, so that the process dies of them.
        """
        with super().capture_signals():
            # Under load the event loop's wake-up socket may be full when a signal comes. That wakes
            # the loop as well as one more byte would, so it is nothing to print a traceback for.
            if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is _go_on:
                signal.signal(signal.SIGHUP, self.handle_hangup)
            with suppress(ValueError):  # a service of Windows is in another thread than signals
                signal.set_wakeup_fd(signal.set_wakeup_fd(-1), warn_on_full_buffer=False)
            try:
                yield
            finally:
                self._loop = None
                self._captured_signals.clear()

    def handle_hangup(self, _sig: int, _frame: FrameType | None) -> None:
        """Go on after the terminal was closed; load a renewed certificate."""
        if self._loop is not None and self.certificate is not None:
            self._loop.call_soon_threadsafe(self.certificate.renew)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order; also at a second signal, as ending never takes long."""
        super().handle_exit(signal.SIGTERM if sig == signal.SIGINT else sig, frame)


def survive_hangup() -> None:
    """Go on when the terminal is closed or SIGHUP is sent."""
    if sys.platform != "win32":
        with suppress(ValueError):  # signals belong to the main thread
            signal.signal(signal.SIGHUP, _go_on)


def _go_on(_number: int, _frame: FrameType | None) -> None:
    pass


def make_server(
    settings: Settings, sockets: list[socket.socket], tokens: TokenStore, started: Started
) -> CommandServer:
    """Return a server that can be started, or say what is wrong and exit."""
    driver = open_the_driver(settings)
    service = Service(settings, tokens, driver)
    try:
        service.read_memory(driver)
    except UntrustedFile as error:
        driver.close()
        fail(str(error), hint_for(error))
    except OSError as error:
        driver.close()
        fail(
            f"Cannot read or make {error.filename or settings.data_dir}: "
            f"{error.strerror or error}.",
            "Make room on the disk, let the user of the service read and write the directory, or "
            "give another one with --data-dir.",
        )
    try:
        server = CommandServer(service, sockets, started)
        check_pem_files(settings.tls_certificate, settings.tls_key)
        server.config.load()
    except InvalidArgument as error:
        driver.close()
        close(sockets)
        fail(str(error), hint_for(error), code=2)
    except OSError as error:  # ssl.SSLError is one
        driver.close()
        close(sockets)
        fail(
            f"Cannot use the TLS certificate {settings.tls_certificate}: {error}.",
            "Give PEM files with --tls-certificate and --tls-key.",
            code=2,
        )
    return server


def open_the_driver(settings: Settings) -> Driver:
    """Return the driver; warn if it is unavailable, exit if its settings are wrong."""
    try:
        driver = open_driver(settings.driver, settings)
    except WintunApiError as error:
        fail(str(error), hint_for(error), code=2)
    reason = driver.unavailable_reason()
    if reason is not None:
        tell(f"Warning: the driver {driver.name} is unavailable: {reason.message}")
        tell(f"{reason.hint} The service starts without it.")
    return driver


def listen_or_exit(settings: Settings) -> list[socket.socket]:
    """Bind, or say what is wrong and exit with 1."""
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        if in_use(error):
            fail(
                f"Cannot listen on {where}: it is in use, perhaps by another wintun-api.",
                "See what runs there with wintun-api status, or choose another port with --port; "
                "--port 0 takes a free one.",
            )
        reason = error.strerror or str(error)
        fail(
            f"Cannot listen on {where}: {reason}.",
            "Choose another address with --host and --port.",
        )


def sockets_or_exit(settings: Settings) -> tuple[Settings, list[socket.socket]]:
    """Return the sockets to listen on, those that systemd passed if any, and the settings for them.

    Exit with 2 if one of them is not suitable or needs TLS, with 1 if it cannot be bound.
    """
    try:
        passed = activation.passed_sockets()
        for one in reversed(passed):
            host, port = one.getsockname()[:2]
            settings = replace(settings, host=host, port=port)
            check_bind(settings)
        if not passed:
            check_bind(settings)
    except InvalidArgument as error:
        fail(str(error), hint_for(error), code=2)
    return settings, passed or listen_or_exit(settings)


def in_use(error: OSError) -> bool:
    """Return whether a port could not be bound because another program uses it."""
    # Windows says EACCES when the other one holds it exclusively.
    return error.errno == errno.EADDRINUSE or (
        sys.platform == "win32" and error.errno == errno.EACCES
    )


def reach(sockets: list[socket.socket]) -> str:
    """Return a sentence about a service that listens at every address; else nothing."""
    any_address = {one.family for one in sockets if one.getsockname()[0] in ("::", "0.0.0.0")}  # noqa: S104
    if not any_address:
        return ""
    if len(any_address) == 2:
        return "It listens at every address of this machine, of IPv4 and of IPv6."
    if socket.AF_INET6 in any_address:
        return "It listens at every IPv6 address of this machine, which has no IPv4."
    return "It listens at every IPv4 address of this machine, but not at its IPv6 addresses."


def dashboard_url(url: str, token: str) -> str:
    """Return the address that signs a browser in."""
    return f"{url}/?token={quote(token, safe='')}"


def warn(sentence: str) -> None:
    """Write a warning to standard error."""
    tell(printable(f"Warning: {sentence}"))
