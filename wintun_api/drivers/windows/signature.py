"""Check whether Windows trusts the Authenticode signature of a file, and who signed it.

The name is that of the certificate which WinVerifyTrust itself checked (wintrust.h:
WTHelperGetProvSignerFromChain), not of the first one that the file happens to carry. Revocation
lists are not fetched: a service must start without a network.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import POINTER, byref, c_int32, c_uint32, c_void_p, c_wchar_p, sizeof
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from wintun_api.drivers.windows.binding import Functions, load_system
from wintun_api.drivers.windows.foreign import BOOL, DWORD, Check, Guid, Prototype

# winerror.h
TRUSTED = 0
TRUST_E_PROVIDER_UNKNOWN = 0x800B0001
TRUST_E_SUBJECT_FORM_UNKNOWN = 0x800B0003
TRUST_E_NOSIGNATURE = 0x800B0100
TRUST_E_BAD_DIGEST = 0x80096010
UNSIGNED = (TRUST_E_NOSIGNATURE, TRUST_E_SUBJECT_FORM_UNKNOWN, TRUST_E_PROVIDER_UNKNOWN)

# wintrust.h
WTD_UI_NONE = 2
WTD_REVOKE_NONE = 0
WTD_CHOICE_FILE = 1
WTD_STATEACTION_VERIFY = 1
WTD_STATEACTION_CLOSE = 2
WTD_REVOCATION_CHECK_NONE = 0x10
WINTRUST_ACTION_GENERIC_VERIFY_V2 = UUID("00aac56b-cd44-11d0-8cc2-00c04fc295ee")
CERT_NAME_SIMPLE_DISPLAY_TYPE = 4
NO_WINDOW = c_void_p(-1)  # INVALID_HANDLE_VALUE: never show a window


@dataclass(frozen=True, slots=True)
class Signature:
    """Hold Windows' judgement of a file's signature.

    Attributes:
        status: 0 if the digest and the whole chain are valid, else a number of winerror.h.
        signer: The name in the signer's certificate, if it could be read.
    """

    status: int
    signer: str | None

    @property
    def trusted(self) -> bool:
        """Whether the file is unchanged since it was signed, and Windows trusts the signer."""
        return self.status == TRUSTED


class FileInfo(ctypes.Structure):
    """WINTRUST_FILE_INFO."""

    _fields_ = (
        ("cbStruct", c_uint32),
        ("pcwszFilePath", c_wchar_p),
        ("hFile", c_void_p),
        ("pgKnownSubject", c_void_p),
    )


class TrustData(ctypes.Structure):
    """WINTRUST_DATA."""

    _fields_ = (
        ("cbStruct", c_uint32),
        ("pPolicyCallbackData", c_void_p),
        ("pSIPClientData", c_void_p),
        ("dwUIChoice", c_uint32),
        ("fdwRevocationChecks", c_uint32),
        ("dwUnionChoice", c_uint32),
        ("pFile", POINTER(FileInfo)),
        ("dwStateAction", c_uint32),
        ("hWVTStateData", c_void_p),
        ("pwszURLReference", c_void_p),
        ("dwProvFlags", c_uint32),
        ("dwUIContext", c_uint32),
        ("pSignatureSettings", c_void_p),
    )


class ProviderCertificate(ctypes.Structure):
    """The head of CRYPT_PROVIDER_CERT; more follows."""

    _fields_ = (("cbStruct", c_uint32), ("pCert", c_void_p))


_DATA, _CERT = POINTER(TrustData), POINTER(ProviderCertificate)
WINTRUST_PROTOTYPES = (
    Prototype("WinVerifyTrust", c_int32, (c_void_p, POINTER(Guid), _DATA), Check.NONE),
    Prototype("WTHelperProvDataFromStateData", c_void_p, (c_void_p,), Check.NONE),
    Prototype(
        "WTHelperGetProvSignerFromChain", c_void_p, (c_void_p, DWORD, BOOL, DWORD), Check.NONE
    ),
    Prototype("WTHelperGetProvCertFromChain", _CERT, (c_void_p, DWORD), Check.NONE),
)
CRYPT32_PROTOTYPES = (
    Prototype(
        "CertGetNameStringW",
        DWORD,
        (c_void_p, DWORD, DWORD, c_void_p, c_void_p, DWORD),
        Check.NONE,
    ),
)


def read_signature(path: Path, handle: int) -> Signature | None:
    """Ask Windows about an open file; None off Windows.

    Args:
        path: The file's name.
        handle: The file, open for reading; its content is checked.
    """
    if sys.platform == "win32":
        return _ask(path, handle)
    else:  # noqa: RET505  the type checker needs the branch
        return None


def _ask(path: Path, handle: int) -> Signature:
    wintrust = load_system("wintrust.dll", WINTRUST_PROTOTYPES)
    file = FileInfo(sizeof(FileInfo), str(path), handle, None)
    data = TrustData(
        cbStruct=sizeof(TrustData),
        dwUIChoice=WTD_UI_NONE,
        fdwRevocationChecks=WTD_REVOKE_NONE,
        dwUnionChoice=WTD_CHOICE_FILE,
        pFile=ctypes.pointer(file),
        dwStateAction=WTD_STATEACTION_VERIFY,
        dwProvFlags=WTD_REVOCATION_CHECK_NONE,
    )
    action = Guid.of(WINTRUST_ACTION_GENERIC_VERIFY_V2)
    verify = wintrust["WinVerifyTrust"]
    status = verify(NO_WINDOW, byref(action), byref(data)) & 0xFFFFFFFF
    try:
        return Signature(status, _signer(wintrust, data.hWVTStateData))
    finally:
        data.dwStateAction = WTD_STATEACTION_CLOSE
        verify(NO_WINDOW, byref(action), byref(data))


def _signer(wintrust: Functions, state: int | None) -> str | None:
    provider = wintrust["WTHelperProvDataFromStateData"](state) if state else None
    signer = provider and wintrust["WTHelperGetProvSignerFromChain"](provider, 0, False, 0)
    certificate = signer and wintrust["WTHelperGetProvCertFromChain"](signer, 0)
    if not certificate:
        return None
    get_name = load_system("crypt32.dll", CRYPT32_PROTOTYPES)["CertGetNameStringW"]
    context = certificate.contents.pCert
    size = get_name(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, None, None, 0)
    name = ctypes.create_unicode_buffer(size)
    get_name(context, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, None, name, size)
    return name.value or None
