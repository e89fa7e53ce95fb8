"""Signing in with a browser: the cookie opens pages, the cookie and the key open the rest."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.raw import ask, upgrade
from tests.api.signing_in import sign_in
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from wintun_api.api.sign_ins import KEY_HEADER, PER_TOKEN, SignIns, cookie_name, cookie_values
from wintun_api.api.tokens import TokenStore
from wintun_api.choices import Scope
from wintun_api.wire import BATCH, PCAPNG, RAW

PAGES = ["/", "/docs", "/docs.js", "/docs/swagger-ui.css", "/openapi.json"]
OTHERS = [
    "/v1/system",
    "/v1/tokens",
    "/v1/adapters",
    "/v1/events",
    "/metrics",
    "/v1/sessions/x/capture.pcapng",
]
NEIGHBOURS = [
    'theme={"mode":"dark"}',
    "a=b c",
    "flag",
    "path=/",
    "expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "=",
    "=x",
    ";",
    "a=;b",
    'q="a; b"',
    "\xe9=\xfc",
    "wintun-api-1=other",
    "WINTUN-API=x",
    "$Version=1",
    "x=[]{}()<>@,:\\/?",
    "a" * 4000 + "=1",
]


def own(service: RunningService, cookie: str, key: str | None = None) -> list[str]:
    """Return the headers of a page of the service's own."""
    headers = [f"Origin: {service.url}", f"Cookie: {cookie}"]
    return headers if key is None else [*headers, f"{KEY_HEADER}: {key}"]


def offer(key: str) -> str:
    """Return the subprotocol that carries a key."""
    return "key.wintun-api." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def test_the_token_url_becomes_a_cookie_and_a_key(service: RunningService) -> None:
    """The token leaves the address; the cookie is HttpOnly and strict, the key is in a fragment."""
    with service.client(None) as http:
        answer = http.get("/", params={"token": TOKEN, "tab": "x"})
    assert answer.status_code == 303
    address, _, key = answer.headers["location"].partition("#key=")
    assert address == "/?tab=x"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"wintun-api-{service.port}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    value = cookie.partition("=")[2].partition(";")[0]
    assert len({TOKEN, key, value}) == 3
    assert len(key) == len(value) == 43


@pytest.mark.parametrize("path", PAGES)
def test_the_cookie_alone_opens_pages(service: RunningService, path: str) -> None:
    """A browser shows pages with its cookie, for an address carries no header."""
    cookie, _ = sign_in(service)
    assert ask(service, f"GET {path}", [f"Cookie: {cookie}"], token=None)[0] == 200


@pytest.mark.parametrize("path", OTHERS)
def test_the_cookie_alone_opens_nothing_else(service: RunningService, path: str) -> None:
    """Every port of this host gets the cookie, so it is not enough, whatever the Origin says."""
    cookie, key = sign_in(service)
    for headers in (own(service, cookie), [f"Cookie: {cookie}"], own(service, cookie, "x" * 43)):
        status, text = ask(service, f"GET {path}", headers, token=None)
        assert status == 401
        assert "application/problem+json" in text
    assert ask(service, f"GET {path}", own(service, cookie, key), token=None)[0] != 401


def test_the_cookie_alone_changes_nothing(service: RunningService) -> None:
    """A program that got the cookie and forges the Origin makes no token."""
    cookie, key = sign_in(service)
    body = b'{"scopes": ["admin"]}'
    more = ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    for headers in (own(service, cookie), [f"Cookie: {cookie}"], own(service, cookie, key[:-1])):
        assert ask(service, "POST /v1/tokens", [*headers, *more], body, None)[0] == 401
    without_cookie = [f"Origin: {service.url}", f"{KEY_HEADER}: {key}"]
    assert ask(service, "POST /v1/tokens", [*without_cookie, *more], body, None)[0] == 401
    assert service.http.get("/v1/tokens").json() == []
    right = [*own(service, cookie, key), *more]
    assert ask(service, "POST /v1/tokens", right, body, None)[0] == 201


def test_a_cookie_goes_with_its_own_key(service: RunningService) -> None:
    """The key of one sign-in does not serve with the cookie of another."""
    first, second = sign_in(service), sign_in(service)
    assert ask(service, "GET /v1/system", own(service, *first), token=None)[0] == 200
    assert ask(service, "GET /v1/system", own(service, *second), token=None)[0] == 200
    mixed = own(service, first[0], second[1])
    assert ask(service, "GET /v1/system", mixed, token=None)[0] == 401


