"""A plugin of pytest: the tests use the extension that `SPEEDUPS_LIBRARY` names."""

from __future__ import annotations

import os
import sys

import wintun_api
from tests.speedups.arguments import load
from tests.speedups.building import VARIABLE
from wintun_api import native

module = load(os.environ[VARIABLE])
sys.modules[native.MODULE] = module
wintun_api.speedups = module  # type: ignore[attr-defined]
assert native.speedups() is module, native.absence()
