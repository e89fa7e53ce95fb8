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
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.bench.installation import OFFLOAD, Installation
from tests.bench.machine import MTU, make_device, queue_length, remove_device, wait_until
from tests.bench.programs import Programs
from wintun_api.choices import Native
from wintun_api.wire import BATCH, RAW

# The service in Python alone, with the C extension, and with segments moved as a whole, too.
SERVICE, EXTENSION = "wintun-api", "with extension"
SERVICE_OFFLOAD, EXTENSION_OFFLOAD = "wintun-api, offload", "with extension, offload"
NATIVE = {
    SERVICE: Native.OFF,
    SERVICE_OFFLOAD: Native.OFF,
    EXTENSION: Native.AUTO,
    EXTENSION_OFFLOAD: Native.AUTO,
}
C_RELAY, C_RELAY_OFFLOAD, HAND_WRITTEN = "C relay", "C relay, offload", "hand-written"
NAMES = {RAW: "raw", BATCH: "batch"}
FIRST_PORT = 7000
FIRST_SERVICE_PORT = 9886


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
        session: Its id, where it is the service.
    """

    name: str
    protocol: str
    port: int
    path: str
    headers: str
    device: str
    subnet: int
    pid: int
    session: str = ""

    @property
    def is_service(self) -> bool:
        """Whether it is what the benchmark is about, in whatever form."""
        return self.name in NATIVE

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
        command: The `wintun-api` that is started.
        directory: For what it keeps.
        prefix: What starts it, such as `taskset`.
        port: On loopback.
        variables: Its settings, as environment variables.
    """

    def __init__(
        self,
        command: Path,
        directory: Path,
        prefix: list[str],
        *,
        port: int,
        variables: Mapping[str, str],
    ) -> None:
        data = directory / "data"
        directory.mkdir(parents=True, exist_ok=True)
        self._adapters: list[str] = []
        self._log = (directory / "service.log").open("w+")
        self.port = port
        self._process = subprocess.Popen(
            [*prefix, str(command), "serve", "--driver", "linux", "--data-dir", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            # Not here, where an installation would find the checkout.
            cwd=directory,
            env={**os.environ, "WINTUN_API_PORT": str(port), **variables},
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


class Services:
    """Start the service in every form that the installation has.

    Args:
        installation: What is started.
        directory: For what the services keep.
        prefix: What starts them, such as `taskset`.
        offload: The setting `offload` of the forms whose names do not say it.
    """

    def __init__(
        self, installation: Installation, directory: Path, prefix: list[str], offload: str
    ) -> None:
        self._installation = installation
        self._directory = directory
        self._prefix = prefix
        self._offload = offload
        self._started = 0
        self._kept: dict[str, Service] = {}
        self.is_kept = False

    def has(self, name: str) -> bool:
        """Say whether the installation has this form."""
        return (self._installation.extension or NATIVE[name] is Native.OFF) and (
            self._installation.offloads or name not in (SERVICE_OFFLOAD, EXTENSION_OFFLOAD)
        )

    def get(self, name: str, *, is_pinned: bool = True) -> Service:
        """Start the service in one form, or return the one that is kept for all parts."""
        return self._kept[name] if name in self._kept else self._start(name, is_pinned)

    def keep(self) -> None:
        """Keep one service of each form from now on, for to start one takes a while."""
        self.is_kept = True

    def release(self, service: Service) -> None:
        """Stop a service, or only remove its adapters where it is kept."""
        if service in self._kept.values():
            service.delete_adapters()
        else:
            service.stop()

    def stop(self) -> None:
        """Stop those that were kept."""
        while self._kept:
            self._kept.popitem()[1].stop()

    def _start(self, name: str, is_pinned: bool) -> Service:
        self._started += 1
        variables: dict[str, str] = {"WINTUN_API_NATIVE": NATIVE[name]}
        if self._installation.offloads:
            offload = name in (SERVICE_OFFLOAD, EXTENSION_OFFLOAD)
            variables[OFFLOAD] = "on" if offload else self._offload
        service = Service(
            self._installation.command,
            self._directory / f"service{self._started}",
            self._prefix if is_pinned else [],
            port=FIRST_SERVICE_PORT + self._started % 100,
            variables=variables,
        )
        if self.is_kept:
            self._kept[name] = service
        return service


class Field:
    """The contenders of a part. Starts them on demand and stops all at the end.

    Args:
        programs: The C programs.
        services: Starts the service.
        prefix: What starts every contender, such as `taskset`.
        queue_length: Of their devices, until the service says its own.
    """

    def __init__(
        self, programs: Programs, services: Services, prefix: list[str], queue_length: int
    ) -> None:
        self._services = services
        self._programs = programs
        self._prefix = prefix
        self._subnet = 0
        self._stack = ExitStack()
        self._queue_length = queue_length
        self.services: dict[str, Service] = {}

    @property
    def forms(self) -> list[str]:
        """The forms of the service: in Python alone, and with the extension if there is one."""
        return [name for name in (SERVICE, EXTENSION) if self._services.has(name)]

    @property
    def tcp_forms(self) -> list[str]:
        """The forms of the service that TCP tells apart."""
        return [name for name in NATIVE if self._services.has(name)]

    def stop(self) -> None:
        """Stop everything, the last first."""
        self._stack.close()

    def add_service(self, name: str) -> list[Contender]:
        """Start the service in one form with one session; return it in both framings.

        It comes first, for the others get its queue length.
        """
        (batch,) = self.add_sessions(name, 1)
        return [batch, replace(batch, protocol=RAW)]

    def add_services(self) -> list[Contender]:
        """Start the service in every form, with one session each, for both framings."""
        return [one for name in self.forms for one in self.add_service(name)]

    def add_sessions(self, name: str, count: int, *, is_pinned: bool = True) -> list[Contender]:
        """Start the service with so many adapters, each with a session; return them in batch."""
        service = self._services.get(name, is_pinned=is_pinned)
        self._stack.callback(self._services.release, service)
        self.services[name] = service
        made = []
        for _ in range(count):
            self._subnet += 1
            address = f"10.99.{self._subnet}.1/24"
            session, device = service.session(f"Bench {self._subnet}", addresses=[address])
            self._queue_length = queue_length(device)
            made.append(
                Contender(
                    name=name,
                    protocol=BATCH,
                    port=service.port,
                    path=f"/v1/sessions/{session}/packets",
                    headers=service.headers,
                    device=device,
                    subnet=self._subnet,
                    pid=service.pid,
                    session=session,
                )
            )
        return made

    def add_c_relay(self, protocol: str, *, offload: bool = False) -> Contender:
        """Start the C relay in one framing."""
        device, port = self._device()
        mode = ["offload"] if offload else []
        relay = self._programs.start(
            "relay", device, port, NAMES[protocol], *mode, ready="ready", prefix=self._prefix
        )
        self._stack.callback(relay.end)
        name = C_RELAY_OFFLOAD if offload else C_RELAY
        return self._contender(name, protocol, device, port, relay.pid)

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
