"""What is measured: each joins a TUN device to WebSocket clients.

All of a part's contenders run while it runs; only one at a time is loaded. Every one has a device
of its own with the same MTU and the same queue length.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.bench.machine import MTU, make_device, queue_length, remove_device, wait_until
from tests.bench.programs import Programs
from wintun_api.wire import BATCH, RAW

SERVICE, NATIVE, C_RELAY, HAND_WRITTEN = "wintun-api", "native", "C relay", "hand-written"
NAMES = {RAW: "raw", BATCH: "batch"}
FIRST_PORT = 7000
NATIVE_PORT = 9887


@dataclass(frozen=True, slots=True)
class Contender:
    """One contender in one framing: where its client connects, and what its load is sent to.

    Attributes:
        name: As tables call it.
        protocol: The framing, as a subprotocol.
        port: On loopback.
        path: Of the WebSocket.
        headers: Lines that its client sends beside the handshake's own.
        device: The TUN device.
        subnet: Third number of its address: it is 10.99.SUBNET.1/24.
        pid: The process whose CPU time counts.
    """

    name: str
    protocol: str
    port: int
    path: str
    headers: str
    device: str
    subnet: int
    pid: int

    @property
    def framing(self) -> str:
        """The framing's short name."""
        return NAMES[self.protocol]

    @property
    def far_address(self) -> str:
        """An address behind the device: what is sent there reaches the client."""
        return f"10.99.{self.subnet}.2"

    @property
    def client(self) -> tuple[object, ...]:
        """The arguments with which every client program begins."""
        return self.port, self.protocol, self.headers


