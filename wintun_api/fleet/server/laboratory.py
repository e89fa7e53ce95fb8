"""The data directory of a server: its plan, and all that is made of it.

    laboratory.json   the plan, with the seeds of the server's own users
    nats-server.conf  the plan as nats-server reads it, without seeds
    authority.pem     the certificate of the authority, which hosts get with their key
    authority.key     its private key
    server.pem        the certificate of the server
    server.key        its private key
    streams/          the buckets and the captures
    lock              locked while a server runs; says which one
    change            locked while the plan is changed

Only its owner can read it. The seeds of hosts are not here: each is only in the line for its host.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wintun_api import files
from wintun_api.files import UntrustedFile
from wintun_api.fleet.keys.folder import folder_of_user
from wintun_api.fleet.problems import LaboratoryInUse, LaboratoryMissing, ServerMissing
from wintun_api.fleet.server.configuration import Paths, as_text, configuration
from wintun_api.fleet.server.plan import Plan
from wintun_api.fleet.server.program import INSTALL
from wintun_api.lock_file import LockFile

if TYPE_CHECKING:
    from wintun_api.fleet.server.certificates import Pair

MAX_FILE: Final = 8 << 20  # bytes; a user needs about 200
PATIENCE: Final = 10.0  # seconds for another change to end

_PLAN, _CONFIGURATION = "laboratory.json", "nats-server.conf"
_LOCK, _CHANGE = "lock", "change"


def default_directory() -> Path:
    """Return where this user's bus has its data.

    Raises:
        InvalidSettings: This user has no home directory, as in a container that runs as a number.
    """
    return folder_of_user("bus", "the data of the bus")


class Laboratory:
    """The data directory of a server.

    Attributes:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def configuration(self) -> Path:
        """The file that nats-server reads."""
        return self.path / _CONFIGURATION

    def prepare(self) -> None:
        """Make the directory for this user alone, and check that no other user can write in it.

        Raises:
            UntrustedFile: Other users may put files there.
            OSError: It cannot be made.
        """
        files.make_directory(self.path)
        files.check_directory(self.path)

    def has_plan(self) -> bool:
        """Return whether a bus has been here."""
        return (self.path / _PLAN).exists()

    def plan(self) -> Plan:
        """Read the plan.

        Raises:
            LaboratoryMissing: There is none.
            UntrustedFile: Other users could have written it, or it is damaged.
            OSError: It cannot be read.
        """
        path = self.path / _PLAN
        try:
            return Plan.from_text(files.read(path, MAX_FILE))
        except FileNotFoundError:
            raise LaboratoryMissing(
                f"There is no bus in {self.path}.",
                hint="Start one with wintun-api bus, or give the directory of one with "
                "--bus-data-dir.",
            ) from None
        except UnicodeDecodeError:
            reason = "UnicodeDecodeError"
        except UntrustedFile:
            raise
        except ValueError as error:
            reason = str(error)
        raise UntrustedFile(
            f"{path} is not the plan of a bus, or of another version of it ({reason}).",
            hint="Restore it from a copy, or move the directory away to begin anew; hosts need new "
            "keys then.",
        )

    def write(self, plan: Plan) -> None:
        """Write a plan and its configuration. Call it within `changing`.

        Raises:
            InvalidArgument: nats-server cannot read one of the paths.
            OSError: A file cannot be written.
        """
        certificate, key = self.path / "server.pem", self.path / "server.key"
        paths = Paths(self.path / "streams")
        if plan.listening.tls:
            paths = Paths(paths.store, certificate, key)
        configured = as_text(configuration(plan, paths))
        files.replace(self.path / _PLAN, plan.as_text().encode())
        files.replace(self.configuration, configured.encode())

    def write_certificate(self, plan: Plan) -> None:
        """Make the certificate of the server, and the authority if there is none yet.

        Call it within `changing`.

        Raises:
            ServerMissing: The package that makes certificates is not installed.
            UntrustedFile: Other users could have written the authority, or it is damaged.
            OSError: A file cannot be written.
        """
        try:
            from wintun_api.fleet.server import certificates
        except ImportError:
            raise ServerMissing(
                "The package cryptography, which makes the certificate of the server, is missing.",
                hint=INSTALL,
            ) from None
        authority = self._authority()
        if authority is None:
            authority = certificates.make_authority(plan.name)
            files.replace(self.path / "authority.key", authority.key.encode())
            files.replace(self.path / "authority.pem", authority.certificate.encode())
        names = (*plan.listening.reached_at, "localhost", "127.0.0.1", "::1")
        try:
            made = certificates.make_certificate(authority, dict.fromkeys(names))
        except (TypeError, ValueError) as error:
            raise UntrustedFile(
                f"The certificate of the server cannot be made: {error}.",
                hint=f"See that {self.path / 'authority.pem'} and authority.key belong together, "
                "and that --hostname has ASCII letters only.",
            ) from None
        files.replace(self.path / "server.key", made.key.encode())
        files.replace(self.path / "server.pem", made.certificate.encode())

    def trusted(self, plan: Plan) -> str | None:
        """Return the certificate that hosts need to trust the server; None without TLS.

        Raises:
            UntrustedFile: Other users could have written it.
            OSError: It cannot be read.
        """
        if not plan.listening.tls:
            return None
        return files.read(self.path / "authority.pem", MAX_FILE).decode()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Keep other processes from changing the plan; wait for one that does.

        Raises:
            LaboratoryInUse: Another process does not end its change.
            UntrustedFile: Other users could write the directory.
            OSError: The lock cannot be taken.
        """
        with self._open(_CHANGE) as lock:
            if not (lock.take() or await _taken(lock)):
                raise LaboratoryInUse(
                    f"Another program has been changing {self.path} for {PATIENCE:g} seconds.",
                    hint="Wait until it has ended, or end it.",
                )
            yield

    @contextmanager
    def running(self, url: str) -> Iterator[LockFile]:
        """Lock the directory for a server, and yield the lock.

        A child that inherits its descriptor holds the lock as long as it runs itself, so that a
        server whose parent was killed keeps its streams to itself.

        Raises:
            LaboratoryInUse: Another server uses it.
            UntrustedFile: Other users could write the directory.
            OSError: The lock cannot be taken.
        """
        with self._open(_LOCK) as lock:
            if not lock.take():
                raise LaboratoryInUse(
                    f"The data directory {self.path} is in use by {_noted(lock)}.",
                    hint="Stop that bus first, or give this one another directory with --data-dir.",
                )
            note(lock, url, os.getpid())
            files.remove_leftovers(self.path)
            yield lock

    def is_running(self) -> bool:
        """Return whether a server uses the directory now.

        Raises:
            UntrustedFile: Other users could write the directory.
            OSError: The lock cannot be tried.
        """
        with self._open(_LOCK) as lock:
            return not lock.take()

    def _authority(self) -> Pair | None:
        from wintun_api.fleet.server.certificates import Pair

        try:
            return Pair(
                files.read(self.path / "authority.pem", MAX_FILE).decode(),
                files.read(self.path / "authority.key", MAX_FILE).decode(),
            )
        except FileNotFoundError:
            return None

    def _open(self, name: str) -> LockFile:
        files.check_directory(self.path)
        return LockFile.open(self.path / name)


def note(lock: LockFile, url: str, process: int) -> None:
    """Write into the locked file which server has it."""
    lock.write({"pid": process, "url": url})


def random_name() -> str:
    """Return a name for a new server."""
    return f"wintun-api-{secrets.token_hex(4)}"


async def _taken(lock: LockFile) -> bool:
    """Wait for a lock within `PATIENCE`. The thread that waits ends with the process at the latest.

    Raises:
        OSError: The lock cannot be taken.
    """
    loop = asyncio.get_running_loop()
    taken: asyncio.Future[bool] = loop.create_future()
    wait = lock.waiting()

    def work() -> None:
        outcome: bool | OSError
        try:
            outcome = wait()
        except OSError as error:
            outcome = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, outcome)

    def tell(outcome: bool | OSError) -> None:
        if taken.done():
            return
        if isinstance(outcome, OSError):
            taken.set_exception(outcome)
        else:
            taken.set_result(outcome)

    # Not a thread of the loop's pool: a program waits for those before it ends.
    threading.Thread(target=work, name="lock", daemon=True).start()
    try:
        async with asyncio.timeout(PATIENCE):
            return await taken
    except TimeoutError:
        return False


def _noted(lock: LockFile) -> str:
    said = lock.read()
    try:
        return f"the bus at {said['url']} (pid {int(said['pid'])})"
    except (ValueError, TypeError, KeyError):
        return "another bus"
