"""README's two commands can be found and taken apart, as the bare machines run them."""

from __future__ import annotations

from tests.bare.__main__ import CELLS, RELEASES, commands, parts


def test_both_begin_with_an_environment_of_their_own() -> None:
    """Debian lets pip install nowhere else."""
    for command in commands():
        environment, install, run = parts(command)
        assert environment == "python3 -m venv .venv"
        assert install.startswith(".venv/bin/pip install ")
        assert run.startswith(".venv/bin/python -m ")


def test_the_cells_cover_what_differs() -> None:
    """Each release, each kind of user, with and without a TUN device, and a path with a space."""
    assert {cell.release for cell in CELLS} == set(RELEASES)
    assert {(cell.user, cell.tun) for cell in CELLS} == {
        (user, tun) for user in (False, True) for tun in (False, True)
    }
    assert any(" " in cell.place and not cell.place.isascii() for cell in CELLS)
    assert any("HOME" not in cell.variables for cell in CELLS)
