"""The clients: what they need, what builds them, what runs them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

HERE = Path(__file__).parent

Command: TypeAlias = tuple[str, ...]

GOPATH = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}  # where Debian's Go packages are
GCC = ("gcc", "-std=c17", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined")


@dataclass(frozen=True, slots=True)
class Client:
    """One client; in commands `{here}` is its folder, `{made}` that of what is built.

    Attributes:
        name: Of the folder, and of the client.
        needs: Programs that build or run it.
        files: Files that must be installed too.
        build: Commands in its folder.
        tunnel: The tunnel, without the session and the protocol.
        codec: What reads messages as lines; None for a client of `v1.raw` only.
        environment: Of the commands that build it.
    """

    name: str
    needs: Command
    files: Command
    build: tuple[Command, ...]
    tunnel: Command
    codec: Command | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def protocols(self) -> Command:
        """What its tunnel speaks."""
        return ("raw",) if self.codec is None else ("raw", "batch")

    @property
    def here(self) -> Path:
        """Its sources."""
        return HERE / self.name

    def compile(self, made: Path) -> None:
        """Build it into a folder."""
        for command in self.build:
            done = subprocess.run(
                self.filled(command, made),
                cwd=self.here,
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def filled(self, command: Command, made: Path) -> list[str]:
        """Return the command with its folders."""
        return [part.format(here=self.here, made=made) for part in command]


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "node",
            needs=("node", "npm"),
            files=("{here}/node_modules/ws",),
            build=(
                ("{here}/node_modules/.bin/tsc", "-p", ".", "--outDir", "{made}"),
                ("cp", "package.json", "{made}"),
                ("ln", "-s", "{here}/node_modules", "{made}/node_modules"),
            ),
            tunnel=("node", "{made}/tunnel.js"),
            codec=("node", "{made}/codec.js"),
        ),
        Client(
            "go",
            needs=("go",),
            files=("/usr/share/gocode/src/github.com/gorilla/websocket",),
            build=(
                ("go", "build", "-o", "{made}/tunnel", "tunnel.go", "echo.go", "batch.go"),
                ("go", "build", "-o", "{made}/codec", "codec.go", "batch.go"),
            ),
            tunnel=("{made}/tunnel",),
            codec=("{made}/codec",),
            environment=GOPATH,
        ),
        Client(
            "c",
            needs=("gcc",),
            files=("/usr/include/libwebsockets.h",),
            build=(
                (*GCC, "-o", "{made}/tunnel", "tunnel.c", "-lwebsockets"),
                (*GCC, "-o", "{made}/codec", "codec.c"),
            ),
            tunnel=("{made}/tunnel",),
            codec=("{made}/codec",),
        ),
        Client(
            "websocat",
            needs=("websocat", "perl"),
            files=(),
            build=(),
            tunnel=("sh", "{here}/tunnel.sh"),
        ),
    )
}
