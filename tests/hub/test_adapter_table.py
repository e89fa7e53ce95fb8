"""hub.adapter_table: what was listed against what is known, without a driver or an event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from wintun_api.drivers.base import AdapterInfo
from wintun_api.hub.adapter_table import AdapterTable, Difference
from wintun_api.hub.adapters import ManagedAdapter

POOLS = ["Test", "Other"]
GUIDS = [UUID(int=number) for number in range(6)]


def info(guid: UUID, name: str = "", pool: str = "") -> AdapterInfo:
    """Return a reading; without a pool the GUID decides it, as a device keeps its pool."""
    return AdapterInfo(
        guid=guid,
        name=name or f"A{guid.int}",
        pool=pool or POOLS[guid.int % 2],
        luid=0,
        interface_index=0,
        interface_name="",
        mtu=1420,
        addresses=(),
        persistent=True,
    )


readings = st.builds(info, st.sampled_from(GUIDS), st.sampled_from(["", "B", "b", "C"]))
lists = st.lists(readings, max_size=8)
pools = st.sampled_from([None, *POOLS])


@dataclass
class Model:
    """What must be known after each step: readings by GUID, oldest first."""

    known: dict[UUID, AdapterInfo] = field(default_factory=dict)
    busy: set[UUID] = field(default_factory=set)

    def reconcile(
        self, listed: list[AdapterInfo], pool: str | None
    ) -> tuple[list[UUID], list[UUID], list[UUID]]:
        """Do what `AdapterTable.reconcile` must do, and return the three differences."""
        last = {one.guid: one for one in listed}
        created = [guid for guid in last if guid not in self.known]
        changed = [guid for guid in last if guid in self.known and self.known[guid] != last[guid]]
        gone = [
            guid
            for guid, one in self.known.items()
            if guid not in last and pool in (None, one.pool) and guid not in self.busy
        ]
        self.known.update(last)
        for guid in gone:
            del self.known[guid]
        return created, changed, gone


def guids(adapters: tuple[ManagedAdapter, ...]) -> list[UUID]:
    """Return the GUIDs in order."""
    return [known.info.guid for known in adapters]


def told(difference: Difference) -> tuple[list[UUID], list[UUID], list[UUID]]:
    """Return the differences as the model has them."""
    return guids(difference.created), guids(difference.changed), guids(difference.gone)


steps = st.one_of(
    st.tuples(st.just("list"), lists, pools),
    st.tuples(st.just("create"), readings, st.none()),
    st.tuples(st.just("delete"), readings, st.none()),
    st.tuples(st.just("begin"), readings, st.none()),
    st.tuples(st.just("done"), readings, st.none()),
)


@given(st.lists(steps, max_size=20))
def test_the_table_follows_every_sequence_of_steps(sequence: list[tuple[str, object, str]]) -> None:
    """No adapter is there twice or forgotten, and the differences are exactly what changed."""
    table, model = AdapterTable(), Model()
    for step, what, pool in sequence:
        if step == "list":
            assert isinstance(what, list)
            listed = [one for one in what if pool in (None, one.pool)]
            assert told(table.reconcile(listed, pool)) == model.reconcile(listed, pool)
        else:
            assert isinstance(what, AdapterInfo)
            known = table.find(what.guid)
            if step == "create" and known is None:
                table.add(what)
                model.known[what.guid] = what
            elif step == "delete" and known is not None:
                assert table.remove(known)
                model.busy.discard(what.guid)
                del model.known[what.guid]
            elif step == "begin" and known is not None and not known.in_use:
                asyncio.run(known.lock.acquire())
                model.busy.add(what.guid)
            elif step == "done" and known is not None and known.in_use:
                known.lock.release()
                model.busy.discard(what.guid)
        assert [known.info for known in table] == list(model.known.values())
        assert len(table) == len(model.known)


@given(lists, lists)
def test_the_same_list_again_is_no_difference(
    first: list[AdapterInfo], then: list[AdapterInfo]
) -> None:
    """A list that was taken over once changes nothing the second time."""
    table = AdapterTable()
    table.reconcile(first)
    table.reconcile(then)
    assert table.reconcile(then) == Difference((), (), ())


@given(lists, st.sampled_from(POOLS))
def test_a_list_of_one_pool_leaves_the_others(first: list[AdapterInfo], pool: str) -> None:
    """An empty list of a pool takes its members out, and no other adapter."""
    table = AdapterTable()
    table.reconcile(first)
    others = [known for known in table if known.info.pool != pool]
    gone = table.reconcile([], pool).gone
    assert list(table) == others
    assert {known.info.pool for known in gone} <= {pool}


def test_an_adapter_in_use_is_not_taken_out() -> None:
    """It stays while an operation runs, and goes with the first list after that."""
    table = AdapterTable()
    known = table.add(info(GUIDS[0]))
    asyncio.run(known.lock.acquire())
    assert table.reconcile([]).gone == ()
    known.lock.release()
    assert table.reconcile([]).gone == (known,)


def test_a_changed_adapter_keeps_what_is_known_of_it() -> None:
    """A rename outside changes the reading of the same object, whose place stays."""
    table = AdapterTable()
    first, second = table.add(info(GUIDS[0])), table.add(info(GUIDS[1]))
    renamed = replace(first.info, name="B")
    assert table.reconcile([second.info, renamed]).changed == (first,)
    assert list(table) == [first, second]
    assert table.named("b", first.info.pool) is first
    assert table.named("b", second.info.pool) is None


def test_removing_an_adapter_does_not_remove_its_successor() -> None:
    """Another adapter of the same GUID is not touched by the end of the one before."""
    table = AdapterTable()
    first = table.add(info(GUIDS[0]))
    assert table.remove(first)
    second = table.add(info(GUIDS[0]))
    assert not table.remove(first)
    assert list(table) == [second]


def test_the_table_may_change_while_it_is_read() -> None:
    """An iteration shows what was known when it began."""
    table = AdapterTable()
    table.reconcile([info(guid) for guid in GUIDS])
    for known in table:
        table.remove(known)
    assert len(table) == 0
