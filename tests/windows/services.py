"""A service in Wine, and the clients of `tests.running` that drive it from Linux."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running import TOKEN, RunningService
from tests.windows.rig import PROJECT
from tests.windows.wine import WindowsPython, windows_path


class WineService(RunningService):
    """`wintun-api serve` under the Windows interpreter, on a library; `http` is the admin's."""

    def __init__(self, rig: Path, folder: Path, library: Path, *options: str, **env: str) -> None:
        token = folder / "token"
        token.write_text(TOKEN)
        self.program = WindowsPython(
            rig,
            *("-X", "faulthandler", "-m", "wintun_api", "serve", "--port", "0"),
            *("--wintun-dll", windows_path(library)),
            *("--data-dir", windows_path(folder / "data"), "--token-file", windows_path(token)),
            *options,
            program=None,
            cwd=PROJECT,
            echo=False,
            **env,
        )
        try:
            self.url = self.program.wait_for(r"(http://127\.0\.0\.1:\d+)")[1]
        except BaseException:
            self.program.close()
            raise
        self.port = int(self.url.rpartition(":")[2])
        self.http = self.client(TOKEN)

    def stop(self) -> float:
        """Press Ctrl-C; it must end in order, with nothing to complain about. Idempotent."""
        started = time.monotonic()
        self.api.close()
        self.http.close()
        if self.program.process.poll() is None:
            self.program.interrupt()
        code = self.program.wait()
        seconds = time.monotonic() - started
        output = self.program.output
        assert code == 0, (code, output)
        for word in ("misuse", "Traceback", "Fatal", "ERROR"):
            assert word not in output, output
        return seconds


@contextmanager
def wine_service(
    rig: Path, folder: Path, library: Path, *options: str, **env: str
) -> Iterator[WineService]:
    """Run a service in Wine for a while."""
    service = WineService(rig, folder, library, *options, **env)
    try:
        yield service
        service.stop()
    finally:
        service.program.close()
