"""Find wintun.dll and decide from the file, without loading it, whether it may be loaded.

A file may be loaded if it is for this process's machine type, exports all functions of one
generation, and is verified: its SHA-256 is that of a release, or Windows trusts its signature by
WireGuard LLC.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wintun_api.drivers.base import Unavailable, UnavailableReason
from wintun_api.drivers.windows.held import hold
from wintun_api.drivers.windows.image import Image, parse_image, process_machine
from wintun_api.drivers.windows.signature import (
    TRUST_E_BAD_DIGEST,
    UNSIGNED,
    Signature,
    read_signature,
)
from wintun_api.drivers.wintun.abi import Generation, generation_of
from wintun_api.drivers.wintun.releases import KNOWN, SIGNER, Release, download_hint

NAME = "wintun.dll"
OWN_BUILD = "If it is your own build, start with --allow-unverified-dll."


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Describe a file that could be loaded.

    Attributes:
        path: Its absolute path, on Windows the final one without links.
        sha256: SHA-256 of the whole file, hexadecimal.
        image: The content of its headers; None if it is not a Windows library.
        release: The release it belongs to; None if the hash is not in the table.
        signature: Windows' judgement of its signature; None off Windows.
    """

    path: Path
    sha256: str
    image: Image | None
    release: Release | None
    signature: Signature | None

    @property
    def generation(self) -> Generation | None:
        """The generation of its functions; None if it is neither."""
        return generation_of(self.image.exports) if self.image is not None else None

    @property
    def verified(self) -> bool:
        """Whether WireGuard LLC published it."""
        return self.release is not None or (
            self.signature is not None
            and self.signature.trusted
            and self.signature.signer == SIGNER
        )


def candidates(given: Path | None, data_dir: Path | None) -> tuple[Path, ...]:
    """Return where to look: only at a given path; else beside the program, then in the data.

    PATH and the working directory are never searched, because any user may have put a file there.
    """
    if given is not None:
        return (given,)
    beside = Path(sys.executable).with_name(NAME)
    return (beside,) if data_dir is None else (beside, data_dir.absolute() / NAME)


def find(paths: Sequence[Path]) -> Path | None:
    """Return the first of the paths that is a file; a relative one never is."""
    return next((path for path in paths if path.is_absolute() and path.is_file()), None)


@contextmanager
def held(path: Path) -> Iterator[Supply]:
    """Read and check a file, which cannot change until the end.

    Raises:
        OSError: It cannot be read.
    """
    with hold(path) as file:
        sha256 = hashlib.sha256(file.content).hexdigest()
        try:
            image = parse_image(file.content)
        except ValueError:
            image = None
        signature = None if image is None else read_signature(file.path, file.handle)
        yield Supply(
            path=file.path,
            sha256=sha256,
            image=image,
            release=KNOWN.get(sha256),
            signature=signature,
        )


def not_found(paths: Sequence[Path]) -> Unavailable:
    """Report which places were searched and where to get the file."""
    machine = process_machine()
    relative = [path for path in paths if not path.is_absolute()]
    if relative:
        message = f"{relative[0]} is not an absolute path; Windows would search PATH for it."
    else:
        message = f"wintun.dll was not found; looked for {', '.join(map(str, paths))}."
    place = next((path for path in reversed(paths) if path.is_absolute()), None)
    return Unavailable(
        reason=UnavailableReason.LIBRARY_NOT_FOUND,
        message=message,
        hint=download_hint(machine, place),
    )


def unreadable(path: Path, error: OSError) -> Unavailable:
    """Report that the file cannot be read."""
    return Unavailable(
        reason=UnavailableReason.LIBRARY_UNUSABLE,
        message=f"{path} cannot be read: {error.strerror or error}.",
        hint="Allow the service's account to read it, and make sure that no program is writing it.",
    )


def judge(supply: Supply, machine: str | None, *, allow_unverified: bool) -> Unavailable | None:
    """Return why a process of this machine type must not load the file, or None."""
    return _judge_image(supply, machine) or (
        None if allow_unverified or supply.verified else _judge_origin(supply, machine)
    )


def _judge_image(supply: Supply, machine: str | None) -> Unavailable | None:
    image, path = supply.image, supply.path
    if image is None:
        return Unavailable(
            reason=UnavailableReason.LIBRARY_UNUSABLE,
            message=f"{path} is not a Windows library.",
            hint=download_hint(machine),
        )
    if machine is not None and image.machine != machine:
        return Unavailable(
            reason=UnavailableReason.WRONG_ARCHITECTURE,
            message=f"{path} is for {image.machine}, but this process is {machine}.",
            hint=download_hint(machine),
        )
    if supply.generation is None:
        return Unavailable(
            reason=UnavailableReason.LIBRARY_UNUSABLE,
            message=f"{path} exports neither the 18 functions of wintun.dll 0.9 to 0.13 "
            "nor the 14 of 0.14.",
            hint=download_hint(machine),
        )
    return None


def _judge_origin(supply: Supply, machine: str | None) -> Unavailable:
    path, signature = supply.path, supply.signature
    if signature is None:
        reason = UnavailableReason.LIBRARY_UNVERIFIED
        message = f"The SHA-256 of {path}, {supply.sha256}, does not match any known release."
    elif signature.status == TRUST_E_BAD_DIGEST:
        reason = UnavailableReason.LIBRARY_TAMPERED
        message = f"{path} was changed after it was signed."
    elif signature.status in UNSIGNED:
        reason = UnavailableReason.LIBRARY_UNSIGNED
        message = f"{path} is not signed, and its SHA-256 does not match any known release."
    elif signature.trusted:
        reason = UnavailableReason.UNTRUSTED_SIGNER
        message = f"{path} was signed by {signature.signer}, not by {SIGNER}."
    else:
        reason = UnavailableReason.LIBRARY_UNVERIFIED
        message = (
            f"Windows does not trust the signature of {path} by "
            f"{signature.signer or 'an unknown signer'} ({signature.status:#010x}), and its "
            "SHA-256 does not match any known release."
        )
    hint = download_hint(machine)
    if reason is not UnavailableReason.LIBRARY_TAMPERED:
        hint = f"{hint} {OWN_BUILD}"
    return Unavailable(reason=reason, message=message, hint=hint)
