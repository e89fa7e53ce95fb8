"""Sign in as a browser does, and keep what it keeps."""

from __future__ import annotations

from tests.running import TOKEN, RunningService


def sign_in(service: RunningService, token: str = TOKEN, path: str = "/") -> tuple[str, str]:
    """Sign in; return the cookie as a pair and the key."""
    with service.client(None) as http:
        answer = http.get(path, params={"token": token})
        assert answer.status_code == 303
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return cookie, answer.headers["location"].partition("#key=")[2]
