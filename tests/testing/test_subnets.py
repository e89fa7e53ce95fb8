"""Subnets that processes of one machine do not share."""

from __future__ import annotations

import itertools
import subprocess
import sys
from contextlib import ExitStack, closing
from ipaddress import IPv4Network, IPv6Network

import pytest

from wintun_api.testing.subnets import PER_SLOT, SLOTS, Subnet, Subnets


def test_subnets_differ() -> None:
    """No two subnets of the machine overlap, and all are in the networks that the guide names."""
    every = [Subnet(number) for number in range(SLOTS * PER_SLOT)]
    v4 = [one.v4.network for one in every]
    v6 = [one.v6.network for one in every]
    assert all(a.broadcast_address < b.network_address for a, b in itertools.pairwise(v4))
    assert all(a.broadcast_address < b.network_address for a, b in itertools.pairwise(v6))
    assert all(one.subnet_of(IPv4Network("198.18.0.0/15")) for one in v4)
    assert all(one.subnet_of(IPv6Network("fd57:494e:5455::/48")) for one in v6)


def test_a_subnet_is_used_again() -> None:
    """What was given back is given out again; more than there are is an error in words."""
    with closing(Subnets()) as subnets:
        first = subnets.take()
        others = [subnets.take() for _ in range(PER_SLOT - 1)]
        assert len({first, *others}) == PER_SLOT
        with pytest.raises(RuntimeError, match="32 adapters at a time"):
            subnets.take()
        subnets.give_back(first)
        assert subnets.take() == first


def test_processes_have_slots_of_their_own() -> None:
    """Those that live at the same time never have the same subnets, even of one process id."""
    with ExitStack() as stack:
        found = [stack.enter_context(closing(Subnets())).take() for _ in range(20)]
        code = (
            "from wintun_api.testing.subnets import Subnets\n"
            "held = Subnets()\nprint(held.take().number)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
        )
        found.append(Subnet(int(done.stdout)))
        assert len({one.number // PER_SLOT for one in found}) == 21


def test_a_slot_is_free_after_its_process() -> None:
    """A slot that was closed can be held again, so that slots do not run out."""
    with ExitStack() as stack:
        held = [stack.enter_context(closing(Subnets())) for _ in range(5)]
        slots = {one.take().number // PER_SLOT for one in held}
    with ExitStack() as stack:
        again = [stack.enter_context(closing(Subnets())) for _ in range(5)]
        assert {one.take().number // PER_SLOT for one in again} & slots
