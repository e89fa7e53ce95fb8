"""`if_exists` through the client: a handle undoes what it made, and only that."""

from __future__ import annotations

from uuid import UUID

import pytest

from tests.conftest import Rig
from tests.running import TOKEN, RunningService
from wintun_api.client import Client, ProblemError


def test_a_handle_that_opened_an_adapter_leaves_it(service: RunningService) -> None:
    """Its settings are applied, and the adapter is there afterwards."""
    made = service.adapter(name="Lab", mtu=1400, metric=7)
    with Client(service.url, token=TOKEN) as client:
        with client.adapter("Lab", if_exists="open", addresses=["10.9.0.1/24"]) as adapter:
            assert (adapter.created, str(adapter.guid)) == (False, made["guid"])
            assert (adapter.info.addresses, adapter.info.metric) == (["10.9.0.1/24"], 7)
        with client.adapter("Lab", if_exists="open", metric=None) as adapter:
            assert (adapter.info.metric, adapter.info.mtu) == (None, 1400)
        assert [one.guid for one in client.list_adapters()] == [UUID(made["guid"])]


@pytest.mark.parametrize("exists", [False, True])
def test_a_handle_that_made_an_adapter_deletes_it(service: RunningService, exists: bool) -> None:
    """Be it new or in place of another one."""
    if exists:
        service.adapter(name="Lab", mtu=1400)
    with Client(service.url, token=TOKEN) as client:
        with client.adapter("Lab", if_exists="replace" if exists else "open") as adapter:
            assert adapter.created
            assert adapter.info.mtu != 1400
        assert client.list_adapters() == []


def test_the_error_names_what_is_gone(rig: Rig) -> None:
    """A replacement that fails says which adapter it has deleted; other errors name none."""
    made = rig.service.adapter(name="Lab")
    with Client(rig.service.url, token=TOKEN) as client:
        with pytest.raises(ProblemError) as refused:
            client.create_adapter("Lab")
        assert (refused.value.kind, refused.value.deleted) == ("adapter-exists", None)
        rig.library.fail_next("WintunCreateAdapter", 4319)
        with pytest.raises(ProblemError) as failed:
            client.create_adapter("Lab", if_exists="replace")
        assert failed.value.deleted == UUID(made["guid"])