def test_an_unsafe_request_says_where_it_comes_from(service: RunningService) -> None:
    """With cookie and key alone, without a word of the browser's on its page, nothing changes."""
    cookie, key = sign_in(service)
    headers = [f"Cookie: {cookie}", f"{KEY_HEADER}: {key}"]
    assert ask(service, "POST /v1/sign-out", headers, token=None)[0] == 403
    assert ask(service, "GET /v1/system", headers, token=None)[0] == 200
    fetch = [*headers, "Sec-Fetch-Site: same-origin"]
    assert ask(service, "POST /v1/sign-out", fetch, token=None)[0] == 204


@pytest.mark.parametrize("origin", ["http://127.0.0.1:1", "http://evil.example", "null"])
def test_a_foreign_origin_is_refused_with_both(service: RunningService, origin: str) -> None:
    """Cookie and key do not help a page of another origin."""
    cookie, key = sign_in(service)
    headers = [f"Cookie: {cookie}", f"{KEY_HEADER}: {key}", f"Origin: {origin}"]
    assert ask(service, "GET /v1/system", headers, token=None)[0] == 403
    socket = [f"Cookie: {cookie}", f"Origin: {origin}", f"Sec-WebSocket-Protocol: {offer(key)}"]
    assert upgrade(service, "/v1/events", socket, None)[0] == 403


@pytest.mark.parametrize("neighbour", NEIGHBOURS)
@pytest.mark.parametrize("form", ["{other}; {ours}", "{ours}; {other}", "{other};{ours};{other}"])
def test_other_cookies_do_not_matter(service: RunningService, neighbour: str, form: str) -> None:
    """Whatever cookies other local pages have set, the browser stays signed in."""
    cookie, key = sign_in(service)
    together = form.format(other=neighbour, ours=cookie)
    assert ask(service, "GET /v1/system", own(service, together, key), token=None)[0] == 200
    apart = [f"Cookie: {neighbour}", *own(service, cookie, key), f"Cookie: {neighbour}"]
    assert ask(service, "GET /v1/system", apart, token=None)[0] == 200
    assert ask(service, "GET /", [f"Cookie: {together}"], token=None)[0] == 200


@pytest.mark.parametrize("count", [1, 3, 200])
def test_others_of_our_name_do_not_hide_ours(service: RunningService, count: int) -> None:
    """Other pages may set cookies of our name for other paths; browsers send those first."""
    cookie, key = sign_in(service)
    name = cookie.partition("=")[0]
    others = "; ".join(f"{name}=o{number}" for number in range(count))
    for value in (f"{others}; {cookie}", f"{cookie}; {others}"):
        assert ask(service, "GET /v1/system", own(service, value, key), token=None)[0] == 200
        assert ask(service, "GET /", [f"Cookie: {value}"], token=None)[0] == 200


@given(st.lists(st.text(st.characters(codec="latin-1", exclude_characters="\r\n")), max_size=5))
def test_our_cookie_is_found_beside_any_text(headers: list[str]) -> None:
    """No text in other headers keeps our cookie from being read, or reading it from ending."""
    scope = {"server": ("127.0.0.1", 9886)}
    raw = [(b"cookie", text.encode("latin-1")) for text in headers]
    raw.append((b"cookie", b"wintun-api-9886=ours"))
    assert cookie_name(scope) == "wintun-api-9886"
    assert "ours" in cookie_values(scope, Headers(raw=raw))


@pytest.mark.parametrize(
    ("host", "scheme", "name"),
    [
        ("localhost:9886", "http", "wintun-api-9886"),
        ("localhost:8080", "http", "wintun-api-8080-9886"),
        ("box.lan:8441", "https", "wintun-api-8441-9886"),
        ("box.lan:8442", "wss", "wintun-api-8442-9886"),
        ("box.lan", "https", "wintun-api-443-9886"),
        ("box.lan", "ws", "wintun-api-80-9886"),
        ("a b", "http", "wintun-api-9886"),
    ],
)
def test_the_name_has_the_port_that_the_browser_knows(host: str, scheme: str, name: str) -> None:
    """Services published at ports of one host do not overwrite each other's cookies."""
    headers = [(b"host", host.encode())]
    scope = {"server": ("10.0.0.2", 9886), "scheme": scheme, "headers": headers}
    assert cookie_name(scope) == name


