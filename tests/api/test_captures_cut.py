"""Named captures whose file becomes shorter while a client downloads it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest

from tests.attack.target import Target

MIB = 1 << 20


def client(target: Target) -> httpx.Client:
    """Return a client of the service as it runs now, as admin."""
    headers = {"Authorization": f"Bearer {target.admin}"}
    return httpx.Client(base_url=f"http://{target.authority}", headers=headers, timeout=30)


def test_a_download_that_is_cut_off(tmp_path: Path) -> None:
    """The client notices that the file is not whole, and the log has a sentence about it."""
    target = Target(tmp_path)
    try:
        target.start()
        with client(target) as http:
            capture = http.post("/v1/captures", json={}).json()["id"]
            http.post(f"/v1/captures/{capture}/stop")
        target.stop()
        folder = target.data / "captures" / capture
        row = json.loads((folder / "capture.json").read_text())
        row["files"][0]["bytes"] = 64 * MIB
        (folder / "capture.json").write_text(json.dumps(row))
        os.truncate(folder / "00001.pcapng", 64 * MIB)
        target.port = 0
        target.start()
        with client(target) as http:
            with http.stream("GET", f"/v1/captures/{capture}/files/1") as answer:
                assert answer.headers["content-length"] == str(64 * MIB)
                os.truncate(folder / "00001.pcapng", 48 * MIB)
                with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
                    answer.read()
            assert http.get("/v1/captures").status_code == 200
        target.stop()
        assert target.trouble() == {}
        assert "was cut off: it has only" in target.log.read_text()
    finally:
        target.stop()
