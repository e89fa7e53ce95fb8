"""The errors of the client in the words of the command line: its arguments are options here."""

from __future__ import annotations

from typing import Final, NoReturn

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.cli.setting_options import refuse_settings
from wintun_api.client.location import plain
from wintun_api.client.problems import CredentialError, ServiceUnreachable
from wintun_api.errors import InvalidSettings
from wintun_api.files import UntrustedFile

_OPTIONS: Final = {
    "the argument `token`": "--token",
    "Give the file as `token_file`, or the token as `token` or in the variable": "Give the file "
    "with --token-file, or the token in the variable",
}

START: Final = (
    "Start the service with wintun-api serve, or try it with wintun-api demo. If it runs at "
    "another address, give that with --url."
)
_PRINTED: Final = "Give the address that the service printed when it started with --url."
# By the kind of the error; the others' hints need no other words.
_UNREACHABLE: Final = {
    "refused": START,
    "silent": "If that is the service, it hangs: look at its log and start it again. Otherwise "
    "give the service's own address with --url.",
    "redirect": "If the service is there, give that address: --url {better}",
    "between": _PRINTED,
    "other": _PRINTED,
    "tls": "Give the address with https: --url {better}",
    "plain": "Give the address with http: --url {better}",
    "certificate": "Give the certificate, or that of the authority that signed it, with the "
    "variable SSL_CERT_FILE; and use a name in --url that the certificate has.",
    "unknown-host": "Correct the name in --url.",
}


def in_options(sentence: str) -> str:
    """Return a sentence of the client with the options that its arguments have here."""
    for words, option in _OPTIONS.items():
        sentence = sentence.replace(words, option)
    return sentence


def refuse_address(error: ServiceUnreachable, url: str) -> NoReturn:
    """End the command because what --url says is not an address."""
    fail(
        f"--url: {error.detail.rpartition('service: ')[2]}",
        f"Write the address as http://127.0.0.1:9886, not {url}.",
        code=ExitCode.USAGE,
    )


def refuse_credential(error: CredentialError) -> NoReturn:
    """End the command with what is wrong with the token."""
    if isinstance(error.__cause__, InvalidSettings | UntrustedFile):
        refuse_settings(error.__cause__)
    fail(in_options(error.detail), in_options(error.hint), code=ExitCode.REFUSED)


def cause_of(error: ServiceUnreachable) -> str:
    """Return why a connection broke, in the words of the network where there are some."""
    cause = error.__cause__
    return plain(cause) if isinstance(cause, Exception) else error.detail.rstrip(".")


def broke_off(what: str, error: ServiceUnreachable) -> NoReturn:
    """End the command because the connection broke in the middle of a capture or a download."""
    fail(
        f"The {what} broke off: {cause_of(error)}.",
        "See whether the service still runs with: wintun-api status",
        code=ExitCode.NOT_REACHABLE,
    )


def unreachable(error: ServiceUnreachable) -> NoReturn:
    """End the command with what is at the address instead of the service."""
    hint = _UNREACHABLE.get(error.kind, error.hint).format(better=error.better)
    fail(error.detail, hint, code=ExitCode.NOT_REACHABLE)
