"""The environment variables of this program; a misspelt one is refused, as a misspelt key is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from wintun_api.declaration import PREFIX
from wintun_api.errors import InvalidSettings
from wintun_api.settings import Settings

CONFIG = f"{PREFIX}CONFIG"
URL = f"{PREFIX}URL"
TOKEN = f"{PREFIX}TOKEN"
BUILD_NATIVE = f"{PREFIX}BUILD_NATIVE"  # of the installation: .build_extension.py
# What is not a setting; every setting has one more.
OWN = frozenset({CONFIG, URL, TOKEN, BUILD_NATIVE})

# Where the service is if neither a variable nor an argument says it.
DEFAULT_URL = "http://{host.default}:{port.default}".format(**Settings.declared())

# Kubernetes and Docker set these in every container beside a service that is named wintun-api.
_OF_SERVICES = re.compile(rf"{PREFIX}(SERVICE_(HOST|PORT(_\w+)?)|(PORT_\d+_(TCP|UDP)(_\w+)?)|NAME)")


def check_variables(environment: Mapping[str, str] | None = None) -> None:
    """Refuse a variable of this program with a name that nothing reads.

    A variable without a value is checked too: its name shows what was meant.

    Raises:
        InvalidSettings: There is one, or several; the sentence names all of them.
    """
    names = os.environ if environment is None else environment
    known = OWN | {one.variable for one in Settings.declared().values()}
    unknown = sorted(name for name in _others(names) if name.upper() not in known)
    if unknown:
        error = InvalidSettings(" ".join(_sentence(name, known) for name in unknown))
        its, it = ("its name", "it") if len(unknown) == 1 else ("their names", "them")
        error.hint = f"Correct {its}, or remove {it}: wintun-api serve --help names every variable."
        raise error


def _others(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if name.upper().startswith(PREFIX)
        and name.upper() not in OWN
        and not _OF_SERVICES.fullmatch(name.upper())
    ]


def _sentence(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.8)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"The environment variable {name} is not known.{meant}"
