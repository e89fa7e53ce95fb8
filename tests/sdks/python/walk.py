"""A walk through the generated Python client: httpx and attrs."""

from __future__ import annotations

import os
from io import BytesIO

from wintunapi import AuthenticatedClient
from wintunapi.api.adapters import create_adapter, delete_adapter, get_adapter
from wintunapi.api.packets import inject_packets
from wintunapi.api.sessions import end_session, start_session
from wintunapi.models import (
    Adapter,
    AdapterCreate,
    InjectionReport,
    Problem,
    Removal,
    Session,
    SessionCreate,
    SessionState,
)
from wintunapi.types import File

# An ICMP echo request from 10.6.7.8 to the adapter's own address.
PACKET = bytes.fromhex("4500001c00000000400158c70a0607080a0607070800f7fd00010001")

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
wanted = AdapterCreate(name="OfficeNet", addresses=["10.6.7.7/24"])
adapter = create_adapter.sync(client=client, body=wanted)
assert isinstance(adapter, Adapter), adapter
print(f"created: {adapter.name}, {adapter.state}")

session = start_session.sync(client=client, body=SessionCreate(adapter=adapter.guid))
assert isinstance(session, Session), session
print(f"started: {session.state is SessionState.RUNNING}".lower())

report = inject_packets.sync(session.id, client=client, body=File(BytesIO(PACKET)))
assert isinstance(report, InjectionReport), report
print(f"accepted: {report.accepted}")

session = end_session.sync(session.id, client=client)
assert isinstance(session, Session), session
print(f"ended: {session.state}, {session.counters.injected.bytes_} bytes injected")

removal = delete_adapter.sync(adapter.guid, client=client)
assert isinstance(removal, Removal), removal
print(f"deleted: reboot {removal.reboot_required}".lower())

problem = get_adapter.sync(adapter.guid, client=client)
assert isinstance(problem, Problem), problem
print(f"refused: {problem.status} {problem.type_}")
