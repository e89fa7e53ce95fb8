"""A server on another port of this host gets the cookie of a signed-in browser, and nothing else.

Browsers send a cookie to every port of a host, whatever its attributes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.neighbour import Neighbour, neighbour
from tests.browser.screen import Screen
from tests.raw_websocket import open_websocket
from tests.running import TOKEN, RunningService
from wintun_api.wire import BATCH, PCAPNG, RAW

pytestmark = pytest.mark.heavy

REFUSED = r"status of 401"
EVENTS = "v1.events.wintun-api"
JSON = {"content-type": "application/json"}
PACKETS = {"content-type": "application/octet-stream"}


@pytest.fixture
def other() -> Iterator[Neighbour]:
    """The neighbour."""
    with neighbour() as found:
        yield found


@pytest.fixture
def session(service: RunningService) -> str:
    """A session that runs, with packets to see."""
    return str(service.session(service.adapter(name="OfficeNet"))["id"])


@pytest.fixture
def stolen(screen: Screen, session: str, other: Neighbour) -> str:
    """The Cookie header that a visit to the neighbour gives away."""
    assert session
    page = screen.context.new_page()
    page.goto(other.url)
    page.close()
    assert len(other.cookies) == 1
    assert f"wintun-api-{screen.service.port}=" in other.cookies[0]
    return other.cookies[0]


def forgeries(url: str, cookie: str) -> list[dict[str, str]]:
    """Return header sets that a program can send with the cookie, as a page of `url` would."""
    value = cookie.partition("=")[2]
    page = {
        "cookie": cookie,
        "origin": url,
        "referer": f"{url}/",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    }
    visit = {"cookie": cookie, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}
    keys = ["", "x", "null", value, cookie, TOKEN, "A" * 43]
    return [
        {"cookie": cookie},
        visit,
        page,
        {**page, "accept": "text/html"},
        *({**page, "x-wintun-api-key": key} for key in keys),
        {**page, "authorization": f"Bearer {value}"},
    ]


def test_a_stolen_cookie_opens_no_request(screen: Screen, stolen: str, session: str) -> None:
    """Every kind of request is refused, whatever headers a program forges beside the cookie."""
    service = screen.service
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/v1/tokens", {"json": {"scopes": ["admin"]}}),
        ("GET", "/v1/tokens", {}),
        ("GET", "/v1/system", {}),
        ("HEAD", "/v1/system", {}),
        ("GET", "/v1/adapters", {}),
        ("GET", "/v1/sessions", {}),
        ("GET", "/v1/events", {}),
        ("GET", "/metrics", {}),
        ("GET", f"/v1/sessions/{session}/capture.pcapng?seconds=1", {}),
        ("POST", f"/v1/sessions/{session}/packets", {"content": b"E" * 20, "headers": PACKETS}),
        ("DELETE", f"/v1/sessions/{session}", {}),
        ("POST", "/v1/sign-out", {}),
    ]
    with service.client(None) as program:
        for forged in forgeries(service.url, stolen):
            for method, path, more in calls:
                headers = {**forged, **more.get("headers", {})}
                answer = program.request(method, path, **{**more, "headers": headers})
                assert answer.status_code in (401, 429), (method, path, forged)
                assert "set-cookie" not in answer.headers
    assert service.http.get("/v1/tokens").json() == []
    assert service.counters(session)["injected"]["packets"] == 0
    screen.page.reload()
    screen.is_live()


def refusal(
    service: RunningService, path: str, protocols: tuple[str, ...], headers: dict[str, str]
) -> int:
    """Return how a WebSocket is refused before any message: the HTTP status or the close code."""
    try:
        with open_websocket(service, path, *protocols, token=None, headers=headers) as socket:
            with pytest.raises(ConnectionClosed):
                socket.recv(10)
            return socket.close_code or 0
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_stolen_cookie_opens_no_websocket(screen: Screen, stolen: str, session: str) -> None:
    """No packet and no event goes through one, in any protocol."""
    service = screen.service
    paths = [
        ("/v1/events", ()),
        ("/v1/events", (EVENTS,)),
        ("/v1/events", (EVENTS, "key.wintun-api.eA")),
        *((f"/v1/sessions/{session}/packets", (one,)) for one in (BATCH, RAW, PCAPNG)),
        (f"/v1/sessions/{session}/packets", (BATCH, "key.wintun-api.", "key.wintun-api.eA")),
        (f"/v1/sessions/{session}/packets?direction=none", (RAW,)),
    ]
    for forged in forgeries(service.url, stolen):
        for path, protocols in paths:
            assert refusal(service, path, protocols, forged) in (400, 401, 429, 4001), (
                path,
                forged,
            )
    assert service.counters(session)["injected"]["packets"] == 0


def test_a_stolen_cookie_gets_no_key(screen: Screen, stolen: str) -> None:
    """Pages open with it, but no answer to it has the key or makes another."""
    service = screen.service
    key = screen.page.evaluate("localStorage.getItem('wintun-api.key')")
    value = stolen.partition("=")[2]
    with service.client(None) as program:
        for path in ("/", "/docs", "/app.js", "/docs.js", f"/?token={value}", f"/?key={value}"):
            answer = program.get(path, headers={"cookie": stolen, "accept": "text/html"})
            assert answer.status_code in (200, 401), path
            assert key not in f"{answer.headers} {answer.text}"
            assert "location" not in answer.headers
            assert "set-cookie" not in answer.headers


HOSTILE = """
async ([url, session]) => {
  const tries = {};
  const settled = (promise) => promise.then(() => "passed", () => "refused");
  const fetched = (path, options) =>
    settled(fetch(url + path, { credentials: "include", ...options }));
  const socket = (path, protocols) => new Promise((resolve) => {
    const one = new WebSocket(url.replace("http", "ws") + path, protocols);
    one.onmessage = () => resolve("passed");
    one.onclose = () => resolve("refused");
  });
  const loaded = (tag, path) => new Promise((resolve) => {
    const one = Object.assign(document.createElement(tag), { src: url + path });
    one.onload = () => resolve("passed");
    one.onerror = () => resolve("refused");
    document.body.append(one);
  });
  const stream = () => new Promise((resolve) => {
    const one = new EventSource(url + "/v1/events", { withCredentials: true });
    one.onmessage = one.onopen = () => resolve("passed");
    one.onerror = () => { one.close(); resolve("refused"); };
  });
  const body = JSON.stringify({ scopes: ["admin"] });
  const key = { "x-wintun-api-key": "x" };
  tries.read = await fetched("/v1/system");
  tries["read blindly"] = await fetched("/v1/system", { mode: "no-cors" });
  tries["read with a key"] = await fetched("/v1/system", { headers: key });
  tries["make a token"] = await fetched("/v1/tokens", {
    method: "POST", body, headers: { "content-type": "application/json" } });
  tries["make a token blindly"] = await fetched("/v1/tokens", {
    method: "POST", mode: "no-cors", body });
  tries["sign out"] = await fetched("/v1/sign-out", { method: "POST" });
  tries["sign out blindly"] = await fetched("/v1/sign-out", { method: "POST", mode: "no-cors" });
  navigator.sendBeacon(url + "/v1/sign-out");  // what became of it, no page can see
  tries["see events"] = await socket("/v1/events", ["v1.events.wintun-api"]);
  tries["see events with a key"] = await socket(
    "/v1/events", ["v1.events.wintun-api", "key.wintun-api.eA"]);
  tries["see packets"] = await socket(
    `/v1/sessions/${session}/packets?direction=both`, ["v1.batch.wintun-api"]);
  tries.stream = await stream();
  tries.image = await loaded("img", "/icon.svg");
  tries.script = await loaded("script", "/docs.js");
  const framed = async (fill) => {
    const frame = Object.assign(document.createElement("iframe"), { name: "frame" });
    const ready = new Promise((resolve) => { frame.onload = resolve; });
    fill(frame);
    await ready;
    let seen = "refused";
    try { if (frame.contentWindow.localStorage.length > 0) seen = "passed"; } catch {}
    try { if (frame.contentDocument?.querySelector("#app")) seen = "passed"; } catch {}
    frame.remove();
    return seen;
  };
  tries.frame = await framed((frame) => {
    frame.src = url + "/";
    document.body.append(frame);
  });
  tries.form = await framed((frame) => {
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, {
      action: url + "/v1/tokens", method: "POST", enctype: "text/plain", target: "frame" });
    form.innerHTML = `<input name='{"scopes":["admin"],"label":"' value='"}'>`;
    document.body.append(form);
    form.submit();
  });
  tries.storage = localStorage.length === 0 && !document.cookie.includes("wintun")
    ? "refused" : "passed";
  return tries;
}
"""


def test_a_hostile_page_gets_nothing(screen: Screen, session: str, other: Neighbour) -> None:
    """Its own requests, sockets, streams, frames and forms are refused; nothing is changed."""
    service = screen.service
    page = screen.context.new_page()
    page.goto(other.url)
    tries = page.evaluate(HOSTILE, [service.url, session])
    assert {what for what, result in tries.items() if result != "refused"} == set()
    assert len(tries) == 16
    assert service.http.get("/v1/tokens").json() == []
    screen.page.reload()
    screen.is_live()


def test_a_window_of_a_hostile_page_is_none_of_its_own(screen: Screen, other: Neighbour) -> None:
    """A page that opens the dashboard can neither look into it nor lead it elsewhere."""
    page = screen.context.new_page()
    page.goto(other.url)
    with screen.context.expect_page() as opened:
        page.evaluate(f"window.opened = window.open('{screen.service.url}/#/events'); null")
    opened.value.locator(".state[data-state=live]").wait_for()
    assert page.evaluate("window.opened.closed")  # severed from it
    assert opened.value.evaluate("window.opener") is None


COOKIES = {
    "quotes and braces": 'theme={"mode":"dark"}',
    "a blank": "a=b c",
    "no value": "flag",
    "the name of an attribute": "path=/",
    "an open quote": 'q="',
    "nothing before the sign": "=x",
    "letters of other scripts": "naïve=жетон",
    "a comma and a slash": "a,b/c=1,2/3",
    "the name of another port": "wintun-api-1=x",
}


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
@pytest.mark.parametrize("how", ["script", "header"])
def test_other_cookies_do_no_harm(screen: Screen, other: Neighbour, cookie: str, how: str) -> None:
    """The dashboard stays signed in, whatever stands beside its cookie."""
    page = screen.context.new_page()
    if how == "header":
        other.set_cookies.append(cookie.encode().decode("latin-1"))
    page.goto(other.url)
    page.evaluate("cookie => { document.cookie = cookie; }", cookie)
    screen.page.reload()
    screen.is_live()


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/system", "/docs"])
def test_another_cookie_of_our_name_does_no_harm(
    screen: Screen, other: Neighbour, path: str
) -> None:
    """A script cannot replace the cookie; one for a longer path comes first, and is passed over."""
    page = screen.context.new_page()
    page.goto(other.url)
    for value in ("x", "", '"', "a b"):
        cookie = f"wintun-api-{screen.service.port}={value}; path={path}"
        page.evaluate("cookie => { document.cookie = cookie; }", cookie)
        screen.page.reload()
        screen.is_live()


def test_a_replaced_cookie_asks_for_the_token(screen: Screen, other: Neighbour) -> None:
    """A server can replace the cookie, which signs the browser out; signing in again works."""
    screen.tolerated.append(REFUSED)
    other.set_cookies.append(f"wintun-api-{screen.service.port}=x; path=/; HttpOnly")
    page = screen.context.new_page()
    page.goto(other.url)
    page.close()
    screen.page.reload()
    screen.fill("Token", TOKEN)
    screen.button("Sign in").click()
    screen.is_live()


@pytest.mark.parametrize("key", ["x", "", "%00", "A" * 43, "A" * 100_000])
def test_a_link_with_a_wrong_key_does_not_sign_out(
    screen: Screen, other: Neighbour, key: str
) -> None:
    """Anyone can write such a link: the key that works stays, and the other one is not kept."""
    screen.tolerated.append(REFUSED)
    before = screen.page.evaluate("localStorage.getItem('wintun-api.key')")
    screen.page.goto(other.url)
    screen.page.goto(f"{screen.service.url}/#key={key}")
    screen.is_live()
    assert screen.page.url == f"{screen.service.url}/"
    assert screen.page.evaluate("localStorage.getItem('wintun-api.key')") == before


def test_a_link_with_the_key_alone_does_not_sign_in(screen: Screen, visitor: Screen) -> None:
    """Neither a browser nor a program can use it without the cookie of the same sign-in."""
    key = screen.page.evaluate("localStorage.getItem('wintun-api.key')")
    screen.tolerated.append(REFUSED)
    screen.context.clear_cookies()
    screen.page.goto("about:blank")
    screen.page.goto(f"{screen.service.url}/#key={key}")
    screen.button("Sign in").wait_for()
    answer = httpx.get(f"{visitor.service.url}/v1/system", headers={"x-wintun-api-key": key})
    assert answer.status_code == 401
