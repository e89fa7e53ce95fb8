"""The rights of users, as data; `server/test_attacks.py` tries them on a real server."""

from __future__ import annotations

import pytest

from tests.fleet.memory import matches
from tests.fleet.running import LAB, A, B
from wintun_api.fleet.keys.rights import Role, forwarded, inbox, rights_of


def test_a_host_writes_only_what_bears_its_name() -> None:
    """Each subject of its own is one of the host, the API of the store, or a reply to operators."""
    for subject in rights_of(Role.HOST, LAB, A, ("o" * 12,)).publish:
        parts = subject.split(".")
        own = A in parts
        reply = parts[0] == inbox("o" * 12)
        assert own or reply or parts[0] == "$JS", subject


@pytest.mark.parametrize("role", Role)
def test_nobody_has_a_right_that_covers_another_host(role: Role) -> None:
    """No wildcard of a user's rights covers what only another host publishes or reads."""
    rights = rights_of(role, LAB, A)
    foreign = (
        LAB.packets(A, B),
        LAB.group_packets(B),
        LAB.feedback(A, B),
        LAB.events(B),
        LAB.capture(B, "s"),
        f"$KV.{LAB.routes}.{B}.10-0-0-1_32",
        f"$KV.{LAB.hosts}.{B}",
        f"{inbox(B)}.x",
    )
    for subject in foreign:
        assert not any(matches(one, subject) for one in rights.publish), subject
    read = (LAB.packets(B, A), LAB.feedback(B, A), LAB.requests(B), f"{inbox(B)}.x")
    for subject in read:
        assert not any(matches(one, subject) for one in rights.subscribe), subject


@pytest.mark.parametrize("role", Role)
def test_the_store_gets_all_that_users_ask_of_it(role: Role) -> None:
    """What a user may ask of streams is forwarded to the account that has them."""
    requests = forwarded(LAB, (A,)).requests
    for subject in rights_of(role, LAB, A).publish:
        if subject.startswith(("$JS.", "$KV.", LAB.capture("", "").removesuffix(".."))):
            assert any(covers(one, subject) for one in requests), subject


def covers(pattern: str, subject: str) -> bool:
    """Return whether a pattern has every subject of another one."""
    return matches(pattern, subject.replace("*", "x").replace(">", "x.x"))
