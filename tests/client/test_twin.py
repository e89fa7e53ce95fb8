"""The synchronous client is the asynchronous one without await."""

from __future__ import annotations

import importlib.util
import inspect

import pytest

from tests.client import twin
from tests.needs import NOT_INSTALLED, leave_out
from wintun_api import client


def _name(twins: twin.Twins) -> str:
    return twins.twin


@pytest.mark.parametrize("twins", twin.TWINS, ids=_name)
def test_the_twin_is_up_to_date(twins: twin.Twins) -> None:
    """What is committed is what `python -m tests.client.twin` writes."""
    if importlib.util.find_spec("ruff") is None:
        leave_out(f"{NOT_INSTALLED}ruff")
    assert twins.target.read_text("utf-8") == twins.generated()


@pytest.mark.parametrize("twins", twin.TWINS, ids=_name)
def test_nothing_of_an_event_loop_is_left(twins: twin.Twins) -> None:
    """No word of a twin speaks of an event loop."""
    source = twins.target.read_text("utf-8")
    for word in ("async ", "await", "Async", "asyncio", "anext", "aiter", "cancel"):
        assert word not in source, word


def test_both_have_the_same_methods() -> None:
    """Every public name of one class is in the other, with the same arguments."""
    for one in ("Client", "AdapterHandle", "SessionHandle", "EventStream"):
        there, here = getattr(client, f"Async{one}"), getattr(client, one)
        names = {name for name in vars(there) if not name.startswith("_")} - {"aclose"}
        assert names == {name for name in vars(here) if not name.startswith("_")} - {"close"}
        for name in names:
            if callable(getattr(here, name)):
                assert list(inspect.signature(getattr(there, name)).parameters) == list(
                    inspect.signature(getattr(here, name)).parameters
                )
