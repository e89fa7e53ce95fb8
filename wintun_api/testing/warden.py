"""Run the service for a test process, and clean up behind it however that process ends.

It runs as a program. Its standard input is a pipe from the test process: a line, or the end of the
pipe, which a killed process leaves too, means that the service is no longer needed. Then the
warden deletes the adapters in the pool of the tests, ends the service and removes its directory.

It is in a session of its own, so that Ctrl-C and signals to the group of the tests do not reach it.
It needs the standard library alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

START = 60.0  # seconds that the service has to start
STOP = 20.0  # seconds that it has to end
ANSWER = 60.0  # seconds that it has to delete an adapter
_SERVES: Final = re.compile(r"serves the driver \S+ at (\S+) \(token file: ")


class Service:
    """A process of the service. What it writes to standard error is copied to the log."""

    def __init__(self, command: Sequence[str], log: Path, descriptor: int | None = None) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the command of the test process
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=() if descriptor is None else (descriptor,),
            encoding="utf-8",
            errors="replace",
        )
        assert self.process.stderr is not None
        self.url = ""
        self._started = threading.Event()
        self._copier = threading.Thread(
            target=self._copy, args=(self.process.stderr, log), name="log", daemon=True
        )
        self._copier.start()

    def wait_until_started(self) -> bool:
        """Return whether it answers; False if it has ended, or was ended for it took too long."""
        if not self._started.wait(START):
            self.process.kill()
            self._started.wait(STOP)
        return bool(self.url)

    def stop(self) -> None:
        """End it in order, or kill it if that takes too long."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._copier.join(STOP)

    def _copy(self, said: IO[str], log: Path) -> None:
        with log.open("a", encoding="utf-8", newline="\n") as file:
            for line in said:
                with suppress(OSError):  # a full disk does not hold up the service
                    file.write(line)
                    file.flush()
                found = None if self.url else _SERVES.search(line)
                if found is not None:
                    self.url = found[1]
                    self._started.set()
        self._started.set()


def main() -> None:
    """Run the service until it is no longer needed."""
    options = _options()
    directory = Path(options.directory)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    service = Service(options.command, directory / "log", options.socket)
    if options.socket is not None:
        os.close(options.socket)  # a client must not wait for a service that has ended
    try:
        ready = _found(service, directory) if service.wait_until_started() else {}
        # The test process reads one line, and the log before it ends this process.
        print(json.dumps(ready), flush=True)  # noqa: T201
        threading.Thread(target=_await_end, args=(ended,), name="end", daemon=True).start()
        ended.wait()
        if ready and options.pool:
            _delete_adapters(service, options, directory)
    finally:
        service.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--pool", help="delete what is left in this pool")
    parser.add_argument("--socket", type=int, help="the descriptor of the listening socket")
    parser.add_argument("--again", help="the command, as JSON, if the service has to run again")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _await_end(ended: threading.Event) -> None:
    with suppress(OSError):
        os.read(sys.stdin.fileno(), 1)
    ended.set()


def _delete_adapters(service: Service, options: argparse.Namespace, directory: Path) -> None:
    """Delete the adapters in the pool; if the service was killed, another one does it."""
    if service.process.poll() is not None:
        again = Service(json.loads(options.again), directory / "log")
        try:
            if again.wait_until_started():
                _delete_at(again.url, options.pool, directory)
        finally:
            again.stop()
    else:
        _delete_at(service.url, options.pool, directory)


def _found(service: Service, directory: Path) -> dict[str, object]:
    """Return what the test process needs to know: also why the driver cannot work, in sentences.

    Nothing if the service does not answer.
    """
    try:
        reason = _ask(service.url, _token(directory), "GET", "/v1/driver")["unavailable"]
    except OSError as error:
        print(f"The service does not answer at {service.url}: {error}", file=sys.stderr)  # noqa: T201
        return {}
    unavailable = f"{reason['message']} {reason['hint']}" if reason else ""
    return {"url": service.url, "pid": service.process.pid, "unavailable": unavailable}


def _token(directory: Path) -> str:
    return (directory / "data" / "token").read_text("utf-8").strip()


def _delete_at(url: str, pool: str, directory: Path) -> None:
    token = _token(directory)
    with suppress(OSError, ValueError):  # it has ended meanwhile
        for adapter in _ask(url, token, "GET", f"/v1/adapters?pool={quote(pool, safe='')}"):
            path = f"/v1/adapters/{adapter['guid']}"
            try:
                _ask(url, token, "DELETE", path)
            except OSError:  # it is gone already, or another program has its session
                with suppress(OSError):
                    _ask(url, token, "DELETE", f"{path}?force=true")


def _ask(url: str, token: str, method: str, path: str) -> Any:
    import urllib.request

    request = urllib.request.Request(  # noqa: S310 - the address that the service gave
        url + path, method=method, headers={"Authorization": f"Bearer {token}"}
    )
    # A proxy that is set up for this machine must not get the token.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=ANSWER) as answer:
        content = answer.read()
    return json.loads(content) if content else None


if __name__ == "__main__":
    main()
