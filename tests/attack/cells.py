"""Who may do what: every route, method and scope, and everything that may pass for another.

What to expect comes from the security section of `openapi/openapi.json`, so a route that is added
there is attacked from then on. The WebSocket routes are added by hand.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.attack.attack import Attack
from tests.attack.raw_http import (
    Answer,
    Answers,
    Closed,
    Malformed,
    connect,
    request,
    source_address,
)
from tests.attack.raw_websocket import handshake
from tests.attack.target import Target
from wintun_api.wire import BATCH, PCAPNG, RAW

PART = "cells"
OPENAPI = Path(__file__).parents[2] / "openapi" / "openapi.json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
SCOPES = ("read", "capture", "inject", "metrics", "admin")
# What a request may be told that must not get in. Anything else is a sign that a route was reached.
# 501 is the answer to CONNECT, before anything is looked at.
OUTSIDE = {301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 414, 421, 426, 429, 431, 501}
ABSENT = "00000000-0000-4000-8000-000000000000"
# Bodies that would do something if they got in.
BODIES = {
    "/v1/tokens": {"scopes": ["admin"], "label": "stolen"},
    "/v1/adapters": {"name": "Stolen"},
    "/v1/adapters/open": {"name": "Attack"},
    "/v1/adapters/{guid}": {"name": "Renamed"},
}
STRANGERS = ("none", "unknown", "revoked", "expired")
STREAMS = ("/v1/events", "/v1/sessions/{session_id}/capture.pcapng")


@dataclass(frozen=True, slots=True)
class Cell:
    """An operation and the scopes of which it needs one; None where it is open.

    Attributes:
        template: As OpenAPI has the path.
    """

    method: str
    template: str
    scopes: frozenset[str] | None


def operations() -> list[Cell]:
    """Return what the contract says, HEAD beside every GET."""
    found = []
    for template, methods in json.loads(OPENAPI.read_text())["paths"].items():
        for method, operation in methods.items():
            if method.upper() not in METHODS:
                continue
            security = operation.get("security")
            needs = {scope for way in security or [] for scopes in way.values() for scope in scopes}
            cell = Cell(method.upper(), template, frozenset(needs) if security else None)
            found.append(cell)
            if method == "get":
                found.append(Cell("HEAD", template, cell.scopes))
    return found


@dataclass(slots=True)
class Things:
    """What paths name, and who comes.

    Attributes:
        tokens: Secrets by the scopes that they stand for, and those of STRANGERS.
    """

    guid: str
    session: str
    victim: str
    tokens: dict[str, str | None]

    def strongest_without(self, scopes: frozenset[str]) -> str:
        """Return the name of the token that has every scope but these and admin."""
        return "+".join(scope for scope in SCOPES[:4] if scope not in scopes)

    def path(self, template: str) -> str:
        """Return a path to things that exist."""
        return (
            template.replace("{guid}", self.guid)
            .replace("{session_id}", self.session)
            .replace("{token_id}", self.victim)
            .replace("{pool}", "Attacked")
        )


def run(attack: Attack) -> None:
    """Try all cells, disguises, forms of headers, and cookies."""
    with attack.target(PART) as target:
        things = _things(target)
        began = time.monotonic()
        with attack.watch(PART, target, "the cells", warm_up=lambda: _warm_up(target)):
            cells = _table(attack, target, things)
            sockets = _websockets(attack, target, things)
        with attack.watch(PART, target, "disguised paths"):
            disguised = _disguises(attack, target, things)
        with attack.watch(PART, target, "forms of Host, Origin and Sec-Fetch"):
            forms = _forms(attack, target)
        with attack.watch(PART, target, "cookies"):
            _cookies(attack, target, things)
        seconds = time.monotonic() - began
        attack.figure(
            PART,
            cells=cells + sockets,
            disguises=disguised,
            header_forms=forms,
            requests_per_second=round((cells + sockets + disguised + forms) / seconds),
        )


def _things(target: Target) -> Things:
    adapter = target.made("/v1/adapters", {"name": "Attack"})
    session = target.made("/v1/sessions", {"adapter": adapter["guid"]})
    tokens: dict[str, str | None] = {"none": None, "unknown": "x" * 43}
    for scope in SCOPES:
        tokens[scope] = target.token(scope)["token"]
    for left_out in SCOPES[:4]:
        rest = [scope for scope in SCOPES[:4] if scope != left_out]
        tokens["+".join(rest)] = target.token(*rest)["token"]
    tokens["read+capture+inject+metrics"] = target.token(*SCOPES[:4])["token"]
    revoked = target.token("admin")
    target.call("DELETE", f"/v1/tokens/{revoked['id']}")
    tokens["revoked"] = revoked["token"]
    expired = target.token("admin", expires_in=0.001)
    tokens["expired"] = expired["token"]
    victim = target.token("read", label="victim")
    return Things(adapter["guid"], session["id"], victim["id"], tokens)


def _warm_up(target: Target) -> None:
    for _ in range(200):
        target.call("GET", "/v1/adapters", token="x")


def ask(
    target: Target,
    method: str,
    path: str | bytes,
    token: str | None,
    body: Any = None,
    *,
    headers: list[tuple[str, str]] | None = None,
    host: str | None = "",
    source: str | None = None,
) -> Answer:
    """Ask with exactly these bytes; the body of a stream is not waited for."""
    given = list(headers or [])
    if token is not None:
        given.append(("Authorization", f"Bearer {token}"))
    content = b""
    if body is not None:
        given.append(("Content-Type", "application/json"))
        content = json.dumps(body).encode()
    with connect(target.port, source=source) as connection:
        connection.sendall(
            request(method, path, target.authority if host == "" else host, given, content)
        )
        answers = Answers(connection)
        answer = answers.next(head=method == "HEAD", body=False)
        kind = answer.headers.get("content-type", "")
        if answer.status == 200 and ("event-stream" in kind or "pcap" in kind):
            return answer
        length = int(answer.headers.get("content-length", "0") or 0)
        while method != "HEAD" and len(answers.held) < length and answers.more():
            pass
        return Answer(answer.status, answer.headers, answers.held[:length])


def _safely(  # noqa: PLR0917 - a request has so many parts
    attack: Attack, what: str, target: Target, method: str, path: str | bytes, token: str | None,
    body: Any = None, **more: Any,
) -> int:  # fmt: skip
    """Ask, and return the status; 0 where the connection was closed without an answer."""
    shown = f"{method} {path!r} {more.get('headers', '')}"
    try:
        answer = ask(target, method, path, token, body, **more)
    except Malformed as error:
        attack.found(PART, f"{what}: a malformed answer", f"{shown}: {error}", shown)
        return 0
    except TimeoutError:
        attack.found(PART, f"{what}: no answer within 10 s", shown, shown)
        return 0
    except (OSError, Closed, ValueError):
        return 0
    if answer.status >= 500 and answer.status not in (501, 503, 505):
        attack.found(PART, f"{what}: {answer.status}", f"{shown}: {answer.body[:300]!r}", shown)
    return answer.status


def _table(attack: Attack, target: Target, things: Things) -> int:
    known = operations()
    by_path: dict[str, dict[str, Cell]] = {}
    for cell in known:
        by_path.setdefault(cell.template, {})[cell.method] = cell
    tried = 0
    for template, methods in by_path.items():
        for method in METHODS:
            for name, token in things.tokens.items():
                tried += 1
                _cell(
                    attack, target, things, methods.get(method), method=method, template=template,
                    name=name, token=token,
                )  # fmt: skip
    _unchanged(attack, target, things, "the cells")
    return tried


def _cell(
    attack: Attack, target: Target, things: Things, cell: Cell | None, *, method: str,
    template: str, name: str, token: str | None,
) -> None:  # fmt: skip
    held = set(name.split("+"))
    stranger = name in STRANGERS
    allowed = cell is not None and (
        cell.scopes is None
        or (not stranger and (not cell.scopes or "admin" in held or bool(held & cell.scopes)))
    )
    path, body = things.path(template), BODIES.get(template, {})
    if allowed and method in ("DELETE", "POST", "PATCH"):
        # It would do what it says, so it is asked of things that do not exist, or with no sense.
        path = template.replace("{guid}", ABSENT).replace("{session_id}", "absent")
        path = path.replace("{token_id}", "absent").replace("{pool}", "Absent")
        body = {}
    if allowed and template in ("/v1/driver", "/v1/adapters/{guid}/release") and method != "GET":
        return
    if template in STREAMS and method in ("GET", "HEAD"):
        path += "?seconds=0.05" if "capture" in template else ""
    sends = method in ("POST", "PUT", "PATCH")
    # Guesses may be limited by address, so strangers come from many.
    source = source_address(attack.random(name, method, template)) if stranger else None
    status = _safely(
        attack, "the cells", target, method, path, token, body if sends else None, source=source
    )
    shown = f"{method} {template} with {name}"
    if cell is None:
        if 200 <= status < 300:
            attack.found(PART, f"an operation that the contract lacks: {method} {template}", shown)
        return
    if allowed:
        if status in (0, 401, 403):
            attack.found(PART, f"refused although allowed: {shown}", f"answered {status}", shown)
        return
    expected = {401, 429} if stranger else {403}
    if status not in expected:
        attack.found(
            PART, f"{status} instead of {min(expected)}: {shown}", "", f"{method} {path} as {name}"
        )


def _unchanged(attack: Attack, target: Target, things: Things, what: str) -> None:
    """Check that nothing was made, renamed or deleted by those who may not."""
    adapters = target.call("GET", "/v1/adapters").json()
    listed = adapters if isinstance(adapters, list) else adapters.get("adapters", [])
    names = {one["guid"].strip("{}").lower(): one["name"] for one in listed}
    if names.get(things.guid.strip("{}").lower()) != "Attack" or "Stolen" in names.values():
        attack.found(PART, f"adapters changed by {what}", str(names))
    if target.call("GET", f"/v1/sessions/{things.session}").json().get("state") != "running":
        attack.found(PART, f"the session was ended by {what}")
    labels = [one["label"] for one in _tokens(target)]
    if "stolen" in labels:
        attack.found(PART, f"a token was made by {what}")
    if "victim" not in labels:
        attack.found(PART, f"a token was revoked by {what}")


def _tokens(target: Target) -> list[dict[str, Any]]:
    answer = target.call("GET", "/v1/tokens").json()
    return answer if isinstance(answer, list) else answer.get("tokens", [])


# WebSockets


def _websockets(attack: Attack, target: Target, things: Things) -> int:
    packets = f"/v1/sessions/{things.session}/packets"
    cases: list[tuple[str, tuple[str, ...], set[str]]] = [("/v1/events", (), {"read"})]
    for protocol in (RAW, BATCH):
        cases += [
            (f"{packets}?direction={direction}", (protocol,), {"capture"})
            for direction in ("received", "injected", "both")
        ]
        cases.append((f"{packets}?direction=none", (protocol,), {"inject"}))
        cases.append((packets, (protocol,), {"capture", "inject"}))
    cases.append((packets, (PCAPNG,), {"capture"}))
    tried = 0
    for path, protocols, scopes in cases:
        for name, token in things.tokens.items():
            held = set(name.split("+"))
            stranger = name in STRANGERS
            allowed = not stranger and ("admin" in held or bool(held & scopes))
            source = source_address(attack.random(name, path)) if stranger else None
            status = _upgrade(attack, target, path, token, *protocols, source=source)
            tried += 1
            expected = {101} if allowed else {401, 429} if stranger else {403}
            if status not in expected:
                attack.found(
                    PART,
                    f"WebSocket {path.replace(things.session, 'ID')} {protocols} with {name}: "
                    f"{status} instead of {min(expected)}",
                )
    for path, scope in (("/v1/events", "read"), (packets, "capture")):
        needed = frozenset({scope, "inject"} if scope == "capture" else {scope})
        weak = "metrics" if scope == "capture" else things.strongest_without(needed)
        for disguised in disguises(path, target.authority):
            tried += 1
            status = _upgrade(attack, target, disguised, things.tokens[weak])
            # Which scope a packet socket needs depends on its query, which is read first.
            if status not in OUTSIDE | {0} and not (status == 422 and "?" in disguised):
                attack.found(
                    PART, f"WebSocket {path[:12]}: a disguise answers {status}", "", disguised
                )
    return tried


def _upgrade(
    attack: Attack,
    target: Target,
    path: str,
    token: str | None,
    *protocols: str,
    source: str | None = None,
) -> int:
    try:
        with connect(target.port, source=source) as connection:
            connection.sendall(handshake(path, target.authority, token, *protocols))
            answer = Answers(connection).next(body=False)
    except TimeoutError:
        attack.found(PART, "a handshake without an answer", path, path)
        return 0
    except (OSError, Closed):
        return 0
    except Malformed as error:
        attack.found(PART, "a handshake with a malformed answer", str(error), path)
        return 0
    if answer.status >= 500 and answer.status not in (501, 503):
        attack.found(PART, f"a handshake is answered {answer.status}", path, path)
    return answer.status


# Disguises

_ENDS = (
    "%0A", "%0a", "%0D", "%0D%0A", "%00", "%09", "%0B", "%0C", "%1C", "%1D", "%1E", "%20", "%85",
    "%C2%85", "%E2%80%A8", "%E2%80%A9", "%C2%A0", "%E2%80%8B", "%EF%BB%BF", "%AD", "%C2%AD", "%7F",
    "/", "//", "/.", "/..", "/./", "/%2e", "/%2E%2E", "%2F", "%2f%2f", "%5C", "\\", "/x/..",
    "/x/../", ";", ";x=y", ";/", "%3B", "%3Bx", "%3F", "%3Fx", "%23", "%23x", ".", ".json", "..",
    "%2E", "%2Ejson", "*", "+", ",", "~", "$", "!", "'", "%", "%%", "%0", "%zz", "%u000a", "%25",
    "%250A", "%25250A", "%2500", "%F0%9F%98%80", "%C0%80", "%C0%AF", "%FF", "%ED%A0%80", "?", "??",
    "?x", "?%0A", "?token=x", "?_method=GET", "#", "#x", "%0A%0A", "%0A/", "/%0A", "%0Ax", "x",
)  # fmt: skip
_STARTS = (
    "/", "//", "///", "/.", "/./", "/..", "/../..", "/x/..", "/x/../", "/%2e", "/%2e%2e", "/%2E/",
    "/;", "/;x", "/%2F", "%2F", "/\\", "\\", "/%5C", "/%20", "/%0A", "/%09", "/%00", "%0A", "*",
    "/noauth/health/..", "/noauth/health/../..", "/noauth/health/%2e%2e", "/noauth/health%2f..",
    "/noauth/health;", "/app.js/..", "/docs/..", "/noauth/..", "/static/..", "/index.php",
)  # fmt: skip


def disguises(path: str, authority: str) -> Iterator[str]:
    """Yield paths that a lenient reader may take for this one."""
    bare, _, query = path.partition("?")
    rest = f"?{query}" if query else ""
    for end in _ENDS:
        yield bare + end + rest
    for start in _STARTS:
        yield start + bare + rest
    parts = bare.strip("/").split("/")
    for index, part in enumerate(parts):
        for other in (
            part.upper(), part.title(), part.swapcase(), quote(part[0]) + part[1:],
            f"%{ord(part[0]):02X}{part[1:]}", f"%{ord(part[-1]):02x}".join((part[:-1], "")),
            "".join(f"%{ord(letter):02x}" for letter in part), f"%25{ord(part[0]):02x}{part[1:]}",
            f"{part}%0A", f"%0A{part}", f"{part}%20", f"%20{part}", f"{part};x", f"{part}%3B",
            f"{part}.", f"./{part}", f"x/../{part}", f"/{part}", f"{part}%00", f"{part}%09",
            f"{part}\\", part.replace("s", "%C5%BF"), part.replace("k", "%E2%84%AA"),
            part.replace("e", "%EF%BD%85"), part.replace("e", "e%CC%81"), f"*{part}",
            part[:1] + "%00" + part[1:], part[:1] + "%0A" + part[1:],
        ):  # fmt: skip
            if other != part:
                yield "/" + "/".join([*parts[:index], other, *parts[index + 1 :]]) + rest
    for slash in ("%2F", "%2f", "%5C", "\\", "//", "/./", "/%2e/", "%252F", "%C0%AF", "%EF%BC%8F"):
        yield "/" + slash.join(parts) + rest
        yield "/" + parts[0] + slash + "/".join(parts[1:]) + rest
    for scheme in ("http://", "HTTP://", "https://", "ws://", "//", "http:///", "http:"):
        yield f"{scheme}{authority}{bare}{rest}"
    yield f"http://user@{authority}{bare}{rest}"
    yield f"http://evil.example{bare}{rest}"
    yield f"{authority}{bare}{rest}"
    yield bare.lstrip("/") + rest


_METHODS = ("get", "Get", "HEAD", "head", "GET\t", "POST", "post", "PUT", "OPTIONS", "TRACE",
            "CONNECT", "PROPFIND", "SEARCH", "M-SEARCH", "QUERY", "LINK")  # fmt: skip
_HEADERS = (
    ("X-Original-URL", "{path}"), ("X-Rewrite-URL", "{path}"), ("X-Forwarded-Prefix", "{path}"),
    ("X-Forwarded-Path", "{path}"), ("X-Forwarded-Uri", "{path}"), ("X-Accel-Redirect", "{path}"),
    ("X-HTTP-Method-Override", "GET"), ("X-HTTP-Method", "GET"), ("X-Method-Override", "GET"),
    ("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"), ("Forwarded", "for=127.0.0.1"),
    ("X-Forwarded-User", "admin"), ("Remote-User", "admin"), ("X-Remote-User", "admin"),
    ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "127.0.0.1"), ("Scope", "admin"),
)  # fmt: skip


def _disguises(attack: Attack, target: Target, things: Things) -> int:
    """Let those who lack the scope try every disguise of every operation."""
    tried = 0
    for cell in operations():
        if not cell.scopes:
            continue
        path = things.path(cell.template)
        if "capture" in path:
            path += "?seconds=0.05"
        body = BODIES.get(cell.template, {}) if cell.method in ("POST", "PATCH") else None
        for name in (things.strongest_without(cell.scopes), "none"):
            token = things.tokens[name]
            # Without a token the door is one place, whatever the route: one operation is enough.
            if name == "none" and (cell.method, cell.template) != ("GET", "/v1/tokens"):
                continue
            found = list(disguises(path, target.authority))
            for disguised in found:
                tried += 1
                source = source_address(attack.random(disguised)) if token is None else None
                status = _safely(
                    attack, "a disguised path", target, cell.method, disguised, token, body,
                    source=source,
                )  # fmt: skip
                _judge(attack, cell, f"as {disguised}", status, name)
            for method in _METHODS if cell.method == "GET" else ():
                tried += 1
                status = _safely(attack, "a method", target, method, path, token)
                _judge(attack, cell, f"method {method!r}", status, name)
            for header, value in _HEADERS if cell.method == "GET" else ():
                tried += 1
                for asked in (path, "/noauth/health"):
                    status = _safely(
                        attack, "a header", target, cell.method, asked, token,
                        headers=[(header, value.format(path=path))],
                    )  # fmt: skip
                    if asked == path:
                        _judge(attack, cell, f"with {header}", status, name)
    _unchanged(attack, target, things, "disguised paths")
    return tried


def _judge(attack: Attack, cell: Cell, how: str, status: int, who: str) -> None:
    if status and status not in OUTSIDE:
        attack.found(
            PART,
            f"{status} for {cell.method} {cell.template} in disguise, with the token {who!r}",
            how,
            how,
        )


# Host, Origin and Sec-Fetch

Headers = list[tuple[str, str]]


def forms(port: int) -> Iterator[tuple[str, str | None, Headers, set[int]]]:
    """Yield a name, the Host, more headers, and the statuses that are right for an admin."""
    own, good, bad = f"127.0.0.1:{port}", {200}, {400, 403, 421}
    for host in (own, f"localhost:{port}", f"LocalHost:{port}", f"[::1]:{port}", "127.0.0.1"):
        yield f"Host {host}", host, [], good
    for host in (
        "evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}",
        f"localhost.evil.example:{port}", f"evil-localhost:{port}", f"xlocalhost:{port}",
        f"{own}@evil.example", f"evil.example@{own}", "192.168.0.1", "10.0.0.1", "8.8.8.8",
        f"{own}, evil.example", f"evil.example, {own}", f"{own} evil.example", f"{own}/",
        f"{own}/x", f"http://{own}", f"{own}:{port}", "127.0.0.1:abc", "127.0.0.1:999999", "[::1",
        "::1", "[evil.example]", "[::2]", "*", "", "2130706433", "0x7f000001", "0177.0.0.1",
        "loc\u0430lhost", "localhost\x00", "localhost%00", "localhost%2eevil.example", "\u24db",
        f"{own}#", f"{own}?", f"{own}\\@evil.example", "-", ".", "..", "a" * 300,
    ):  # fmt: skip
        yield f"Host {host[:60]!r}", host, [], bad
    yield "no Host", None, [], bad
    yield "two Hosts", own, [("Host", "evil.example")], bad
    yield "the same Host twice", own, [("Host", own)], bad
    yield "another Host first", "evil.example", [("Host", own)], bad
    for origin in (
        "null", "", "http://evil.example", f"https://{own}", f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1", f"http://localhost:{port}", f"http://{own}.evil.example",
        f"http://{own}@evil.example", f"http://evil.example@{own}", "file://",
        "chrome-extension://abcdef", f"http://{own}, http://evil.example",
        f"http://evil.example, http://{own}", f"http://{own} http://evil.example", own,
        f"//{own}", f"http://{own}/x", f"http://{own}?", f"http://{own}#", f"ws://{own}",
        f"http://{own}\\", f"http://[::1]:{port}", f"http://127.0.0.1:{port}0", "*", "about:blank",
        f"http://127.1:{port}",
    ):  # fmt: skip
        yield f"Origin {origin!r}", own, [("Origin", origin)], bad
    ours, evil = ("Origin", f"http://{own}"), ("Origin", "http://evil.example")
    yield "own Origin", own, [ours], good
    yield "own Origin and another", own, [ours, evil], bad
    yield "another Origin and our own", own, [evil, ours], bad
    for site in ("same-origin", "none"):
        yield f"Sec-Fetch-Site {site}", own, [("Sec-Fetch-Site", site)], good
    for site in ("cross-site", "same-site", "Cross-Site", "garbage", "", "none, cross-site",
                 "same-origin, cross-site", "same-origin;cross-site"):  # fmt: skip
        yield f"Sec-Fetch-Site {site!r}", own, [("Sec-Fetch-Site", site)], bad
        mode = [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate")]
        yield f"Sec-Fetch-Site {site!r}, navigating", own, mode, bad
    two = [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")]
    yield "two Sec-Fetch-Sites", own, two, bad
    yield "two Sec-Fetch-Sites, the other way", own, two[::-1], bad


def _forms(attack: Attack, target: Target) -> int:
    tried = 0
    for name, host, headers, expected in forms(target.port):
        for method, path, body in (
            ("GET", "/v1/system", None), ("POST", "/v1/tokens", {"scopes": ["metrics"]}),
        ):  # fmt: skip
            tried += 1
            right = {201} if method == "POST" and 200 in expected else expected
            status = _safely(
                attack, "a form", target, method, path, target.admin, body, headers=headers,
                host=f"{host}" if host else host if host is None else " ",
            )  # fmt: skip
            if status not in right and not (status == 0 and 400 in right):
                attack.found(
                    PART, f"{status} for {method} with {name}", f"expected {sorted(right)}",
                    f"Host: {host}, {headers}",
                )  # fmt: skip
        if headers or host != target.authority:
            more = "".join(f"{key}: {value}\r\n" for key, value in headers)
            authority = target.authority if host is None else host
            if "\x00" in authority or host is None:
                continue
            tried += 1
            lines = handshake("/v1/events", authority, target.admin, more=more)
            _judge_upgrade(attack, target, name, lines, refused=200 not in expected)
    return tried


def _judge_upgrade(
    attack: Attack, target: Target, name: str, lines: bytes, *, refused: bool
) -> None:
    """Check a handshake: a page whose Origin is known may be accepted and then closed."""
    try:
        with connect(target.port) as connection:
            connection.sendall(lines)
            answers = Answers(connection)
            status = answers.next(body=False).status
            if status == 101 and refused:
                while len(answers.held) < 4 and answers.more():
                    pass
                if answers.held[:1] == b"\x88":  # a close frame comes first
                    return
    except (OSError, Closed, Malformed):
        status = 0
    if refused and status == 101:
        attack.found(PART, f"a WebSocket with {name} is served", "", lines)
    if not refused and status != 101:
        attack.found(PART, f"a WebSocket with {name} is refused: {status}", "", lines)


# Cookies


def sign_in(target: Target, token: str) -> tuple[str, str | None]:
    """Sign in as a browser does; return the cookie, and the page's key where there is one."""
    answer = ask(target, "GET", f"/?token={token}", None, headers=[("Accept", "text/html")])
    cookie = answer.headers.get("set-cookie", "").partition(";")[0]
    key = re.search(r"#key=([^&\s]+)", answer.headers.get("location", ""))
    return cookie, key[1] if key else None


