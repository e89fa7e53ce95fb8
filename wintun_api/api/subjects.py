"""Note what a request was about, for its line in the audit."""

from __future__ import annotations

from typing import Final

from starlette.types import Scope

SUBJECT: Final = "wintun_api.subject"  # in the scope: the list of what the request was about


def note_subject(scope: Scope, subject: str) -> None:
    """Note what a request was about if its path does not say it, such as "adapter GUID"."""
    scope[SUBJECT].append(subject)
