"""Podman, with the base of the images that the tests build."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.container.image import Podman, make_base
from tests.needs import need


@pytest.fixture(scope="session")
def based(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """Podman with the base of images."""
    need("podman", "crun", "mmdebstrap", "unshare")
    folder = tmp_path_factory.mktemp("podman")
    podman = Podman(folder)
    try:
        make_base(podman, folder)
        yield podman
    finally:
        podman.close()