def test_two_services_at_one_port_behind_a_proxy(service: RunningService) -> None:
    """Browsers that come by other ports have other cookies, and each of them is good."""
    for port in (8441, 8442):
        with service.client(None, Host=f"127.0.0.1:{port}") as http:
            answer = http.get("/", params={"token": TOKEN})
            name = answer.headers["set-cookie"].partition("=")[0]
            assert name == f"wintun-api-{port}-{service.port}"
            http.headers["Origin"] = f"http://127.0.0.1:{port}"
            http.headers["X-Wintun-Api-Key"] = answer.headers["location"].partition("#key=")[2]
            assert http.get("/v1/system").status_code == 200
            assert http.post("/v1/sign-out").status_code == 204
            assert http.get("/v1/system").status_code == 401


def test_a_websocket_takes_the_key_as_subprotocol(service: RunningService) -> None:
    """A page offers the key beside the protocols that it speaks; it is never selected."""
    cookie, key = sign_in(service)
    adapter = service.adapter(name="Page")
    path = f"/v1/sessions/{service.session(adapter)['id']}/packets"
    headers = {"Cookie": cookie, "Origin": service.url}
    for protocol in (BATCH, RAW, PCAPNG):
        for offers in ([protocol, offer(key)], [offer(key), protocol]):
            with open_websocket(service, path, *offers, token=None, headers=headers) as socket:
                assert socket.subprotocol == protocol
    with open_websocket(service, "/v1/events", offer(key), token=None, headers=headers) as socket:
        assert socket.subprotocol is None
        assert '"snapshot"' in str(socket.recv(30))


@pytest.mark.parametrize("path", ["/v1/events", "/v1/sessions/x/packets"])
def test_a_websocket_with_the_cookie_alone(service: RunningService, path: str) -> None:
    """A page without the key is told 4001; a program without an Origin gets 401."""
    cookie, key = sign_in(service)
    for offers in ([], [offer("wrong")], ["key.wintun-api."], ["key.wintun-api.***"]):
        headers = {"Cookie": cookie, "Origin": service.url}
        with open_websocket(service, path, *offers, token=None, headers=headers) as socket:
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4001
            assert socket.subprotocol is None
        with pytest.raises(InvalidStatus) as refused:
            open_websocket(service, path, *offers, token=None, headers={"Cookie": cookie})
        assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, path, offer(key), token=None, headers={"Origin": service.url + "1"})
    assert refused.value.response.status_code == 403


def test_several_credentials_offered(service: RunningService) -> None:
    """Two keys, or two tokens, leave it open which one counts, so they are refused."""
    cookie, key = sign_in(service)
    headers = [f"Cookie: {cookie}", f"Origin: {service.url}"]
    two = f"Sec-WebSocket-Protocol: {offer(key)}, {offer('other')}"
    assert upgrade(service, "/v1/events", [*headers, two], None)[0] == 400


def test_sign_out_voids_both(service: RunningService) -> None:
    """After it cookie and key are void even where a browser kept them; any token may sign out."""
    cookie, key = sign_in(service, service.token(Scope.METRICS))
    other = sign_in(service)
    headers = own(service, cookie, key)
    status, text = ask(service, "POST /v1/sign-out", headers, token=None)
    assert status == 204
    assert f'set-cookie: wintun-api-{service.port}="";' in text.lower()
    for path in ("/metrics", "/v1/system", "/"):
        assert ask(service, f"GET {path}", headers, token=None)[0] == 401
    assert ask(service, "GET /v1/system", own(service, *other), token=None)[0] == 200


def test_sign_out_with_a_token_ends_no_sign_in(service: RunningService) -> None:
    """A token is not a sign-in: who signs out with one stays where a browser is signed in."""
    cookie, key = sign_in(service)
    assert service.http.post("/v1/sign-out").status_code == 204
    assert ask(service, "GET /v1/system", own(service, cookie, key), token=None)[0] == 200