class Service:
    """The real service, as its own process, on the driver for Linux.

    Args:
        directory: For what it keeps.
        prefix: What starts it, such as `taskset`.
        port: On loopback.
        native: Its native part; without one it runs in Python alone.
        environment: More variables.
    """

    def __init__(
        self,
        directory: Path,
        prefix: list[str],
        *,
        port: int = 9886,
        native: Path | None = None,
        **environment: str,
    ) -> None:
        data = directory / "data"
        command = Path(sys.executable).with_name("wintun-api")
        directory.mkdir(parents=True, exist_ok=True)
        self._adapters: list[str] = []
        self._log = (directory / "service.log").open("w+")
        self.port = port
        self._process = subprocess.Popen(
            [*prefix, str(command), "serve", "--driver", "linux", "--data-dir", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env={
                **os.environ,
                "WINTUN_API_PORT": str(port),
                "WINTUN_API_NATIVE": str(native or "off"),
                **environment,
            },
        )
        self.pid = self._process.pid
        try:
            wait_until(self._answers, "the service")
            token = (data / "token").read_text().strip()
        except BaseException:
            self.stop()
            raise
        self.headers = f"Authorization: Bearer {token}\r\n"
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def session(self, name: str, **adapter: Any) -> tuple[str, str]:
        """Make an adapter and its session; return the session's id and the device's name."""
        made = self._post("/v1/adapters", {"name": name, "mtu": MTU, **adapter})
        self._adapters.append(made["guid"])
        started = self._post("/v1/sessions", {"adapter": made["guid"]})
        return str(started["id"]), str(made["interface_name"])

    def counters(self, session: str) -> dict[str, Any]:
        """Return what a session has counted."""
        counters: dict[str, Any] = self.http.get(f"/v1/sessions/{session}").json()["counters"]
        return counters

    def delete_adapters(self) -> None:
        """Delete what it was told to make."""
        while self._adapters and self._process.poll() is None:
            self.http.delete(f"/v1/adapters/{self._adapters.pop()}")

    def stop(self) -> None:
        """Delete its adapters and stop it as Ctrl-C would."""
        self.delete_adapters()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if hasattr(self, "http"):
            self.http.close()
        self._log.close()

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            self._log.seek(0)
            raise RuntimeError(f"the service did not start: {self._log.read()[-2000:]}")
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/noauth/health").is_success
        return False

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        if not answer.is_success:
            raise RuntimeError(f"{path}: {answer.text}")
        made: dict[str, Any] = answer.json()
        return made


@dataclass(frozen=True, slots=True)
class Peer:
    """An external contender.

    Attributes:
        name: As tables call it.
        command: Starts it; `{device}`, `{port}` and `{address}` are filled in.
    """

    name: str
    command: str


class Field:
    """The contenders of a part. Starts them on demand and stops all at the end.

    Args:
        programs: The C programs.
        directory: For what the service keeps.
        prefix: What starts every contender, such as `taskset`.
        shared: A service that runs already; without it, the field has one of its own.
    """

    def __init__(
        self,
        programs: Programs,
        directory: Path,
        prefix: list[str],
        shared: Service | None = None,
    ) -> None:
        self._shared = shared
        self._programs = programs
        self._directory = directory
        self._prefix = prefix
        self._subnet = 0
        self._stack = ExitStack()
        self._queue_length = 1000
        self.service: Service | None = None
        self.sessions: list[str] = []

    def stop(self) -> None:
        """Stop everything, the last first."""
        self._stack.close()

    def add_service(self) -> list[Contender]:
        """Start the service with one session; return it in both framings.

        It comes first, for the others get its queue length.
        """
        batch = self.add_sessions(1, "Bench")[0]
        return [batch, replace(batch, protocol=RAW)]

    def add_sessions(self, count: int, name: str) -> list[Contender]:
        """Start the service with so many adapters, each with a session; return them in batch."""
        service = self._shared or Service(self._directory, self._prefix)
        self._stack.callback(service.delete_adapters if self._shared else service.stop)
        self.service = service
        made = self._sessions(service, count, name, SERVICE)
        self.sessions += [one.path.split("/")[3] for one in made]
        return made

    def add_native(self) -> list[Contender]:
        """Start the service with its native part and one session; return it in both framings."""
        service = Service(
            self._directory / "native",
            self._prefix,
            port=NATIVE_PORT,
            native=self._programs.native_part,
        )
        self._stack.callback(service.stop)
        (batch,) = self._sessions(service, 1, "Native", NATIVE)
        return [batch, replace(batch, protocol=RAW)]

    def _sessions(self, service: Service, count: int, name: str, called: str) -> list[Contender]:
        made = []
        for number in range(count):
            self._subnet += 1
            address = f"10.99.{self._subnet}.1/24"
            session, device = service.session(f"{name} {number}", addresses=[address])
            self._queue_length = queue_length(device)
            made.append(
                Contender(
                    name=called,
                    protocol=BATCH,
                    port=service.port,
                    path=f"/v1/sessions/{session}/packets",
                    headers=service.headers,
                    device=device,
                    subnet=self._subnet,
                    pid=service.pid,
                )
            )
        return made

    def add_c_relay(self, protocol: str) -> Contender:
        """Start the C relay in one framing."""
        device, port = self._device()
        relay = self._programs.start(
            "relay", device, port, NAMES[protocol], ready="ready", prefix=self._prefix
        )
        self._stack.callback(relay.end)
        return self._contender(C_RELAY, protocol, device, port, relay.pid)

    def add_hand_written(self) -> Contender:
        """Start the relay that one writes in an afternoon."""
        command = f"{shlex.quote(sys.executable)} -m tests.bench.relay {{device}} {{port}}"
        return self.add_peer(Peer(HAND_WRITTEN, command))

    def add_peer(self, peer: Peer) -> Contender:
        """Start a program that is given on the command line; a frame per packet."""
        device, port = self._device()
        words = [
            word.format(device=device, port=port, address=f"10.99.{self._subnet}.1")
            for word in shlex.split(peer.command)
        ]
        process = subprocess.Popen([*self._prefix, *words], stdin=subprocess.DEVNULL)

        def stop() -> None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

        self._stack.callback(stop)

        def listens() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{peer.name} ended: {shlex.join(words)}")
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            return False

        wait_until(listens, peer.name)
        return self._contender(peer.name, RAW, device, port, process.pid)

    def _device(self) -> tuple[str, int]:
        self._subnet += 1
        device = f"bench{self._subnet}"
        make_device(device, self._subnet, self._queue_length)
        self._stack.callback(remove_device, device)
        return device, FIRST_PORT + self._subnet

    def _contender(self, name: str, protocol: str, device: str, port: int, pid: int) -> Contender:
        return Contender(name, protocol, port, "/", "", device, self._subnet, pid)
