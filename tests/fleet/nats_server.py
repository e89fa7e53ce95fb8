"""A nats-server for tests, which can be killed, started again, and made to stand still."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from tests.fleet.server.servers import free_port, need_server
from tests.waiting import until
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.keys.rights import inbox
from wintun_api.fleet.network import Network

LAB: Final = Network("lab")


class NatsServer:
    """A server on a port of the loopback address, with one account that keeps streams.

    Attributes:
        port: Where it listens, also after it was started again.
        process: The process; it is ended with the fixture.
    """

    def __init__(self, path: Path) -> None:
        self.program = need_server().path
        self.path = path
        self.port = free_port()
        self.users: list[dict[str, Any]] = []
        self.more: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its URL."""
        return f"nats://127.0.0.1:{self.port}"

    def line(
        self, *, publish: Sequence[str] | None = None, subscribe: Sequence[str] | None = None
    ) -> KeyLine:
        """Add a user with these rights, or with all, and return its key; before the start."""
        identity = Identity.make()
        user: dict[str, Any] = {"nkey": identity.public_key}
        if publish is not None or subscribe is not None:
            user["permissions"] = {
                "publish": [*(publish or ()), "$JS.API.>"],
                "subscribe": [*(subscribe or ()), f"{inbox(identity.host)}.>"],
            }
        self.users.append(user)
        return KeyLine(LAB, (self.url,), identity)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._configure()
        with (self.path / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-c", self._configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._answers)

    def stop(self) -> None:
        """End it as a service manager does; on Windows that is as `kill`."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def kill(self) -> None:
        """End it at once, as a failure does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stand_still(self) -> None:
        """Let it do nothing; its connections stay."""
        assert self.process is not None
        if sys.platform != "win32":
            os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it do what it has to."""
        assert self.process is not None
        if sys.platform != "win32":
            os.kill(self.process.pid, signal.SIGCONT)

    def reload(self) -> None:
        """Have it read its configuration again."""
        self._configure()
        assert self.process is not None
        if sys.platform != "win32":
            os.kill(self.process.pid, signal.SIGHUP)

    @property
    def _configuration(self) -> Path:
        return self.path / "nats.conf"

    def _configure(self) -> None:
        said: Mapping[str, Any] = {
            "listen": f"127.0.0.1:{self.port}",
            "jetstream": {"store_dir": str(self.path / "streams"), "max_file_store": 1 << 28},
            "accounts": {"lab": {"jetstream": "enabled", "users": self.users}},
            **self.more,
        }
        self._configuration.write_text(json.dumps(said), "utf-8")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.path / "log").read_text("utf-8")
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as asked:
            return asked.recv(4) == b"INFO"
        return False


@contextmanager
def ending(server: NatsServer) -> Iterator[NatsServer]:
    """End a server with the context."""
    try:
        yield server
    finally:
        server.kill()
