"""REST: bodies, paths, queries and headers, shaped by the contract and against it."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from typing import Any
from urllib.parse import quote

from tests.attack.attack import Attack
from tests.attack.cells import OPENAPI
from tests.attack.mutations import NUMBERS, TEXTS, changed, value
from tests.attack.raw_http import (
    Answer,
    Answers,
    Closed,
    Malformed,
    connect,
    request,
    source_address,
)
from tests.attack.streams import HTTP_WORDS
from tests.attack.target import Died, Target
from wintun_api.packet import build
from wintun_api.wire import Batch, pack

PART = "fuzz"
CONTRACT: dict[str, Any] = json.loads(OPENAPI.read_text())
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "multipleOf")
BROKEN_JSON = (
    b"{", b"}", b"[", b"]", b'"', b",", b"\\u0000", b"\\ud800", b"NaN", b"1e999", b"\xff",
    b'"a":1,',
    b"-",
)  # fmt: skip
MANY = 60  # adapters, sessions and tokens before they are cleared away
STREAMS = ("/v1/events", "/v1/sessions/{session_id}/capture.pcapng")
INCOMPLETE = (b"Content-Length", b"Transfer-Encoding", b"Expect", b"CONNECT")


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = CONTRACT
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        schema = found
    return schema


def shaped(random_: random.Random, schema: dict[str, Any], depth: int = 0) -> Any:
    """Return a value that the schema allows, or nearly."""
    schema = _resolved(schema)
    if random_.random() < 0.06:
        return value(random_)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return shaped(random_, random_.choice(schema[several]), depth)
    if "allOf" in schema:
        return shaped(random_, schema["allOf"][0], depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return random_.choice(schema["enum"])
    if schema.get("examples") and random_.random() < 0.5:
        return random_.choice(schema["examples"])
    match schema.get("type"):
        case "object":
            made = {}
            for name, inner in schema.get("properties", {}).items():
                if name in schema.get("required", ()) or random_.random() < 0.4:
                    made[name] = shaped(random_, inner, depth + 1)
            if random_.random() < 0.1:
                made[random_.choice(TEXTS)] = value(random_)
            if random_.random() < 0.05 and made:
                made.pop(random_.choice(list(made)))
            return made
        case "array":
            size = random_.choice((0, 1, 1, 2, 3, 20 if depth < 3 else 1))
            return [shaped(random_, schema.get("items", {}), depth + 1) for _ in range(size)]
        case "string":
            return random_.choice((*TEXTS, "Attack", "10.0.0.1/24", "fd00::1/64", "10.0.0.0/8"))
        case "integer" | "number":
            bounds = [schema[name] for name in BOUNDS if name in schema]
            return random_.choice((*NUMBERS, *bounds, *(bound + 1 for bound in bounds), 1500))
        case "boolean":
            return random_.random() < 0.5
        case "null":
            return None
    return value(random_)


def as_text(random_: random.Random, body: Any) -> bytes:
    """Return it as JSON, now and then broken."""
    try:
        text = json.dumps(body, ensure_ascii=random_.random() < 0.7).encode(
            "utf-8", "surrogatepass"
        )
    except ValueError:
        text = b"{}"
    chance = random_.random()
    if chance < 0.08:
        return changed(random_, text, BROKEN_JSON, [text])
    if chance < 0.10:
        deep = random_.choice((100, 1000, 60_000))
        return random_.choice((b"[", b'{"a":')) * deep
    if chance < 0.11:
        return b'{"name":"x",' + text[1:]
    if chance < 0.12:
        return b"9" * random_.choice((400, 5000, 100_000))
    return text


class _Known:
    """One connection after the other to the service, and the things made on it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._connection: socket.socket | None = None
        self._answers: Answers | None = None
        self.guids: list[str] = []
        self.sessions: list[str] = []
        self.tokens: list[str] = []

    def ask(self, sent: bytes, *, head: bool) -> Answer:
        """Ask on a kept connection, on a new one where the service has ended it."""
        for again in (True, False):
            if self._connection is None:
                self._connection = connect(self._target.port, 30)
                self._answers = Answers(self._connection)
                again = False  # noqa: PLW2901 - a new connection has one chance
            assert self._answers is not None
            try:
                self._connection.sendall(sent)
                answer = self._answers.next(head=head)
            except (OSError, Closed):
                self.close()
                if not again:
                    raise
                continue
            if answer.headers.get("connection", "").lower() == "close":
                self.close()
            return answer
        raise Closed

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def look(self) -> None:
        """Find out what there is, and clear away what is too much."""
        adapters = self._target.call("GET", "/v1/adapters").json()
        self.guids = [one["guid"] for one in adapters] if isinstance(adapters, list) else []
        self.sessions = [one["id"] for one in self._target.call("GET", "/v1/sessions").json()]
        self.tokens = [one["id"] for one in self._target.call("GET", "/v1/tokens").json()]
        for kind, names in (("sessions", self.sessions), ("adapters", self.guids),
                            ("tokens", self.tokens)):  # fmt: skip
            while len(names) > MANY // 3:
                self._target.call("DELETE", f"/v1/{kind}/{names.pop()}")

    def name(self, random_: random.Random, parameter: str) -> str:
        """Return a path parameter: one that exists, or anything."""
        known = {"guid": self.guids, "session_id": self.sessions, "token_id": self.tokens}
        names = known.get(parameter, ["Wintun"])
        if names and random_.random() < 0.8:
            return random_.choice(names)
        text = random_.choice(TEXTS)[:2000].encode("utf-8", "surrogatepass")
        return quote(text, safe="") or "x"