def _cookies(attack: Attack, target: Target, things: Things) -> None:
    """A cookie alone, with forged words about its origin, and beside other programs' cookies."""
    cookie, key = sign_in(target, target.admin)
    if "=" not in cookie:
        attack.found(PART, "no cookie after GET /?token=")
        return
    origin = [("Origin", f"http://{target.authority}")]
    site = [("Sec-Fetch-Site", "same-origin")]
    for method, path, body in (
        ("GET", "/v1/tokens", None), ("GET", "/metrics", None), ("GET", "/v1/events", None),
        ("POST", "/v1/tokens", {"scopes": ["admin"]}),
    ):  # fmt: skip
        for more in ([], origin, site, origin + site, [("X-Wintun-Api-Key", "x" * 43)]):
            headers = [("Cookie", cookie), *more]
            source = source_address(attack.random(path, more))
            status = _safely(
                attack, "cookies", target, method, path, None, body, headers=headers, source=source
            )
            if status not in (401, 403, 429):
                attack.found(PART, f"a cookie alone opens {method} {path}: {status}", str(more))
    for upgrade in ("", f"Origin: http://{target.authority}\r\n"):
        lines = handshake(
            "/v1/events", target.authority, None, more=f"Cookie: {cookie}\r\n{upgrade}"
        )
        _judge_upgrade(attack, target, f"a cookie alone {upgrade.strip()}", lines, refused=True)
    credentials = [("X-Wintun-Api-Key", key)] if key else site
    for others in (
        'theme={"mode":"dark"}', "a=b c", "flag", "path=/", "expires=never", "=", "=x", "x=", ";",
        "a=\u00e4", 'a="', 'a="b;c"', "$Version=1", "a,b=c", f"x{cookie}", "a" * 4000,
        cookie.partition("=")[0], "; ".join(f"c{number}=1" for number in range(50)),
    ):  # fmt: skip
        for text in (f"{others}; {cookie}", f"{cookie}; {others}"):
            if others == cookie.partition("=")[0] and text.startswith(others + ";"):
                continue
            headers = [("Cookie", text), *credentials]
            status = _safely(attack, "cookies", target, "GET", "/v1/system", None, headers=headers)
            if status != 200:
                attack.found(PART, f"other cookies sign out: {status}", text[:100], text[:200])
        headers = [("Cookie", others), ("Cookie", cookie), *credentials]
        status = _safely(attack, "cookies", target, "GET", "/v1/system", None, headers=headers)
        if status != 200:
            attack.found(PART, f"another Cookie header signs out: {status}", others[:100])
    for _ in range(attack.count(1100, 1100)):
        sign_in(target, things.tokens["metrics"] or "")
    headers = [("Cookie", cookie), *credentials]
    status = _safely(attack, "cookies", target, "GET", "/v1/system", None, headers=headers)
    if status != 200:
        attack.found(PART, f"sign-ins of another token push the admin's out: {status}")
    _safely(attack, "cookies", target, "POST", "/v1/sign-out", None, headers=headers + origin)
    status = _safely(attack, "cookies", target, "GET", "/v1/system", None, headers=headers)
    if status != 401:
        attack.found(PART, f"a cookie works after its sign-out: {status}")
    for where in (
        "//evil.example/", "/\\evil.example/", "//evil.example", "/%5Cevil.example", "/%0d%0aX:y",
        "///evil.example/..", "http://evil.example/", "//evil.example/%2e%2e", "/%2Fevil.example/",
    ):  # fmt: skip
        try:
            answer = ask(target, "GET", f"{where}?token={target.admin}", None)
        except (OSError, Closed, Malformed, ValueError):
            continue
        place = answer.headers.get("location", "/")
        if re.match(r"(https?:)?[/\\]{2}(?!127\.0\.0\.1:)", place):
            attack.found(PART, "a sign-in redirects to another host", place, where)
    if target.admin.encode() in target.log.read_bytes():
        attack.found(PART, "the admin token is in the log")
