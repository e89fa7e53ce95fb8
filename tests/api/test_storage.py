"""Pools on the disk: durable before an adapter is answered, or the adapter is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.disk import fill, mounts, remount
from tests.drivers.linux.kernel import ip, namespace, needs_kernel
from tests.running import RunningService, running

pytestmark = [
    mounts,
    *needs_kernel,
]


@contextmanager
def on_linux(data: Path) -> Iterator[RunningService]:
    with namespace(), running(data, driver="linux", data_dir=data) as service:
        yield service


def assert_refused(answer: httpx.Response, *sentences: str) -> None:
    assert answer.status_code == 503, answer.text
    problem = answer.json()
    assert problem["type"] == "urn:wintun-api:problem:storage-failed"
    for sentence in sentences:
        assert sentence in problem["detail"]
    assert problem["hint"]


def create(service: RunningService, name: str, pool: str, **more: Any) -> httpx.Response:
    return service.http.post("/v1/adapters", json={"name": name, "pool": pool, **more})


def names(service: RunningService) -> list[str]:
    return [one["name"] for one in service.http.get("/v1/adapters").json()]


def test_a_full_disk_refuses_a_new_pool(small_disk: Path) -> None:
    """No adapter is made in a pool that would be forgotten; one that is known takes adapters."""
    data = small_disk / "data"
    pools = data / "pools.json"
    with on_linux(data) as service:
        assert create(service, "one", "First").status_code == 201
        filler = fill(small_disk)
        for _ in range(2):
            refused = create(service, "two", "Second")
            assert_refused(refused, "The adapter was not created", "No space left on device")
        assert names(service) == ["one"]
        assert "two" not in ip("link")
        assert create(service, "three", "First").status_code == 201
        assert json.loads(pools.read_text()) == ["First"]
        assert {path.name for path in data.iterdir()} == {"pools.json", "salt", "sign-in-key"}
        filler.unlink()
        assert create(service, "two", "Second").status_code == 201
        assert json.loads(pools.read_text()) == ["First", "Second"]


def test_a_disk_full_from_the_start(small_disk: Path) -> None:
    """The very first pool is refused too."""
    data = small_disk / "data"
    with on_linux(data) as service:
        fill(small_disk)
        assert_refused(create(service, "one", "First"))
        assert names(service) == []
        assert not (data / "pools.json").exists()


def test_a_disk_that_became_read_only(small_disk: Path) -> None:
    """A disk that takes no writes refuses new pools alone: rename, settings and deletion work."""
    data = small_disk / "data"
    with on_linux(data) as service:
        made = create(service, "one", "First").json()
        remount(small_disk, "ro")
        assert_refused(create(service, "two", "Second"), "Read-only file system")
        path = f"/v1/adapters/{made['guid']}"
        assert service.http.patch(path, json={"name": "uno", "mtu": 1400}).status_code == 200
        assert service.http.delete(path).status_code == 200
        remount(small_disk, "rw")
        assert create(service, "two", "Second").status_code == 201


def test_a_directory_that_became_a_file(tmp_path: Path) -> None:
    """Where the data directory was, nothing can be written; the refusal says so."""
    data = tmp_path / "data"
    with on_linux(data) as service:
        assert create(service, "one", "First").status_code == 201
        shutil.rmtree(data)
        data.write_text("")
        assert_refused(create(service, "two", "Second"), "The adapter was not created")
        assert names(service) == ["one"]


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    """It is made again, with all pools that are known."""
    data = tmp_path / "data"
    with on_linux(data) as service:
        assert create(service, "one", "First").status_code == 201
        shutil.rmtree(data)
        assert create(service, "two", "Second").status_code == 201
        assert json.loads((data / "pools.json").read_text()) == ["First", "Second"]


def test_an_adapter_of_a_new_pool_is_not_opened(small_disk: Path) -> None:
    """Opening needs the pool on the disk as well, and leaves nothing open where it is not."""
    with namespace():
        first, second = small_disk / "first", small_disk / "second"
        with running(first, driver="linux", data_dir=first) as service:
            assert create(service, "one", "First").status_code == 201
        with running(second, driver="linux", data_dir=second) as service:
            filler = fill(small_disk)
            body = {"name": "one", "pool": "First"}
            refused = service.http.post("/v1/adapters/open", json=body)
            assert_refused(refused, "The adapter was not opened")
            assert [one["managed"] for one in service.http.get("/v1/adapters").json()] == [False]
            filler.unlink()
            assert service.http.post("/v1/adapters/open", json=body).status_code == 200
            assert json.loads((second / "pools.json").read_text()) == ["First"]


def test_creations_at_once(small_disk: Path) -> None:
    """Of adapters that are asked for at once on a full disk none is made, and later all are."""
    data = small_disk / "data"
    with on_linux(data) as service, ThreadPoolExecutor(6) as threads:
        filler = fill(small_disk)

        def ask(number: int) -> int:
            return create(service, f"a{number}", f"Pool {number}").status_code

        assert list(threads.map(ask, range(6))) == [503] * 6
        assert names(service) == []
        filler.unlink()
        assert list(threads.map(ask, range(6))) == [201] * 6
        stored = json.loads((data / "pools.json").read_text())
        assert stored == [f"Pool {number}" for number in range(6)]


def test_a_deleted_pool_is_forgotten(tmp_path: Path) -> None:
    """The deletion of a pool makes room for another one, now and in the file."""
    data = tmp_path / "data"
    with on_linux(data) as service:
        assert create(service, "one", "First").status_code == 201
        assert service.http.delete("/v1/pools/First").status_code == 200
        assert json.loads((data / "pools.json").read_text()) == []
        assert create(service, "one", "First").status_code == 201
        assert json.loads((data / "pools.json").read_text()) == ["First"]


def test_the_emulated_state_on_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    """A change that the state file cannot take is refused by name and number, and is not made."""
    state = small_disk / "state.json"
    with running(tmp_path, emulated_state=state) as service:
        made = create(service, "one", "First").json()
        filler = fill(small_disk)
        path = f"/v1/adapters/{made['guid']}"
        for answer in (
            create(service, "two", "Second"),
            create(service, "two", "First", addresses=["10.6.7.7/24"]),
            service.http.patch(path, json={"mtu": 1300}),
            service.http.patch(path, json={"name": "uno"}),
            service.http.delete(path),
            service.http.delete("/v1/pools/First"),
        ):
            assert answer.status_code == 502, answer.text
            assert answer.json()["win32_code"] == 112
            assert "No space left on device" in answer.text
        shown = service.http.get(path).json()
        assert names(service) == ["one"]
    with running(tmp_path, emulated_state=state) as service:
        again = service.http.get(path).json()
        assert (again["name"], again["mtu"]) == (shown["name"], shown["mtu"]) == ("one", 65535)
        filler.unlink()
        assert service.http.patch(path, json={"name": "uno"}).status_code == 200
        assert create(service, "two", "Second").status_code == 201
    with running(tmp_path, emulated_state=state) as service:
        assert sorted(names(service)) == ["two", "uno"]
