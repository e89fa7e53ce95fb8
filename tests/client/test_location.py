"""Where the client looks for the service and its token, and what it says if there is none."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from wintun_api.client.location import Location, from_config, locate
from wintun_api.client.problems import CredentialError, ServiceUnreachable

SECRET = "a-secret-of-the-tests-0123456789"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "TOKEN", "TOKEN_FILE", "CONFIG", "PORT", "HOST"):
        monkeypatch.delenv(f"WINTUN_API_{name}", raising=False)
    monkeypatch.setenv("WINTUN_API_DATA_DIR", str(tmp_path / "data"))


def test_arguments_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a program gives is used, whatever the variables say."""
    monkeypatch.setenv("WINTUN_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("WINTUN_API_TOKEN", "another")
    found = locate("http://127.0.0.1:2/", token=SECRET, token_file=tmp_path / "none")
    assert (found.url, found.token) == ("http://127.0.0.1:2", SECRET)
    assert found.token_source == "the argument `token`"


def test_a_token_file_comes_before_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that the program names is used although there is a token in the environment."""
    monkeypatch.setenv("WINTUN_API_TOKEN", "another")
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\r\n")
    found = locate(token_file=str(path))
    assert (found.token, found.token_source) == (SECRET, f"the file {path}")


def test_variables_come_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the command line say where the service is."""
    monkeypatch.setenv("WINTUN_API_URL", " http://127.0.0.1:3 ")
    monkeypatch.setenv("WINTUN_API_TOKEN", SECRET)
    found = locate()
    assert (found.url, found.token) == ("http://127.0.0.1:3", SECRET)
    assert found.token_source == "the variable WINTUN_API_TOKEN"


@pytest.mark.parametrize("variable", ["WINTUN_API_DATA_DIR", "WINTUN_API_TOKEN_FILE"])
def test_the_services_own_file_is_last(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without anything else the file of the service that this user runs is read."""
    (tmp_path / "token").write_text(SECRET)
    value = tmp_path if variable.endswith("DIR") else tmp_path / "token"
    monkeypatch.setenv(variable, str(value))
    found = locate()
    assert (found.url, found.token) == ("http://127.0.0.1:9886", SECRET)


def test_the_case_of_the_scheme_says_nothing() -> None:
    """HTTPS is https: its certificate is checked."""
    found = locate("HTTPS://127.0.0.1:2", token=SECRET)
    assert found.url == "https://127.0.0.1:2"
    assert found.tls is not None
    assert found.tls.verify_mode is ssl.CERT_REQUIRED
    assert locate("Http://127.0.0.1:2", token=SECRET).url == "http://127.0.0.1:2"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:9886",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://[::1",
        "http://name:password@x",
        "http://x?token=y",
        "http://x#y",
    ],
)
def test_an_address_that_cannot_be_one(url: str) -> None:
    """It is refused in words before anything is sent."""
    with pytest.raises(ServiceUnreachable, match="is not one of a service") as caught:
        locate(url, token=SECRET)
    assert caught.value.kind == "address"


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (None, "missing", "no token file"),
        (b"", "unreadable", "is empty"),
        (b"\xff\xfe\xff", "unreadable", "Cannot read"),
        (b'"quoted"', "malformed", "quotation marks"),
        (b"two words", "malformed", "no token has"),
        ("directory", "unreadable", "Cannot read"),
    ],
)
def test_a_token_file_that_gives_no_token(
    content: bytes | str | None, kind: str, words: str, tmp_path: Path
) -> None:
    """Each way is told in a sentence that names the file, and what to do."""
    path = tmp_path / "token"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    with pytest.raises(CredentialError, match=words) as caught:
        locate(token_file=path)
    assert caught.value.kind == kind
    assert str(path) in caught.value.source
    assert caught.value.hint
    assert "--" not in str(caught.value)


def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with a name that nothing reads is not passed over."""
    monkeypatch.setenv("WINTUN_API_TOKEN_FIEL", "x")
    with pytest.raises(CredentialError, match="Did you mean WINTUN_API_TOKEN_FILE") as caught:
        locate()
    assert caught.value.kind == "settings"


def test_a_configuration_file_says_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address, the port, TLS and the token file come from the service's file."""
    monkeypatch.delenv("WINTUN_API_DATA_DIR")
    (tmp_path / "token").write_text(SECRET)
    config = tmp_path / "settings.toml"
    config.write_text(f"host = '::1'\nport = 4711\ndata_dir = '{tmp_path.as_posix()}'\n")
    config.chmod(0o600)
    found = from_config(config)
    assert (found.url, found.token, found.tls) == ("http://[::1]:4711", SECRET, None)


def test_a_configuration_file_with_tls(tmp_path: Path) -> None:
    """The certificate that it names is trusted; one that cannot be read is told."""
    certificate, key = make_certificate(tmp_path / "pair")
    config = tmp_path / "settings.toml"
    config.write_text(
        f"token_file = '{tmp_path / 'token'}'\ntls_certificate = '{certificate}'\n"
        f"tls_key = '{key}'\n"
    )
    config.chmod(0o600)
    (tmp_path / "token").write_text(SECRET)
    assert isinstance(from_config(config).tls, ssl.SSLContext)
    certificate.write_text("no certificate")
    with pytest.raises(CredentialError, match="Cannot read the certificate"):
        from_config(config)


@pytest.mark.parametrize("content", ["port = 'x'", "port", None, "prot = 1"])
def test_a_configuration_file_that_cannot_be_used(content: str | None, tmp_path: Path) -> None:
    """It is told in a sentence, not as an exception of a parser."""
    config = tmp_path / "settings.toml"
    if content is not None:
        config.write_text(content)
        config.chmod(0o600)
    with pytest.raises(CredentialError, match="settings of the service cannot be used"):
        from_config(config)


def test_a_configuration_file_without_a_fixed_port(tmp_path: Path) -> None:
    """Such a service chooses its port when it starts, so the file does not say it."""
    config = tmp_path / "settings.toml"
    config.write_text("port = 0")
    config.chmod(0o600)
    with pytest.raises(ServiceUnreachable, match="takes a free one"):
        from_config(config)


def test_the_token_is_not_in_the_representation() -> None:
    """A location in a log or a traceback does not show the secret."""
    assert SECRET not in repr(Location("http://127.0.0.1:9886", SECRET, "a test"))


def test_addresses_of_websockets() -> None:
    """The scheme follows the service's, members that are None are left out, bools are lower."""
    here = Location("http://[::1]:1", SECRET, "a test")
    assert here.websocket_url("/v1/x", {"a": None, "b": True, "c": "ü &"}) == (
        "ws://[::1]:1/v1/x?b=true&c=%C3%BC+%26"
    )
    there = Location("https://example.com/api", SECRET, "a test")
    assert there.websocket_url("/v1/x") == "wss://example.com/api/v1/x"
