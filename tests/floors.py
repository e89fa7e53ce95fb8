"""The floor of every part of the package: a module imports its own floor or a lower one."""

from __future__ import annotations

FLOORS = {
    "errors": 0,
    "paste": 0,
    "settings": 0,
    "declaration": 0,
    "configuration": 0,
    "choices": 0,
    "limits": 0,
    "files": 0,
    "guide": 0,
    "packet": 1,
    "wire": 1,
    "capture": 1,
    "schemas": 1,
    "drivers": 2,
    "hub": 3,
    "api": 4,
    "webui": 4,
    "cli": 5,
    "__main__": 5,
}
