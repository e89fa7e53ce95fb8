"""The container: little it may do, and adapters that carry packets all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.container.image import IMAGE, Podman, build
from tests.drivers.linux.kernel import namespace, needs_kernel
from tests.elsewhere import ServiceElsewhere, ping_through
from tests.needs import need
from tests.running import TOKEN

pytestmark = [pytest.mark.heavy, *needs_kernel]

CAP_NET_ADMIN = 1 << 12
USER = "65532"
RIGHTS = ("--cap-drop=all", "--cap-add=NET_ADMIN", "--device=/dev/net/tun")
# What Docker does with a user who is not root: the capabilities are within reach, and not given.
AS_DOCKER = ("--user=0", "--cap-add=SETUID", "--cap-add=SETGID", "--entrypoint=setpriv")
AS_USER = (f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all")


@pytest.fixture(scope="module")
def podman(based: Podman) -> Iterator[Podman]:
    """Podman with the image, in a network namespace of this module."""
    need("ping")
    build(based)
    with namespace():
        yield based


@contextmanager
def running(podman: Podman, folder: Path, *arguments: str) -> Iterator[ServiceElsewhere]:
    """Run the service in a container named `service` until the end of the block."""
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    secret = (f"--volume={token}:/run/secrets/token:ro", "--env=WINTUN_API_PORT=9887")
    podman.run(
        *("--detach", "--name=service", *RIGHTS, *secret),
        *("--env=WINTUN_API_TOKEN_FILE=/run/secrets/token", *arguments),
    )
    try:
        # Its retries wait for the service to listen.
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get("http://127.0.0.1:9887/noauth/health")
        service = ServiceElsewhere("http://127.0.0.1:9887", TOKEN)
        yield service
        service.stop()
    except BaseException:
        print(podman("logs", "service", check=False))
        raise
    finally:
        podman("rm", "--force", "--volumes", "--time=5", "service")


def status(podman: Podman) -> dict[str, str]:
    """What the kernel knows of the service's process (proc_pid_status(5))."""
    process = podman.inspect("container", "service")["State"]["Pid"]
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_image(podman: Podman) -> None:
    """The image names a user who is not root, and no program in it makes one."""
    image = podman.inspect("image", IMAGE)
    print(f"The image has {image['Size'] / 1e6:.0f} MB, its base with it.")
    assert image["Config"]["User"] == f"{USER}:{USER}"
    words = ("--entrypoint=find", IMAGE, "/", "-xdev", "-type", "f", "-perm", "/6000")
    found = podman.run("--rm", "--user=0", *words)
    assert found == ""
    compilers = ("--entrypoint=sh", IMAGE, "-c", "command -v gcc cc python3-config || true")
    assert podman.run("--rm", *compilers) == ""


def test_life(podman: Podman, tmp_path: Path) -> None:
    """Healthy, not root, with one right, on files that it cannot write; ping; ended in order."""
    with running(podman, tmp_path, IMAGE) as service:
        found = status(podman)
        assert found["Uid"].split()[0] == USER
        for kind in ("CapPrm", "CapEff", "CapBnd"):
            assert int(found[kind], 16) == CAP_NET_ADMIN, kind
        podman("healthcheck", "run", "service")
        touch = podman("exec", "service", "touch", "/opt/here", check=False)
        assert "Read-only file system" in touch
        assert service.http.get("/v1/driver").json()["unavailable"] is None
        assert service.http.get("/v1/system").json()["native"] is True
        ping_through(service, "Container")
        podman("stop", "--time=20", "service")
        assert podman.inspect("container", "service")["State"]["ExitCode"] == 0
        assert "Traceback" not in podman("logs", "service")


def test_as_docker_starts_it(podman: Podman, tmp_path: Path) -> None:
    """A user whom no capability is given gets the one that the file has, where it may be had."""
    with running(podman, tmp_path, *AS_DOCKER, IMAGE, *AS_USER, "wintun-api", "serve") as service:
        found = status(podman)
        assert found["Uid"].split()[0] == USER
        for kind in ("CapPrm", "CapEff"):
            assert int(found[kind], 16) == CAP_NET_ADMIN, kind
        assert service.http.get("/v1/driver").json()["unavailable"] is None
        ping_through(service, "Docker")


PLACES = {
    "every address": ("--env=WINTUN_API_HOST=::", "--env=WINTUN_API_ALLOW_INSECURE_BIND=1", IMAGE),
    "another host": (IMAGE, "serve", "--host", "127.0.0.2"),
    "another port": (IMAGE, "serve", "--port=9888"),
    "a free port": (IMAGE, "serve", "--port", "0"),
    "another directory": (IMAGE, "serve", "--data-dir=/tmp/data", "--port=0"),
    "a proxy for others": ("--env=http_proxy=http://127.0.0.1:9", IMAGE),
    "a file": ("--env=WINTUN_API_CONFIG=/run/config.toml", IMAGE),
    "a demo": (IMAGE, "demo"),
}


@pytest.mark.parametrize("place", PLACES)
def test_healthy_wherever_it_listens(podman: Podman, tmp_path: Path, place: str) -> None:
    """The check finds the service by flags, variables and files."""
    config = tmp_path / "config.toml"
    config.write_text('port = 9889\nhost = "127.0.0.3"\n')
    config.chmod(0o644)
    volume = f"--volume={config}:/run/config.toml:ro"
    podman.run("--detach", "--name=service", *RIGHTS, "--tmpfs=/tmp", volume, *PLACES[place])
    try:
        for _ in range(100):  # `podman wait` knows only of checks by a timer of systemd
            said = podman("healthcheck", "run", "service", check=False)
            if not said:
                break
        assert said == "", podman("logs", "service", check=False)
    finally:
        podman("rm", "--force", "--volumes", "--time=5", "service")


def test_unhealthy(podman: Podman, tmp_path: Path) -> None:
    """The check fails when nobody answers."""
    with running(podman, tmp_path, IMAGE):
        podman("healthcheck", "run", "service")
        podman("kill", "--signal=STOP", "service")
        check = ("python", "-I", "/opt/wintun-api/health.py")
        assert "timed out" in podman("exec", "service", *check, check=False)
        podman("kill", "--signal=CONT", "service")
        nowhere = ("--env=WINTUN_API_DATA_DIR=/nowhere", "--env=WINTUN_API_PORT=9")
        other_port = podman("exec", *nowhere, "service", *check, check=False)
        assert "Connection refused" in other_port


def test_without_rights(podman: Podman) -> None:
    """Without CAP_NET_ADMIN it starts as well, and says what to give it."""
    said = podman.run("--rm", "--cap-drop=all", IMAGE, "doctor", check=False)
    assert "CAP_NET_ADMIN" in said or "TUN" in said, said
    assert "--cap-add NET_ADMIN" in said