def test_revocation_ends_the_sign_ins_of_a_token(service: RunningService) -> None:
    """A browser stays signed in no longer than the token it came with."""
    issued = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
    cookie, key = sign_in(service, issued["token"])
    headers = own(service, cookie, key)
    assert ask(service, "GET /v1/system", headers, token=None)[0] == 200
    service.http.delete(f"/v1/tokens/{issued['id']}")
    assert ask(service, "GET /v1/system", headers, token=None)[0] == 401
    assert ask(service, "GET /", headers, token=None)[0] == 401


def test_many_sign_ins_of_one_token(service: RunningService) -> None:
    """They push out each other, and none of another token."""
    cookie, key = sign_in(service)
    metrics = service.token(Scope.METRICS)
    first = sign_in(service, metrics)
    for _ in range(PER_TOKEN):
        last = sign_in(service, metrics)
    assert ask(service, "GET /metrics", own(service, *first), token=None)[0] == 401
    assert ask(service, "GET /metrics", own(service, *last), token=None)[0] == 200
    assert ask(service, "GET /v1/system", own(service, cookie, key), token=None)[0] == 200


@pytest.mark.parametrize("way", ["GET /?token={token}", "POST /sign-in"])
def test_a_browser_that_is_signed_in_signs_in_again(service: RunningService, way: str) -> None:
    """With the same token it gets the sign-in that it has; with another one that one ends."""
    cookie, key = sign_in(service)

    def again(token: str) -> tuple[str, str]:
        method, _, path = way.format(token=token).partition(" ")
        with service.client(
            token if method == "POST" else None, Origin=service.url, Cookie=cookie
        ) as http:
            answer = http.request(method, path)
        assert answer.headers["cache-control"] == "no-store"
        new = answer.headers["set-cookie"].partition(";")[0]
        if method == "POST":
            return new, answer.json()["key"]
        return new, answer.headers["location"].partition("#key=")[2]

    def works(cookie: str, key: str) -> bool:
        return ask(service, "GET /v1/system", own(service, cookie, key), token=None)[0] == 200

    assert again(TOKEN) == (cookie, key)
    assert works(cookie, key)
    other = again(service.token(Scope.READ))
    assert works(*other)
    assert not works(cookie, key)


@pytest.fixture
def ended() -> list[str]:
    """The ids of the sign-ins that have ended."""
    return []


@pytest.fixture
def tokens() -> TokenStore:
    """A store of tokens."""
    return TokenStore("admin")


@pytest.fixture
def store(tokens: TokenStore, ended: list[str]) -> SignIns:
    """Sign-ins of a store of tokens, at most two per token."""
    made = SignIns(tokens, per_token=2)
    made.ended.append(ended.append)
    return made


def _principal(tokens: TokenStore, *scopes: Scope, lifetime: float | None = None) -> Any:
    secret, _ = asyncio.run(tokens.issue(scopes, "", lifetime))
    return tokens.authenticate(secret)


def test_the_end_of_each_is_told_once(tokens: TokenStore, store: SignIns, ended: list[str]) -> None:
    """Sign-out, the bound and the end of the token tell of each sign-in exactly once."""
    principal = _principal(tokens, Scope.READ)
    first, second = store.make(principal), store.make(principal)
    store.end(first.id)
    store.end(first.id)
    assert ended == [first.id]
    third, fourth = store.make(principal), store.make(principal)
    assert ended == [first.id, second.id]
    store.end_all(principal.id)
    store.end_all(principal.id)
    assert ended == [first.id, second.id, third.id, fourth.id]
    assert len(store) == 0


def test_the_one_in_use_stays(tokens: TokenStore, store: SignIns, ended: list[str]) -> None:
    """At the bound the one that was not used for longest is ended."""
    principal = _principal(tokens, Scope.READ)
    used, idle = store.make(principal), store.make(principal)
    assert store.authenticate(used.key, [used.cookie]) is not None
    store.make(principal)
    assert ended == [idle.id]