def bodies(attack: Attack, target: Target, name: str, seconds: float) -> int:
    """Call every operation with bodies, paths and queries of every kind."""
    random_ = attack.random(PART, name)
    known = _Known(target)
    operations = [
        (method.upper(), template, operation)
        for template, methods in CONTRACT["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "patch", "delete", "put") and template not in STREAMS
    ]
    # Where there is a body there is more to be found.
    operations += [one for one in operations if "requestBody" in one[2]] * 4
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        if count % MANY == 0:
            known.look()
            if not known.sessions:
                target.session(name=f"Fuzz {name} {count}")
                known.look()
        method, template, operation = random_.choice(operations)
        path = re.sub(r"\{(\w+)\}", lambda match: known.name(random_, match[1]), template)
        path += _query(random_, operation)
        kind, content = _content(random_, operation)
        headers = {"Authorization": f"Bearer {target.admin}"}
        if kind:
            headers["Content-Type"] = kind
        sent = request(method, path, target.authority, headers, content)
        _call(attack, target, known, sent, what=f"{method} {template}", operation=operation)
        count += 1
    known.close()
    return count


def _query(random_: random.Random, operation: dict[str, Any]) -> str:
    pairs = [
        f"{one['name']}={quote(_text(shaped(random_, one.get('schema', {}))), safe='')}"
        for one in operation.get("parameters", ())
        if one["in"] == "query" and random_.random() < 0.7
    ]
    if random_.random() < 0.05:
        text = random_.choice(TEXTS)[:300].encode("utf-8", "surrogatepass")
        pairs.append(quote(text, safe="=&%"))
    return "?" + "&".join(pairs) if pairs else ""


def _text(one: Any) -> bytes:
    text = one if isinstance(one, str) else json.dumps(one)
    return text[:2000].encode("utf-8", "surrogatepass")


def _content(random_: random.Random, operation: dict[str, Any]) -> tuple[str, bytes]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ("application/json", b"{}") if random_.random() < 0.05 else ("", b"")
    kind = random_.choice(list(content))
    if kind == "application/json":
        text = as_text(random_, shaped(random_, content[kind]["schema"]))
    else:
        packet = build.udp("10.0.0.1", "10.0.0.2", 1, 2, b"x" * random_.randrange(100))
        sound = packet if kind.endswith("octet-stream") else pack(Batch([packet] * 3))
        text = changed(random_, sound, (b"WTB1", b"\x00" * 4, b"\xff" * 4), [sound])
    if random_.random() < 0.03:
        kind = random_.choice(("text/plain", "application/json; charset=utf-16", "", "a/b",
                               "application/json" + ";x=y" * 200,
                               "multipart/form-data"))  # fmt: skip
    return kind, text


def _call(
    attack: Attack, target: Target, known: _Known, sent: bytes, *, what: str,
    operation: dict[str, Any],
) -> None:  # fmt: skip
    try:
        answer = known.ask(sent, head=False)
    except TimeoutError:
        attack.found(PART, f"no answer within 30 s: {what}", "", sent)
        return
    except Malformed as error:
        attack.found(PART, f"a malformed answer: {what}", str(error), sent)
        return
    except (OSError, Closed) as error:
        if not target.alive:
            raise Died(target.tail()) from error
        attack.found(PART, f"closed without an answer: {what}", repr(error), sent)
        return
    known_statuses = {*operation["responses"], "400", "404", "405", "413", "414", "415", "431"}
    if answer.status >= 500 and answer.status not in (501, 503):
        attack.found(PART, f"{answer.status}: {what}", answer.body[:600].decode("utf-8", "replace"),
                     sent)  # fmt: skip
    elif str(answer.status) not in known_statuses:
        attack.found(PART, f"{answer.status}, which the contract lacks: {what}",
                     str(answer.body[:300]), sent)  # fmt: skip
    if answer.status >= 400:
        try:
            problem = answer.json()
            told = all(problem.get(key) for key in ("type", "title", "status", "detail"))
        except (ValueError, AttributeError):
            told = False
        if not told:
            attack.found(PART, f"{answer.status} without a problem document: {what}",
                         str(answer.body[:200]), sent)  # fmt: skip


# Headers

_VALUES: dict[str, tuple[str, ...]] = {
    "Host": ("127.0.0.1", "localhost", "[::1]", "evil.example", "", "a:b:c", "[",
    "127.0.0.1:99999"),
    "Origin": ("null", "http://127.0.0.1", "http://evil.example", "", "http://[", "http://\xff"),
    "Sec-Fetch-Site": ("same-origin", "cross-site", "none", "same-site", "", "x"),
    "Sec-Fetch-Mode": ("navigate", "cors", "no-cors", "websocket", ""),
    "Sec-Fetch-Dest": ("document", "iframe", "empty", ""),
    "Cookie": ("a=b", ";", "=", "a", 'a="', "wintun-api-{port}=", "wintun-api-{port}=x",
    "a=b; " * 300),
    "Authorization": ("Bearer", "Bearer ", "Bearer x", "bearer x", "Basic eDp5", "Bearer \xff", "",
                      "Bearer a b", "Bearer  ", "Digest x", "Bearer " + "x" * 5000),
    "X-Wintun-Api-Key": ("", "x", "\xff", "x" * 5000),
    "Upgrade": ("websocket", "h2c", "WebSocket, h2c", "", "TLS/1.0"),
    "Connection": ("Upgrade", "keep-alive, Upgrade", "close", "", "Host", "Authorization"),
    "Sec-WebSocket-Key": ("MDEyMzQ1Njc4OWFiY2RlZg==", "", "x", "MDEyMzQ1Njc4OWFiY2RlZg"),
    "Sec-WebSocket-Version": ("13", "8", "", "x", "13, 8", "99999999999999999999"),
    "Sec-WebSocket-Protocol": ("v1.batch.wintun-api", "v1.raw.wintun-api", "", ",", "x", "a, a",
                               "bearer.wintun-api.", "bearer.wintun-api.eA", "bearer.wintun-api.%%",
                               "bearer.wintun-api.\xff", "key.wintun-api.eA", "key.wintun-api.="),
    "Sec-WebSocket-Extensions": ("permessage-deflate", "x; y=z", ";", ""),
    "Accept": ("text/html", "*/*", "", "application/json;q=x"),
    "Accept-Encoding": ("gzip", "identity;q=0", "*"),
    "Last-Event-ID": ("0", "-1", "x", "99999999999999999999", "1.5", "\u0663", ""),
    "Content-Type": ("application/json", "text/plain", "", ";", "application/json;charset=x"),
    "Content-Length": ("0", "5", "-1", "x", "", "99999999999999999999"),
    "Transfer-Encoding": ("chunked", "identity", "gzip, chunked", ""),
    "Expect": ("100-continue", "x"), "Range": ("bytes=0-0", "bytes=-1", "x"),
    "If-None-Match": ("*", '"x"'), "If-Modified-Since": ("x", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "X-Forwarded-For": ("127.0.0.1", "x", ""), "X-Forwarded-Proto": ("https", "x", ""),
    "X-Forwarded-Host": ("evil.example",), "Forwarded": ("for=127.0.0.1;proto=https",),
    "Access-Control-Request-Method": ("POST",), "Access-Control-Request-Private-Network": ("true",),
    "TE": ("trailers",), "Trailer": ("X",), "Max-Forwards": ("0",), "Via": ("1.1 x",),
    "X-HTTP-Method-Override": ("DELETE",), "Early-Data": ("1",),
}  # fmt: skip
_QUERIES = (
    "token=x", "token=", "token=x&token=y", "token", "=", "&", "%", "%00", "%ff", "a=%zz", "a[]=b",
    "since=-1", "since=x", "since=99999999999999999999", "pool=%00", "direction=none", "key=x",
    "seconds=nan", "seconds=-1", "seconds=inf", "packets=0", "snaplen=-1", "force=x", ";a=b",
    "a=b=c",
)  # fmt: skip


def headers(attack: Attack, target: Target, name: str, seconds: float) -> int:
    """Send headers and queries of every kind without a token: no route but the open ones opens."""
    random_ = attack.random(PART, name)
    session = target.session(name=f"Fuzz {name}")
    paths = [
        template.replace("{session_id}", session).replace("{guid}", "x").replace("{token_id}", "x")
        .replace("{pool}", "Wintun")
        for template in CONTRACT["paths"]
    ]  # fmt: skip
    paths += ["/", "/docs", "/app.js", f"/v1/sessions/{session}/packets", "/openapi.json", "/x"]
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        path = random_.choice(paths)
        asked = path
        if random_.random() < 0.4:
            asked += "?" + "&".join(random_.choices(_QUERIES, k=random_.choice((1, 1, 2, 5))))
        host: str | None = target.authority if random_.random() < 0.9 else None
        pairs = []
        for header in random_.choices(list(_VALUES), k=random_.choice((0, 1, 2, 3, 5, 9))):
            text = random_.choice(_VALUES[header]).format(port=target.port)
            if random_.random() < 0.1:
                raw = changed(random_, text.encode(), HTTP_WORDS, [b"x"])
                text = raw.replace(b"\r\n\r\n", b"").decode("utf-8", "surrogateescape")
            pairs.append((header, text))
        method = random_.choice(("GET", "GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PATCH"))
        sent = request(method, asked, host, pairs)
        _open_only(attack, target, random_, sent, method=method, path=path)
        count += 1
        if count % 500 == 0 and not target.healthy():
            attack.found(PART, "no health while headers are fuzzed", target.tail())
    return count


def _open_only(
    attack: Attack, target: Target, random_: random.Random, sent: bytes, *, method: str, path: str
) -> None:
    try:
        with connect(target.port, 10, source_address(random_)) as connection:
            connection.sendall(sent)
            if any(word in sent for word in INCOMPLETE):
                connection.shutdown(socket.SHUT_WR)  # else both sides would wait
            answer = Answers(connection).next(head=method == "HEAD", body=False)
    except TimeoutError:
        attack.found(PART, "headers are neither answered nor refused", path, sent)
        return
    except Malformed as error:
        attack.found(PART, f"headers get a malformed answer: {str(error)[:50]}", path, sent)
        return
    except (OSError, Closed) as error:
        if not target.alive:
            raise Died(target.tail()) from error
        # A request that is not complete may be ended so; one that is must be answered.
        if not any(word in sent for word in INCOMPLETE):
            attack.found(PART, "headers are not answered", f"{path}: {error!r}", sent)
        return
    if answer.status >= 500 and answer.status not in (501, 503, 505):
        attack.found(PART, f"headers are answered {answer.status}", path, sent)
    guarded = path.startswith(("/v1/", "/metrics"))
    if guarded and (200 <= answer.status < 300 or answer.status == 101):
        origin = answer.status == 101 and b"rigin" in sent
        if not origin:  # a page of our own is accepted and closed, so that it can tell why
            attack.found(PART, f"{answer.status} without a token: {method} {path}", "", sent)
