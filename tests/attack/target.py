"""The service under attack: a process of its own, started as a user starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attack.raw_http import Answer, Answers, Closed, connect, request
from tests.posix import page_size
from tests.waiting import within

AUDIT = b"wintun_api.audit: "
TROUBLE = re.compile(
    rb"Traceback \(most recent call last\)|Fatal error|Task exception was never retrieved"
    rb"|Exception in callback|Exception ignored in|was never awaited"
)
STARTING = 60.0
REPEATED = 1000  # times that a line may come before it is noise


class Died(RuntimeError):
    """The service has ended although nothing told it to."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process holds at a moment.

    Attributes:
        descriptors: Open files and sockets.
        threads: Of the process.
        memory: Resident bytes.
        log: Bytes of the log.
    """

    descriptors: int
    threads: int
    memory: int
    log: int


class Target:
    """One service and its data directory. It can be killed and started again on the same port.

    Args:
        directory: For its data and its log.
        python: The interpreter that has the service installed.
        driver: `emulated` or `linux`.
        descriptors: Its limit of open files; the caller's own when None.
        environment: Settings, as variables without their prefix, such as `TRAFFIC="1000"`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        python: str = sys.executable,
        driver: str = "emulated",
        descriptors: int | None = None,
        **environment: str,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.data = directory / "data"
        self.log = directory / "service.log"
        self.port = 0
        self.admin = ""
        self._python = python
        self._driver = driver
        self._descriptors = descriptors
        self._environment = {f"WINTUN_API_{name}": value for name, value in environment.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._read_to = self.log.stat().st_size if self.log.exists() else 0

    @property
    def pid(self) -> int:
        """The number of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def authority(self) -> str:
        """Its Host."""
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> float:
        """Start it, and return after how many seconds it answered.

        Raises:
            Died: It ended instead; the message has the end of its log.
            TimeoutError: It does not answer.
        """
        command = [
            self._python,
            "-P",  # not what lies in the working directory
            "-m",
            "wintun_api",
            "serve",
            "--driver",
            self._driver,
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data),
        ]
        if self._descriptors is not None:
            command = ["sh", "-c", f'ulimit -n {self._descriptors}; exec "$@"', "sh", *command]
        offset = self.log.stat().st_size if self.log.exists() else 0
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        process = self._process
        if not within(STARTING, lambda: process.poll() is not None or self._answers(offset)):
            self.kill()
            raise TimeoutError(f"the service does not answer: {self.tail()}")
        if process.poll() is not None:
            raise Died(f"the service did not start: {self.tail()}")
        took = time.monotonic() - began
        self.admin = (self.data / "token").read_text().strip()
        return took

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in order; kill it where that takes too long."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def reading(self) -> Reading:
        """Look at the process from outside.

        Raises:
            Died: There is none any more.
        """
        try:
            proc = Path(f"/proc/{self.pid}")
            return Reading(
                descriptors=len(list((proc / "fd").iterdir())),
                threads=len(list((proc / "task").iterdir())),
                memory=int((proc / "statm").read_text().split()[1]) * page_size(),
                log=self.log.stat().st_size,
            )
        except (OSError, IndexError) as error:
            raise Died(f"the service is gone: {self.tail()}") from error

    def forget_peak(self) -> None:
        """Let `peak` count from now on (proc(5), clear_refs)."""
        with suppress(OSError):
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> int:
        """The most resident bytes since `forget_peak`."""
        with suppress(OSError):
            status = Path(f"/proc/{self.pid}/status").read_text()
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0

    def trouble(self) -> dict[str, str]:
        """Return what went wrong according to the log since the last call: a context by kind."""
        with self.log.open("rb") as log:
            log.seek(self._read_to)
            new = log.read(64 * 2**20)
        self._read_to += len(new)
        found: dict[str, str] = {}
        for match in TROUBLE.finditer(new):
            text = new[match.start() : match.start() + 6000].decode("utf-8", "replace")
            found.setdefault(_kind(text), text[:3000])
        # Each change is audited by a line of its own: these are as many as the attack makes.
        told = (line for line in new.splitlines() if AUDIT not in line)
        lines = Counter(re.sub(rb"\d+", b"N", line) for line in told)
        for line, count in lines.most_common(3):
            if count > REPEATED:
                shown = line.decode("utf-8", "replace")[:100]
                found.setdefault(f"a line again and again: {shown}", f"{count} times")
        return found

    def tail(self, size: int = 1500) -> str:
        """Return the end of the log."""
        return self.log.read_bytes()[-size:].decode("utf-8", "replace") if self.log.exists() else ""

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "",
        patience: float = 20.0,
        source: str | None = None,
    ) -> Answer:
        """Ask on a connection of its own, as admin unless another token, or None, is given.

        Raises:
            OSError: It does not answer in time, or does not take the connection.
            Closed: It closed the connection without an answer.
        """
        headers: dict[str, str] = {}
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.admin}"
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        with connect(self.port, patience, source) as connection:
            connection.sendall(request(method, path, self.authority, headers, content, close=True))
            return Answers(connection).next(head=method == "HEAD")

    def made(self, path: str, body: Any) -> dict[str, Any]:
        """Make something and return it.

        Raises:
            RuntimeError: The service refused.
        """
        answer = self.call("POST", path, body)
        if answer.status != 201:
            raise RuntimeError(f"POST {path}: {answer.status} {answer.body[:500]!r}")
        result: dict[str, Any] = answer.json()
        return result

    def session(self, name: str = "Attack", **adapter: Any) -> str:
        """Make an adapter with a session, and return the session's id."""
        made = self.made("/v1/adapters", {"name": name, **adapter})
        return str(self.made("/v1/sessions", {"adapter": made["guid"]})["id"])

    def delete_adapters(self) -> None:
        """Delete every adapter: the rings of its session are memory that counts, as it is used."""
        for adapter in self.call("GET", "/v1/adapters").json():
            self.call("DELETE", f"/v1/adapters/{adapter['guid']}")

    def token(self, *scopes: str, **more: Any) -> dict[str, Any]:
        """Make a token; its secret is under `token`, its name under `id`."""
        return self.made("/v1/tokens", {"scopes": list(scopes), **more})

    def healthy(self, patience: float = 5.0) -> bool:
        """Say whether the health route answers in time."""
        try:
            return self.call("GET", "/noauth/health", token=None, patience=patience).status == 200
        except (OSError, Closed):
            return False

    def _answers(self, offset: int) -> bool:
        if self.port == 0:
            with self.log.open("rb") as log:
                log.seek(offset)
                match = re.search(rb"at https?://[^\s/]*:(\d+)", log.read())
            if match is None:
                return False
            self.port = int(match[1])
        return self.healthy(1.0)


def _kind(text: str) -> str:
    """Return the name of an exception and where it was raised, without particulars."""
    end = re.search(
        r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt)\w*)\b", text, re.MULTILINE
    )
    if end is None:
        return re.sub(r"0x[0-9a-f]+|\d+", "N", text.splitlines()[0])[:100]
    places = re.findall(r'File ".*?([^/"]+)", line \d+, in (\S+)', text[: end.start()])
    return f"{end[1]} in {' '.join(places[-1])}" if places else end[1]
