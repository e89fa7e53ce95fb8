"""The process of a service, its client, and the programs beside it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from wintun_api.limits import FIRST_PASSED
from wintun_api.testing import launch, rootless
from wintun_api.testing.choices import TunDriver
from wintun_api.testing.log import ServiceLog
from wintun_api.testing.subnets import Subnets

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient, Client

STOP: Final = 120.0  # seconds that it may take to delete adapters and end
# Variables that are not for this service.
_SETTINGS: Final = ("WINTUN_API_", "LISTEN_", "NOTIFY_SOCKET")
_NUMBERS: Final = count(1)
ADVICE: Final = (
    "This is the service that a fixture has started for the tests, and it has ended or hangs. See "
    "its log in the report of the test, or in `log` of the fixture `tun_service`. Run the tests "
    "again to start another service."
)
RUN: Final = 60.0  # seconds that a program may run, unless the test says otherwise
SHOWN: Final = 4096  # characters at the end of what a program wrote that an error shows


class NotPossible(Exception):
    """Report that a driver cannot work here; the message says why, and what to do."""


class ServiceProcess:
    """A service that runs while tests need it. `start` gives it.

    It listens on a loopback address and has a token, a data directory and a log of its own. Its
    adapters are in the pool `pool` and are deleted with it, also if the test process is killed.

    Attributes:
        driver: What it runs on.
        url: Its address: `http://127.0.0.1:41234`.
        token: The secret of a token that allows everything.
        pid: The id of its process.
        pool: The pool of the adapters that fixtures create.
        log: What it has logged.
        subnets: The subnets that its adapters get.
    """

    def __init__(
        self,
        driver: TunDriver,
        *,
        url: str,
        token: str,
        pid: int,
        pool: str,
        log: ServiceLog,
        subnets: Subnets,
        warden: subprocess.Popen[str],
    ) -> None:
        self.driver = driver
        self.url = url
        self.token = token
        self.pid = pid
        self.pool = pool
        self.log = log
        self.subnets = subnets
        self._warden = warden
        self._owner = os.getpid()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.driver.value} at {self.url}>"

    @classmethod
    def start(cls, driver: TunDriver, subnets: Subnets, *, worker: str = "") -> Self:
        """Start a service and wait until it answers. `close` ends it.

        Args:
            driver: What it runs on.
            subnets: The subnets that its adapters get.
            worker: The name of the worker of pytest-xdist, for people who look at pools.

        Raises:
            NotPossible: The driver cannot work here.
            RuntimeError: The service has failed to start; the message has its log.
        """
        if driver is TunDriver.ROOTLESS and (reason := rootless.why_not()) is not None:
            raise NotPossible(reason)
        directory = Path(tempfile.mkdtemp(prefix="wintun-api-testing-"))
        pool = "-".join(filter(None, ("pytest", worker, str(os.getpid()))))
        warden = _start_warden(driver, directory, pool)
        assert warden.stdout is not None
        log = ServiceLog(directory / "log")
        found: dict[str, Any] = json.loads(warden.stdout.readline() or "{}")
        failure: Exception | None = None
        if not found:
            failure = RuntimeError(f"The service did not start. Its log:\n{log.text()}")
        elif found["unavailable"]:
            failure = NotPossible(found["unavailable"])
        if failure is not None:
            _end(warden)
            raise failure
        token = (directory / "data" / "token").read_text("utf-8").strip()
        return cls(
            driver,
            url=found["url"],
            token=token,
            pid=found["pid"],
            pool=pool,
            log=log,
            subnets=subnets,
            warden=warden,
        )

    @cached_property
    def client(self) -> Client:
        """A client of this service that is signed in. It is closed with the service."""
        from wintun_api.client import Client  # tests that skip do without it

        return Client(self.url, token=self.token, advice=ADVICE)

    @asynccontextmanager
    async def asynchronous(self) -> AsyncIterator[AsyncClient]:
        """Give an asynchronous client of this service for the running event loop.

        It needs no fixture that knows the event loop: `async with tun_service.asynchronous() as
        client` works in any test that is a coroutine.
        """
        from wintun_api.client import AsyncClient

        async with AsyncClient(self.url, token=self.token, advice=ADVICE) as client:
            yield client

    def command(self, arguments: Sequence[str | os.PathLike[str]]) -> list[str]:
        """Return the command that runs a program on the host's side, for `subprocess`.

        With the driver rootless the program is root in the namespaces of the service.

        Raises:
            NotPossible: The driver is emulated, and its hosts run no programs.
        """
        if not self.driver.has_programs:
            raise NotPossible(
                "The emulated driver has no host that runs programs. Mark the test with "
                '@pytest.mark.tun_driver("rootless", "linux").'
            )
        within = rootless.inside(self.pid) if self.driver is TunDriver.ROOTLESS else ()
        return [*within, *(os.fspath(one) for one in arguments)]

    def run(
        self,
        arguments: Sequence[str | os.PathLike[str]],
        *,
        check: bool = True,
        timeout: float = RUN,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host's side until it ends; return its result as text.

        Args:
            arguments: The program and its arguments, such as `["ping", "-c1", "198.18.0.2"]`.
            check: Whether an exit code other than 0 is an error.
            timeout: The seconds after which the program is killed.
            options: Further arguments of `subprocess.run`.

        Raises:
            NotPossible: The driver is emulated, and its hosts run no programs.
            CalledProcessError: The program failed, and `check` is set; notes show what it wrote.
            TimeoutExpired: It took too long; notes show what it wrote.
        """
        options = {"capture_output": True, "stdin": subprocess.DEVNULL, "text": True, **options}
        try:
            return subprocess.run(  # noqa: S603 - what the test asks for
                self.command(arguments), check=check, timeout=timeout, **options
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            for name, said in (("error", error.stderr), ("output", error.stdout)):
                # After a timeout it is bytes, even in text mode.
                text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
                if text:
                    error.add_note(f"Its standard {name} ends with:\n{text[-SHOWN:]}")
            raise

    def next_name(self) -> str:
        """Return a name for an adapter that no other test process of this machine uses."""
        return f"tun{os.getpid()}-{next(_NUMBERS)}"  # a device of Linux has at most 15 characters

    def close(self) -> None:
        """Delete what is left in the pool, end the service and remove its directory."""
        if os.getpid() != self._owner:  # a copy of the test process that a fork has made
            return
        client = self.__dict__.pop("client", None)
        if client is not None:
            client.close()
        _end(self._warden)


def _start_warden(driver: TunDriver, directory: Path, pool: str) -> subprocess.Popen[str]:
    name = "linux" if driver is TunDriver.ROOTLESS else driver.value
    python = [sys.executable, "-m", "wintun_api", "serve", "--driver", name]
    command = [*python, "--data-dir", str(directory / "data")]
    options = ["--directory", str(directory)]
    if driver.is_machine_wide:
        options += ["--pool", pool, "--again", json.dumps([*command, "--port", "0"])]
    variables = _variables()
    warden = [sys.executable, "-m", "wintun_api.testing.warden", *options]
    listener: socket.socket | None = None
    try:
        if os.name == "posix":
            listener = socket.create_server(("127.0.0.1", 0))
            within = rootless.UNSHARE if driver is TunDriver.ROOTLESS else ()
            loopback = "up" if driver is TunDriver.ROOTLESS else "as-is"
            passing = [sys.executable, "-I", "-S", str(Path(launch.__file__)), loopback]
            passing.append(str(FIRST_PASSED))
            command = [*within, *passing, str(listener.fileno()), *command]
            warden += ["--socket", str(listener.fileno())]
        else:
            command += ["--port", "0"]
        with (directory / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - this interpreter
                [*warden, "--", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=directory,  # the folder of the tests must not hide a module of Python
                env=variables,
                pass_fds=() if listener is None else (listener.fileno(),),
                # Ctrl-C ends the tests, which then end the service.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                text=True,
            )
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    finally:
        if listener is not None:
            listener.close()


def _variables() -> dict[str, str]:
    """Return the environment of the service: without settings, and right in any folder."""
    found = {name: one for name, one in os.environ.items() if not name.startswith(_SETTINGS)}
    if "PYTHONPATH" in found:
        folders = found["PYTHONPATH"].split(os.pathsep)
        found["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, folders))
    return found


def _end(warden: subprocess.Popen[str]) -> None:
    """Tell the warden that its service is no longer needed, and wait until all is gone."""
    try:
        warden.communicate("\n", STOP)
    except subprocess.TimeoutExpired:
        warden.kill()
        warden.communicate()
        raise
