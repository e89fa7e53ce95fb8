"""`wintun-api capture` as a process, from when it captures on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cli.commands import COMMAND, environment
from tests.running import TOKEN, RunningService
from tests.waiting import until


def variables(service: RunningService) -> dict[str, str]:
    """What a command of the service's user has in its environment."""
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


@contextmanager
def capturing(
    service: RunningService, tmp_path: Path, sessions: Sequence[str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    """Run `capture`, from when it is subscribed to all these sessions; it is gone at the end."""
    with subprocess.Popen(
        [*COMMAND, "capture", *arguments],
        env=environment(tmp_path, **variables(service)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:

            def subscribed() -> bool:
                assert process.poll() is None, process.communicate()
                answers = [service.http.get(f"/v1/sessions/{one}").json() for one in sessions]
                return all(answer["subscribers"] for answer in answers)

            until(subscribed)
            yield process
        finally:
            process.kill()
