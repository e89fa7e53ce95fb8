"""Certificates for tests, made by openssl."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

from tests.needs import leave_out, need
from tests.running import any_certificate


def make_certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for these names; return its file and that of its key."""
    if sys.platform == "win32":
        leave_out("the Windows rig has no openssl")
    need("openssl")
    folder.mkdir(exist_ok=True)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    alternatives = ",".join(f"DNS:{name}" for name in names or ("localhost",))
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", f"subjectAltName={alternatives},IP:127.0.0.1,IP:::1"),
            *("-keyout", key, "-out", certificate),
        ],
        capture_output=True,
        check=True,
    )
    return certificate, key


def shown_at(port: int) -> str:
    """Return the certificate that a new TLS connection is shown, as PEM."""
    context = any_certificate()
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain) as connection,
    ):
        found = connection.getpeercert(binary_form=True)
    assert found is not None
    return ssl.DER_cert_to_PEM_cert(found)