def test_a_token_that_expires_ends_its_sign_ins(
    tokens: TokenStore, store: SignIns, ended: list[str]
) -> None:
    """None of them is left when the token is no longer valid."""
    principal = _principal(tokens, Scope.READ, lifetime=-1)
    assert principal is None
    secret, issued = asyncio.run(tokens.issue([Scope.READ]))
    principal = tokens.authenticate(secret)
    assert principal is not None
    one, two = store.make(principal), store.make(principal)
    found = store.authenticate(one.key, ["other", one.cookie])
    assert found is not None
    assert found.sign_in == one.id
    assert store.current(found)
    asyncio.run(tokens.revoke(issued.id))
    assert not store.current(found)
    assert store.visitor([two.cookie]) is None
    assert sorted(ended) == sorted([one.id, two.id])


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/?token={token}",
        "//evil.example/..?token={token}",
        "/\\evil.example?token={token}",
        "/%5Cevil.example?token={token}",
        "/%2F%2Fevil.example?token={token}",
        "/.//evil.example?token={token}",
        "/%0D%0ALocation:%20http://evil.example?token={token}",
        "/docs/..//evil.example?token={token}",
        "/https://evil.example?token={token}",
        "https://evil.example/?token={token}",
        "http://evil.example//evil.example?token={token}",
        "/?token={token}&next=//evil.example",
        "/?token={token}&a=%0D%0ALocation:%20http://evil.example",
        "/docs?token={token}&%0D%0Ax",
        "/?token={token}#//evil.example",
        "/?a=//evil&token={token}",
    ],
)
def test_the_redirect_stays_here(service: RunningService, target: str) -> None:
    """Whatever the address is, a sign-in leads to a page of this service and nowhere else."""
    status, text = ask(service, f"GET {target.format(token=TOKEN)}", token=None)
    locations = [line for line in text.split("\r\n") if line.lower().startswith("location:")]
    if not locations:
        assert status in (400, 401, 404)
        return
    (location,) = locations
    address = location.partition(":")[2].strip()
    assert status == 303
    assert address.startswith(("/?", "/#key=", "/docs?", "/docs#key="))
    assert TOKEN not in address


@pytest.mark.parametrize("query", ["token=wrong", "token=", f"token={TOKEN}&token=x", "Token=x"])
def test_a_wrong_token_in_the_address_does_not_sign_in(service: RunningService, query: str) -> None:
    """A bad token in the address gives no cookie, but the page to sign in."""
    headers = ["Accept: text/html"]
    status, text = ask(service, f"GET /?{query}", headers, token=None)
    assert status == 401
    assert "set-cookie" not in text.lower()
    assert "text/html" in text


@pytest.mark.parametrize("path", ["/v1/system", "/metrics", "/noauth/health", "/app.js", "/nope"])
def test_the_token_url_is_for_pages(service: RunningService, path: str) -> None:
    """Tokens do not belong into addresses of the API, which end up in logs."""
    status, text = ask(service, f"GET {path}?token={TOKEN}", token=None)
    assert status in (200, 401)
    assert "set-cookie" not in text.lower()
    assert (status == 200) is (path in ("/noauth/health", "/app.js"))


def test_only_get_signs_in(service: RunningService) -> None:
    """HEAD shows what is there; it does not sign in."""
    status, text = ask(service, f"HEAD /?token={TOKEN}", token=None)
    assert status == 401
    assert "set-cookie" not in text.lower()


def test_a_right_token_url_passes_beside_a_void_cookie(service: RunningService) -> None:
    """A browser that kept the cookie of an earlier run signs in again with the same address."""
    name = f"wintun-api-{service.port}"
    status, text = ask(service, f"GET /?token={TOKEN}", [f"Cookie: {name}=old"], token=None)
    assert status == 303
    assert "#key=" in text


def test_a_page_signs_in_where_it_is(service: RunningService) -> None:
    """It gets the same two secrets without being left, so that it keeps what it holds."""
    page = {"Origin": service.url}
    with service.client(TOKEN, **page) as http:
        answer = http.post("/sign-in")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "HttpOnly" in answer.headers["set-cookie"]
    cookie = answer.headers["set-cookie"].partition(";")[0]
    with service.client(None, **page, Cookie=cookie) as http:
        assert http.get("/v1/system").status_code == 401
        assert http.get("/v1/system", headers={KEY_HEADER: answer.json()["key"]}).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "none"}])
def test_who_cannot_sign_in_where_it_is(service: RunningService, headers: dict[str, str]) -> None:
    """Another site's page cannot, whatever it knows; and nobody can with a wrong token."""
    with service.client("wrong", **headers) as http:
        answer = http.post("/sign-in")
    assert answer.status_code in (401, 403)
    assert "set-cookie" not in answer.headers
