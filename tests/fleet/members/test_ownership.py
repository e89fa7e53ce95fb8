"""fleet.ownership: which claims hold, whatever the order in which a host hears of them."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.networks import ANN, BOB, CEM, HOSTS, addresses, prefixes
from wintun_api.fleet.members.ownership import Claim, ownership
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.network import Prefix

LIVE = dict.fromkeys(HOSTS, 1)


def claim(host: str, prefix: str, revision: int, epoch: int = 1) -> Claim:
    return Claim(host, ip_network(prefix), revision, epoch)


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    """Draw claims of three hosts; a host claims a prefix once, and revisions differ."""
    keys = draw(
        st.lists(st.tuples(st.sampled_from(HOSTS), prefixes), unique=True, min_size=1, max_size=12)
    )
    revisions = draw(st.permutations(range(1, len(keys) + 1)))
    return [
        Claim(host, prefix, revision, draw(st.sampled_from([1, 1, 1, 2])))
        for (host, prefix), revision in zip(keys, revisions, strict=True)
    ]


lives = st.dictionaries(st.sampled_from(HOSTS), st.sampled_from([1, 1, 2]))


def owner_without_default(owners: dict[Prefix, str], address: bytes) -> str | None:
    return Routes({one: host for one, host in owners.items() if one.prefixlen}).find(address)


@given(made=claims(), live=lives, data=st.data())
def test_order_makes_no_difference(
    made: list[Claim], live: dict[str, int], data: st.DataObject
) -> None:
    """Hosts that hear of the same claims in another order come to the same result."""
    assert ownership(made, live) == ownership(data.draw(st.permutations(made)), live)


@given(made=claims(), address=addresses)
def test_no_older_owner_is_overridden(made: list[Claim], address: bytes) -> None:
    """While all live, no newer claim takes an address from who has it; defaults aside."""
    made.sort(key=lambda one: one.revision)
    made = [Claim(one.host, one.prefix, one.revision, 1) for one in made]
    owner = None
    for count in range(1, len(made) + 1):
        before, owner = (
            owner,
            owner_without_default(dict(ownership(made[:count], LIVE).owners), address),
        )
        assert before in (None, owner)


@given(made=claims(), live=lives)
def test_every_claim_of_the_living_is_decided(made: list[Claim], live: dict[str, int]) -> None:
    """A claim holds or is refused in favour of an older one that holds; the dead have neither."""
    result = ownership(made, live)
    for one in made:
        holds = result.owners.get(one.prefix) == one.host
        before = result.refused.get(one)
        if live.get(one.host) != one.epoch:
            assert before is None
            continue
        assert holds != (before is not None)
        if before is not None:
            assert before.revision < one.revision
            assert before.host != one.host
            assert result.owners[before.prefix] == before.host
            assert one.prefix.version == before.prefix.version
            assert one.prefix.subnet_of(before.prefix)  # type: ignore[arg-type]


@given(made=claims(), live=lives)
def test_the_dead_leave_nothing(made: list[Claim], live: dict[str, int]) -> None:
    """Claims of hosts that do not live, and of other epochs, change nothing."""
    living = [one for one in made if live.get(one.host) == one.epoch]
    assert ownership(made, live) == ownership(living, live)


def test_the_first_owns() -> None:
    """Of two claims to the same prefix, the one that the server took first holds."""
    first, second = claim(ANN, "10.9.0.0/24", 7), claim(BOB, "10.9.0.0/24", 8)
    result = ownership([second, first], LIVE)
    assert result.owners == {first.prefix: ANN}
    assert result.refused == {second: first}


def test_no_hijack_by_a_longer_prefix() -> None:
    """A part of what another host has cannot be claimed."""
    whole, part = claim(ANN, "10.9.0.0/16", 1), claim(BOB, "10.9.5.0/24", 2)
    assert ownership([whole, part], LIVE).refused == {part: whole}


def test_a_wider_prefix_holds_for_the_rest() -> None:
    """A claim around what others have leaves it to them."""
    part, whole = claim(ANN, "10.9.5.0/24", 1), claim(BOB, "10.9.0.0/16", 2)
    table = Routes(ownership([part, whole], LIVE).owners)
    assert table.find(bytes((10, 9, 5, 1))) == ANN
    assert table.find(bytes((10, 9, 6, 1))) == BOB


def test_who_is_named_has_the_addresses() -> None:
    """Where several older claims are around a refused one, it is the closest that is named."""
    inner, outer = claim(ANN, "10.9.5.0/24", 1), claim(BOB, "10.9.0.0/16", 2)
    late = claim(CEM, "10.9.5.1/32", 3)
    assert ownership([inner, outer, late], LIVE).refused == {late: inner}


def test_a_part_of_ones_own() -> None:
    """A host may claim a part of what it has, also if another has a wider prefix around that."""
    own, around = claim(ANN, "10.9.5.0/24", 1), claim(BOB, "10.9.0.0/16", 2)
    part = claim(ANN, "10.9.5.7/32", 3)
    assert not ownership([own, around, part], LIVE).refused


def test_a_default_covers_nothing() -> None:
    """Parts of another host's default route can be claimed; a second default cannot."""
    default, part = claim(ANN, "0.0.0.0/0", 1), claim(BOB, "10.9.0.0/16", 2)
    second, other = claim(CEM, "0.0.0.0/0", 3), claim(CEM, "::/0", 4)
    result = ownership([default, part, second, other], LIVE)
    assert result.owners == {default.prefix: ANN, part.prefix: BOB, other.prefix: CEM}
    assert result.refused == {second: default}


def test_take_over() -> None:
    """When the owner is dead, the next claim holds at once."""
    first, second = claim(ANN, "10.9.0.1/32", 1), claim(BOB, "10.9.0.1/32", 2)
    assert ownership([first, second], {BOB: 1}).owners == {first.prefix: BOB}


def test_who_returns_does_not_take_back() -> None:
    """A host that was dead has a new epoch, so that its claims of old do not count."""
    old, taken = claim(ANN, "10.9.0.1/32", 1), claim(BOB, "10.9.0.1/32", 2)
    again = claim(ANN, "10.9.0.1/32", 9, epoch=2)
    result = ownership([old, taken, again], {ANN: 2, BOB: 1})
    assert result.owners == {taken.prefix: BOB}
    assert result.refused == {again: taken}


def test_the_refused_cover_nothing() -> None:
    """A claim that does not hold stands in nobody's way."""
    first, refused = claim(ANN, "10.9.0.0/24", 1), claim(BOB, "10.9.0.0/24", 2)
    part = claim(ANN, "10.9.0.5/32", 3)
    assert ownership([first, refused, part], LIVE).refused == {refused: first}
