"""Several servers for one network: a cluster, and leaf nodes of sites."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.fleet.server.servers import LAB, free_port, need_server
from tests.waiting import until
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.keys.rights import Role, rights_of
from wintun_api.fleet.server.configuration import SYSTEM, accounts
from wintun_api.fleet.server.log import READY
from wintun_api.fleet.server.plan import PlannedNetwork, User


class Node:
    """A nats-server that is one of several.

    Attributes:
        name: Its name.
        port: Where clients connect.
        process: It, once it was started.
    """

    def __init__(self, path: Path, name: str, configured: Mapping[str, Any]) -> None:
        path.mkdir()
        self.name = name
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._path = path
        self._configured = configured

    @property
    def url(self) -> str:
        """Its URL."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        said = {"server_name": self.name, "host": "127.0.0.1", "port": self.port}
        configuration, log = self._path / "nats.conf", self._path / "log"
        configuration.write_text(json.dumps({**said, **self._configured}), "utf-8")
        with log.open("wb") as written:
            self.process = subprocess.Popen(
                [need_server().path, "-c", configuration], stderr=written, stdin=subprocess.DEVNULL
            )
        until(lambda: READY in self.log() or not self.runs)
        assert self.runs, self.log()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        """Return what it has written."""
        return (self._path / "log").read_text("utf-8")

    def kill(self) -> None:
        """End it as a failure does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def network_of(*identities: Identity) -> PlannedNetwork:
    """Return a network with these hosts."""
    users = tuple(User(one.public_key, Role.HOST, "") for one in identities)
    return PlannedNetwork(LAB, Identity.make(), users)


def line_of(identity: Identity, *nodes: Node) -> KeyLine:
    """Return the key line of a host that may use these servers."""
    return KeyLine(LAB, tuple(one.url for one in nodes), identity)


@contextmanager
def cluster(path: Path, network: PlannedNetwork, count: int) -> Iterator[list[Node]]:
    """Run servers that keep everything in common."""
    system, ports = Identity.make(), [free_port() for _ in range(count)]
    routes = [f"nats://127.0.0.1:{port}" for port in ports]
    nodes = [
        Node(
            path / f"node{number}",
            f"node{number}",
            {
                "cluster": {"name": "lab", "listen": f"127.0.0.1:{port}", "routes": routes},
                "jetstream": {"store_dir": str(path / f"node{number}")},
                "system_account": SYSTEM,
                "accounts": {SYSTEM: {"users": [{"nkey": system.public_key}]}}
                | accounts([network]),
            },
        )
        for number, port in enumerate(ports)
    ]
    with _running(nodes):
        yield nodes


# A leaf node carries no subjects of streams ($JS.API, $KV), so they have other names on its line.
RENAMED = {"$JS.API.": f"wt.{LAB.name}.store.js.", "$KV.": f"wt.{LAB.name}.store.kv."}


def _renamed(subject: str) -> str:
    for before, after in RENAMED.items():
        subject = after + subject.removeprefix(before) if subject.startswith(before) else subject
    return subject


def _user(key: str, *hosts: Identity) -> dict[str, Any]:
    """Return a user who may do what these hosts may; its rights are checked by the other names."""
    rights = [rights_of(Role.HOST, LAB, one.host) for one in hosts]
    publish = {_renamed(one) for each in rights for one in each.publish}
    subscribe = {one for each in rights for one in each.subscribe}
    return {
        "nkey": key,
        "permissions": {
            "publish": {"allow": sorted(publish)},
            "subscribe": {"allow": sorted(subscribe)},
        },
    }


@contextmanager
def leaf(
    path: Path, network: PlannedNetwork, at_site: Sequence[Identity]
) -> Iterator[tuple[Node, Node]]:
    """Run a server in the middle, and that of a site, which may do what its hosts may."""
    site, port = Identity.make(), free_port()
    users = [_user(one.public_key, one) for one in at_site]
    made = accounts([network])
    made[LAB.name]["users"].append(_user(site.public_key, *at_site))
    made[LAB.name]["mappings"] = {f"{after}>": f"{before}>" for before, after in RENAMED.items()}
    hub = Node(
        path / "hub",
        "hub",
        {
            "jetstream": {"store_dir": str(path / "hub")},
            "leafnodes": {"listen": f"127.0.0.1:{port}"},
            "accounts": made,
        },
    )
    remote = {
        "url": f"nats-leaf://127.0.0.1:{port}",
        "nkey": site.seed.decode(),
        "account": LAB.name,
    }
    there = {before + ">": after + ">" for before, after in RENAMED.items()}
    far = Node(
        path / "site",
        "site",
        {
            "leafnodes": {"remotes": [remote]},
            "accounts": {LAB.name: {"users": users, "mappings": there}},
        },
    )
    with _running([hub, far]):
        yield hub, far


@contextmanager
def _running(nodes: Sequence[Node]) -> Iterator[None]:
    with ExitStack() as stack:
        for one in nodes:
            stack.callback(one.kill)
            one.start()
        yield
