"""The service in a user namespace that does not own the network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cli.commands import COMMAND, environment
from tests.cli.conftest import Start
from tests.drivers.linux.user_namespaces import user_namespaces

pytestmark = user_namespaces

LINUX = ("--driver", "linux", "--port", "0")


def test_every_way_to_ask_names_the_reason(start: Start) -> None:
    """GET /v1/driver and a creation name the network; neither says to run elevated."""
    program = start("serve", *LINUX, within=("unshare", "-Ur"))
    url = program.wait_for_url()
    assert "does not own its network namespace" in program.stderr
    token = program.wait_for(r"token file: ([^)]+)")[1]
    headers = {"Authorization": f"Bearer {Path(token).read_text().strip()}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False) as http:
        system = http.get("/v1/system").json()
        assert system["unavailable"]["reason"] == "network_not_owned"
        assert system["elevated"] is False
        found = http.get("/v1/driver").json()["unavailable"]
        assert "CAP_NET_ADMIN" in found["message"]
        assert "unshare -Urn" in found["hint"]
        refused = http.post("/v1/adapters", json={"name": "A1"})
        assert refused.status_code in (403, 503)
        problem = refused.json()
        assert "does not own its network namespace" in problem["detail"]
        assert "unshare -Urn" in problem["hint"]
        assert "elevated" not in json.dumps(problem)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("flags", "outcome"), [(("-Ur",), "fail"), (("-U",), "fail"), (("-Urn",), "ok")]
)
def test_doctor(tmp_path: Path, flags: tuple[str, ...], outcome: str) -> None:
    """Doctor fails where an adapter could not be made, and is content where it could."""
    done = subprocess.run(
        ["unshare", *flags, *COMMAND, "doctor", "--json", *LINUX],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert checks["CAP_NET_ADMIN"]["outcome"] == outcome
    if outcome == "fail":
        assert checks["driver"]["outcome"] == "fail"
        assert "namespace" in checks["driver"]["detail"]
        assert "unshare -Urn" in checks["driver"]["hint"]
