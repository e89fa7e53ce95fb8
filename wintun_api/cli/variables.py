"""The environment variables of this program; a misspelt one is refused, as a misspelt key is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.declaration import PREFIX
from wintun_api.settings import Settings

CONFIG = f"{PREFIX}CONFIG"
URL = f"{PREFIX}URL"
TOKEN = f"{PREFIX}TOKEN"
OWN = frozenset({CONFIG, URL, TOKEN})  # of the command line; every setting has one more

# Kubernetes and Docker set these in every container beside a service that is named wintun-api.
_OF_SERVICES = re.compile(rf"{PREFIX}(SERVICE_(HOST|PORT(_\w+)?)|(PORT_\d+_(TCP|UDP)(_\w+)?)|NAME)")


def check_variables(environment: Mapping[str, str] | None = None) -> None:
    """End the command where a variable of this program has a name that nothing reads.

    A variable without a value is checked too: its name shows what was meant.
    """
    names = os.environ if environment is None else environment
    known = OWN | {one.variable for one in Settings.declared().values()}
    unknown = sorted(name for name in _others(names) if name.upper() not in known)
    if unknown:
        sentences = [_sentence(name, known) for name in unknown]
        fail(
            " ".join(sentences),
            "Correct its name, or remove it: wintun-api serve --help names every variable."
            if len(unknown) == 1
            else "Correct their names, or remove them: wintun-api serve --help names every "
            "variable.",
            code=ExitCode.USAGE,
        )


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
