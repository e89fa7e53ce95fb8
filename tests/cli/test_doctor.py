"""`wintun-api doctor`."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.cli.commands import FREE, doctor, invoke
from tests.libpcap import need_libpcap
from tests.running import TOKEN, RunningService
from wintun_api.capture.filters import binding
from wintun_api.capture.filters.binding import INSTALL, version
from wintun_api.errors import FilterUnavailable


def test_all_is_well(tmp_path: Path) -> None:
    """Where the service could run nothing fails."""
    code, checks = doctor(tmp_path, *FREE)
    assert code == 0
    assert {"python", "platform", "event loop", "driver", "data", "token", "port"} <= set(checks)


def test_it_changes_nothing(tmp_path: Path) -> None:
    """No directory, no token is made."""
    doctor(tmp_path / "data", *FREE)
    assert not (tmp_path / "data").exists()


def test_table(tmp_path: Path) -> None:
    """For people it is a table, with what to do below."""
    name = "linux" if sys.platform == "win32" else "wintun"
    result = invoke("doctor", "--driver", name, *FREE, WINTUN_API_DATA_DIR=str(tmp_path))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.split()[:2] == ["driver", "fail"] for line in lines)
    assert any(line.startswith("driver: ") for line in lines)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /dev/net/tun")
def test_linux(tmp_path: Path) -> None:
    """On Linux the device and the capability are looked at by themselves."""
    code, checks = doctor(tmp_path, "--driver", "linux", *FREE)
    singles = {checks["tun device"]["outcome"], checks["CAP_NET_ADMIN"]["outcome"]}
    assert (code == 0) == (checks["driver"]["outcome"] == "ok")
    assert code == 1 or singles == {"ok"}


def test_running_service(service: RunningService, tmp_path: Path) -> None:
    """A service that runs on the port is no failure: its version and adapters are shown."""
    service.adapter(name="OfficeNet")
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    code, checks = doctor(tmp_path, "--port", str(service.port))
    assert code == 0
    assert service.url in checks["port"]["detail"]
    assert checks["service"]["outcome"] == "ok"
    assert checks["adapters"]["detail"] == "OfficeNet"


def test_running_service_with_another_token(service: RunningService, tmp_path: Path) -> None:
    """A token that the running service does not know is a warning."""
    code, checks = doctor(tmp_path, "--port", str(service.port))
    assert (code, checks["service"]["outcome"]) == (0, "warn")
    assert "401" in checks["service"]["detail"]


def test_port_of_another_program(tmp_path: Path) -> None:
    """A port that another program has is a failure."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, checks = doctor(tmp_path, "--port", str(taken.getsockname()[1]))
    assert (code, checks["port"]["outcome"]) == (1, "fail")
    assert "--port" in checks["port"]["hint"]


def test_foreign_address(tmp_path: Path) -> None:
    """An address that is not this machine's is a failure."""
    code, checks = doctor(tmp_path, "--host", "192.0.2.1", *FREE)
    assert (code, checks["port"]["outcome"]) == (1, "fail")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_open_token_file(tmp_path: Path) -> None:
    """A token file that others can read is a warning."""
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o644)
    code, checks = doctor(tmp_path, *FREE)
    assert (code, checks["token"]["outcome"]) == (0, "warn")
    assert "secret" not in str(checks)


def test_empty_token_file(tmp_path: Path) -> None:
    """An empty token file is a failure: the service would not start."""
    (tmp_path / "token").write_text("")
    assert doctor(tmp_path, *FREE)[1]["token"]["outcome"] == "fail"


def test_data_dir_that_is_none(tmp_path: Path) -> None:
    """A data directory below a file is a failure."""
    (tmp_path / "file").write_text("")
    checks = doctor(tmp_path, "--data-dir", str(tmp_path / "file" / "data"), *FREE)[1]
    assert checks["data"]["outcome"] == "fail"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs a directory it may not write"
)
def test_data_dir_that_is_closed(tmp_path: Path) -> None:
    """A data directory that may not be written is a failure."""
    tmp_path.chmod(0o500)
    checks = doctor(tmp_path, *FREE)[1]
    tmp_path.chmod(0o700)
    assert checks["data"]["outcome"] == "fail"


def test_bad_settings(tmp_path: Path) -> None:
    """Wrong settings are a sentence and exit code 2."""
    result = invoke("doctor", "--port", "99999")
    assert result.exit_code == 2
    assert result.stderr.startswith("--port must be at most 65535.\n")


def test_bad_certificate(tmp_path: Path) -> None:
    """A certificate that cannot be used is a failure: the service would not start."""
    missing = str(tmp_path / "none.pem")
    code, checks = doctor(tmp_path, *FREE, WINTUN_API_TLS_CERTIFICATE=missing)
    assert (code, checks["tls"]["outcome"]) == (1, "fail")


def test_state_file_of_something_else(tmp_path: Path) -> None:
    """A driver that cannot even be opened is a failure with its sentence."""
    (tmp_path / "state").write_text("no state")
    state = str(tmp_path / "state")
    code, checks = doctor(tmp_path, *FREE, WINTUN_API_EMULATED_STATE=state)
    assert (code, checks["driver"]["outcome"]) == (1, "fail")


def test_filters(tmp_path: Path) -> None:
    """A row says which libpcap compiles filters."""
    need_libpcap()
    _, checks = doctor(tmp_path, *FREE)
    assert checks["filters"]["outcome"] == "ok"
    assert checks["filters"]["detail"] == f"libpcap {version()}"


def test_no_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libpcap the service can run, and the row says what to install."""
    missing = FilterUnavailable("Filters need libpcap, which is not installed.", hint=INSTALL)
    monkeypatch.setattr(binding, "loaded", lambda: missing)
    code, checks = doctor(tmp_path, *FREE)
    assert (code, checks["filters"]["outcome"]) == (0, "warn")
    assert "wintun-api[filter]" in checks["filters"]["hint"]
