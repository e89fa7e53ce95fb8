"""Real reverse proxies before services, configured as the guide says."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.certificates import make_certificate
from tests.needs import need
from wintun_api import guide

PAGE = (guide.FOLDER / "security.md").read_text("utf-8")
NAME = "wintun.example.com"


def block(name: str) -> str:
    """Return the configuration of the guide that is marked with this name."""
    match = re.search(rf"<!-- test: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert match is not None
    return match[1]


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def swapped(text: str, swaps: dict[str, str]) -> str:
    """Put this test's addresses in place of the guide's; each must be there."""
    for old, new in swaps.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, sites: dict[int, str]) -> Iterator[None]:
    """Run nginx in front of services at these addresses, each published at a port."""
    need("nginx")
    certificate, key = make_certificate(folder / "pair", NAME)
    servers = [
        swapped(
            block("nginx"),
            {
                "listen 443": f"listen 127.0.0.1:{port}",
                "127.0.0.1:9886": address,
                "/etc/ssl/wintun.pem": str(certificate),
                "/etc/ssl/wintun.key": str(key),
            },
        )
        for port, address in sites.items()
    ]
    paths = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    run_nginx(folder, f"access_log off;\n{paths}{''.join(servers)}")
    try:
        yield
    finally:
        os.kill(int((folder / "nginx.pid").read_text()), signal.SIGTERM)


def run_nginx(folder: Path, http: str) -> None:
    config = folder / "nginx.conf"
    start = f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
    config.write_text(f"{start}http {{\n{http}}}\n")
    folder.chmod(0o755)
    # It goes into the background once it listens.
    done = subprocess.run(
        ["nginx", "-p", folder, "-c", config], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def caddy(folder: Path, sites: dict[int, str]) -> Iterator[None]:
    """Run Caddy likewise, with a certificate that is given to it."""
    need("caddy")
    certificate, key = make_certificate(folder / "pair", NAME)
    parts = ["{\nadmin off\nauto_https disable_redirects\n}\n"]
    for port, address in sites.items():
        site = f"https://{NAME}:{port} {{\ntls {certificate} {key}\nbind 127.0.0.1"
        parts.append(swapped(block("caddy"), {f"{NAME} {{": site, "127.0.0.1:9886": address}))
    (folder / "Caddyfile").write_text("".join(parts))
    with (folder / "caddy.log").open("wb") as log:
        done = subprocess.run(
            [
                *("caddy", "start", "--config", folder / "Caddyfile", "--adapter", "caddyfile"),
                *("--pidfile", folder / "caddy.pid"),
            ],
            env={**os.environ, "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=log,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, (folder / "caddy.log").read_text()
    try:
        yield
    finally:
        os.kill(int((folder / "caddy.pid").read_text()), signal.SIGTERM)


@contextmanager
def haproxy(folder: Path, sites: dict[int, str]) -> Iterator[None]:
    """Run HAProxy likewise, with the certificate and its key in one file."""
    need("haproxy")
    certificate, key = make_certificate(folder / "pair", NAME)
    pair = folder / "pair.pem"
    pair.write_bytes(certificate.read_bytes() + key.read_bytes())
    parts = []
    for number, (port, address) in enumerate(sites.items()):
        swaps = {
            "bind :443": f"bind 127.0.0.1:{port}",
            "/etc/ssl/wintun.pem": str(pair),
            "127.0.0.1:9886": address,
            "frontend wintun": f"frontend wintun{number}",
            "wintun_api": f"wintun_api{number}",
        }
        parts.append(swapped(block("haproxy"), swaps))
    config = folder / "haproxy.cfg"
    config.write_text("".join(parts))
    program = ["haproxy", "-f", str(config)]
    # It goes into the background once it listens.
    done = subprocess.run(
        [*program, "-D", "-p", str(folder / "haproxy.pid")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        os.kill(int((folder / "haproxy.pid").read_text()), signal.SIGTERM)


PROXIES = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}


@contextmanager
def without(line: str, instead: str = "") -> Iterator[None]:
    """Change a line of the guide's configuration for a while."""
    global PAGE  # noqa: PLW0603  what `block` reads
    whole = PAGE
    PAGE = whole.replace(line, instead)
    try:
        yield
    finally:
        PAGE = whole
