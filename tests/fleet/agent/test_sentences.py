"""What an agent says of changes."""

from __future__ import annotations

from ipaddress import ip_network

from tests.fleet.running import A, B
from wintun_api.fleet.agent.sentences import about_bus, about_claim, about_host, about_wait
from wintun_api.fleet.bus.seam import Change
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.members.claims import Standing, Verdict
from wintun_api.fleet.members.inventory import Appearance, Host
from wintun_api.fleet.members.ownership import Claim
from wintun_api.fleet.problems import SessionMissing

LEFT = ip_network("10.7.0.0/25")


def test_a_refused_claim_names_the_owner_and_what_that_has_claimed() -> None:
    """A narrower claim is refused for a wider one, and the sentence says which one that is."""
    rival = Claim(B, ip_network("10.7.0.0/24"), 1, 1)
    kind, text, data = about_claim(Verdict(Standing.REFUSED, LEFT, rival), lambda _: "desk")
    assert kind is EventKind.CLAIM_REFUSED
    assert f"it belongs to desk ({B}), which has claimed 10.7.0.0/24." in text
    assert data == {"prefix": "10.7.0.0/25", "owner": B, "rival": "10.7.0.0/24"}


def test_every_standing_and_every_change_has_a_sentence() -> None:
    """Each is a whole sentence, of a kind of its own."""
    claims = [about_claim(Verdict(one, LEFT), str) for one in Standing]
    hosts = [
        about_host(one, Host(A, None, 0)) for one in Appearance if one is not Appearance.RENEWED
    ]
    buses = [about_bus(one, "The line is cut.") for one in Change]
    said = [*claims, *hosts, *buses]
    assert len({kind for kind, _, _ in said}) == len(said)
    assert all(text.endswith(".") and ".." not in text for _, text, _ in said)


def test_a_wait_says_what_helps() -> None:
    """What is missing, that the agent waits, and the command that makes it, in this order."""
    kind, text, data = about_wait(SessionMissing("No session runs.", hint="Start it with: x"))
    assert kind is EventKind.SERVICE_WAITING
    assert text == "No session runs. The agent waits for it. Start it with: x"
    assert data == {"missing": "No session runs.", "hint": "Start it with: x"}
