"""The file of settings is believed only where no other user could have written it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.commands import invoke, run
from tests.needs import leave_out
from wintun_api.config_file import check_config
from wintun_api.files import UntrustedFile

if sys.platform == "win32":
    leave_out("asks for modes and owners of Unix", module=True)
assert sys.platform != "win32"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")


def config(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text("port = 9")
    path.chmod(0o644)
    return path


def test_an_own_file_is_used(tmp_path: Path) -> None:
    """A file of the service's user that others may read is believed."""
    check_config(config(tmp_path))


def test_a_missing_file_is_left_to_the_reader(tmp_path: Path) -> None:
    """Reading it says what is missing."""
    check_config(tmp_path / "none")


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """A sentence names the file, and the command exits with 2."""
    path = config(tmp_path)
    path.chmod(0o666)
    result = invoke("serve", "--config", str(path))
    assert result.exit_code == 2
    assert f"Every user may write the configuration file {path}." in result.stderr


@needs_root
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    """Another user's file is not believed, unless that user called sudo."""
    path = config(tmp_path)
    os.chown(path, 65534, 65534)
    with pytest.raises(UntrustedFile, match="belongs to another user"):
        check_config(path)


@needs_root
def test_root_may_use_a_file_of_the_user_who_called_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sudo wintun-api serve --config mine.toml` works."""
    path = config(tmp_path)
    os.chown(path, 65534, 65534)
    monkeypatch.setenv("SUDO_UID", "65534")
    check_config(path)


@pytest.mark.thorough
@pytest.mark.parametrize("flag", ["--config", "--emulated-state", "--tls-certificate"])
def test_a_fifo_is_refused_at_once(tmp_path: Path, flag: str) -> None:
    """A FIFO is not waited for: the start ends with a sentence and exit code 2."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = run(tmp_path, "serve", "--driver", "emulated", "--port", "0", flag, str(fifo))
    assert done.returncode == 2
    assert "not a regular file" in done.stderr
    assert "Traceback" not in done.stderr
