"""Where Wireshark looks, as its versions say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture import tshark
from wintun_api.extcap.folders import find, read, usual

OLD = (
    "Temp:                \t/tmp\nPersonal configuration:\t/home/u/.config/wireshark\n"
    "Extcap path:         \t/usr/lib/wireshark/extcap\n"
)
NEW = (
    "Personal configuration:\t/home/u/.config/wireshark\n"
    "Personal Extcap path:\t/home/u/.local/lib/wireshark/extcap\n"
    "Global Extcap path:  \t/usr/libexec/wireshark/extcap\n"
)


@pytest.mark.parametrize(
    ("said", "user", "system"),
    [
        (OLD, "/home/u/.config/wireshark/extcap", "/usr/lib/wireshark/extcap"),
        (NEW, "/home/u/.local/lib/wireshark/extcap", "/usr/libexec/wireshark/extcap"),
    ],
)
def test_versions(said: str, user: str, system: str) -> None:
    """Versions before 4.2 have the user's folder beside the settings; later ones name it."""
    folders = read(said, "tshark", {})
    assert (folders.user, folders.system) == (Path(user), Path(system))


def test_no_wireshark(tmp_path: Path) -> None:
    """Where none is installed, this user's folder of current versions is taken."""
    folders = find({"PATH": str(tmp_path)})
    assert (folders.user, folders.system, folders.asked) == (usual({}), None, None)


def test_a_program_that_fails(tmp_path: Path) -> None:
    """A program that says nothing is as good as none."""
    fake = tmp_path / "tshark"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    assert find({"PATH": str(tmp_path)}).asked is None


@tshark.needs_tshark
def test_the_real_one() -> None:
    """The installed tshark names a folder for all users."""
    folders = find()
    assert folders.asked == tshark.TSHARK
    assert folders.system is not None
    assert folders.system.name == "extcap"
