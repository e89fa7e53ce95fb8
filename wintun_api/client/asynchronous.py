"""The client of the service for programs with an event loop.

`synchronous` is generated from this module: `python -m tests.client.twin` writes it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self, TypeVar
from uuid import UUID

from wintun_api.client import location, operations
from wintun_api.client.call import (
    CREATED,
    GONE,
    MAX_ANSWER,
    TIMEOUT,
    UNSET,
    Call,
    Reply,
    Unset,
    path_of,
    query_of,
    refusal,
)
from wintun_api.client.impairments import members_of
from wintun_api.client.location import FAR_SOURCE, Location
from wintun_api.client.operations import (
    Addresses,
    Guid,
    Hosts,
    OneDirection,
    Packet,
    Retention,
    Rotation,
    Routes,
    Rules,
    Selection,
    Servers,
    StopConditions,
    Timetable,
    TriggerRule,
)
from wintun_api.client.problems import (
    ITS_ADDRESS,
    ClientError,
    NotTheService,
    ProblemError,
    ServiceUnreachable,
    UnexpectedAnswer,
)
from wintun_api.client.undivided import async_undivided

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import httpx

    from wintun_api.client.asynchronous_events import AsyncEventStream
    from wintun_api.client.backoff import Backoff
    from wintun_api.client.burst import Framing
    from wintun_api.client.moments import Moment
    from wintun_api.client.packets import AsyncPacketStream
    from wintun_api.schemas.adapters import Adapter, Release, Removal
    from wintun_api.schemas.captures import Capture
    from wintun_api.schemas.clients import ConnectedClient
    from wintun_api.schemas.filters import FilterVerdict
    from wintun_api.schemas.impairment import Preset, SessionImpairment
    from wintun_api.schemas.networks import Network
    from wintun_api.schemas.recorder import Recorder
    from wintun_api.schemas.sessions import InjectionReport, Session
    from wintun_api.schemas.system import Driver, Health, System
    from wintun_api.schemas.tokens import CreatedToken, Token

T = TypeVar("T")


class AsyncClient:
    """Use a service: one method for each operation of its API, and handles that tidy up.

    Without arguments it finds the service of this machine as the command line does. Nothing is
    sent before the first call. That call first asks, without the token, whether it is the service
    that answers; only then is the token looked for and sent.

    A client can be shared by the tasks of one event loop.
    It is a context manager, which closes its connections at the end.

    Every method raises `ProblemError` if the service refuses, `ServiceUnreachable` if it does not
    answer, `CredentialError` if there is no token, and `UnexpectedAnswer` if the answer does not
    fit this version of the client. All of them are `ClientError`s. No request is repeated, except
    for one that only reads and whose connection broke.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        token_file: str | Path | None = None,
        timeout: float | None = TIMEOUT,
        tls: ssl.SSLContext | None = None,
        advice: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Name the service. Nothing is sent, and the token is not read.

        Args:
            url: The address of the service, such as `http://127.0.0.1:9886`. The default is the
                variable WINTUN_API_URL, then the address where a service listens by default.
            token: The token. The default is `token_file`, then the variable WINTUN_API_TOKEN, then
                the token file of the service that this user would run.
            token_file: The file with the token.
            timeout: How many seconds to wait for an answer; None sets no limit.
            tls: How certificates are checked. The default trusts what the system trusts and heeds
                the variable SSL_CERT_FILE.
            advice: What to do if the service does not answer, as the errors say it in a sentence.
                The default is how to start the service on the command line.
            transport: What carries the requests in place of HTTP connections, and knows by itself
                that it is the service that answers. No token is looked for or sent then. The client
                closes it at its end.

        Raises:
            ServiceUnreachable: The address cannot be one of a service.
        """
        import asyncio

        self._url = location.find_url(url)
        self._tls = tls
        self._timeout = timeout
        self._advice = advice
        self._transport = transport
        self._find_token = partial(location.find_token, token, token_file)
        self._location: Location | None = None
        self._http: httpx.AsyncClient | None = None
        self._closed = False
        self._meeting = asyncio.Lock()

    @classmethod
    def from_config(cls, path: str | Path, *, timeout: float | None = TIMEOUT) -> Self:
        """Use the service that runs with a configuration file, with its admin token.

        Variables of the environment come before the file, as they do when the service starts. With
        TLS exactly the certificate that the file names is trusted.

        Args:
            path: The TOML file of the service.
            timeout: How many seconds to wait for an answer; None sets no limit.

        Raises:
            ServiceUnreachable: The file does not name a port.
            CredentialError: The file cannot be read.
        """
        url, token_file, tls = location.in_config(path)
        return cls(url, token_file=token_file, timeout=timeout, tls=tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. The client cannot be used any more. Idempotent."""
        self._closed = True
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()
        elif self._transport is not None:
            await self._transport.aclose()

    @property
    def url(self) -> str:
        """The address of the service, without a slash at its end."""
        return self._url

    async def reach(self) -> Location:
        """Return the service and its token; the first time, see that it is the service.

        Raises:
            ServiceUnreachable: Nothing answers, or another program does.
            CredentialError: There is no token, or it cannot be read.
        """
        from wintun_api.client.diagnosis import async_look

        async with self._meeting:
            if self._location is None and self._transport is not None:
                self._location = Location(self._url, "", FAR_SOURCE, None)
            if self._location is None:
                http = self._open()
                try:
                    await async_look(http)
                except ServiceUnreachable as error:
                    raise self._advised(error) from error.__cause__
                # In this order: where no service has run there is no token file either, and the
                # missing service is what its user needs to know.
                token, source = self._find_token()
                self._location = Location(self._url, token, source, self._tls, self._advice)
            return self._location

    async def reach_socket(self) -> Location:
        """Do as `reach` for a packet stream.

        Raises:
            ClientError: One of the errors of `reach`; or the client has a transport, which carries
                requests only.
        """
        if self._transport is not None:
            raise ClientError(
                "Packet streams need a connection with the service itself.",
                hint="Use a client on the host of the service.",
            )
        return await self.reach()

    async def send(self, call: Call[T], *, patient: bool = False) -> T:
        """Send a request and return what its answer says, as `exchange` does."""
        _, said = await self.exchange(call, patient=patient)
        return said

    async def exchange(self, call: Call[T], *, patient: bool = False) -> tuple[int, T]:
        """Send a request; return the status of its answer and what the answer says.

        Args:
            call: The request.
            patient: Whether to wait for the answer for 120 s if the client's own time limit is
                shorter. What a request creates could otherwise stay, unknown to the program.

        Raises:
            ClientError: One of the errors that every method raises.
        """
        reply = await self.answer(call, patient=patient)
        return reply.status, call.read(reply, self._url)

    async def answer(self, call: Call[Any], *, patient: bool = False) -> Reply:
        """Send a request and return the answer as it came, also one that refuses it.

        Args:
            call: The request.
            patient: As `exchange` takes it.

        Raises:
            ServiceUnreachable: The service does not answer.
            CredentialError: There is no token, or it cannot be read.
        """
        import httpx

        limit = self._timeout
        if patient and limit is not None:
            limit = max(limit, TIMEOUT)
        request = await self._request(call, httpx.Timeout(limit))
        try:
            return await self._reply(request, limit)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            if call.method != "GET" or call.open:
                raise self._broken(error) from error
            # The service may have closed a connection that was kept for the next request.
            try:
                return await self._reply(request, limit)
            except httpx.RequestError as again:
                raise self._broken(again) from again
        except httpx.RequestError as error:
            raise self._broken(error) from error

    @asynccontextmanager
    async def listen(
        self, call: Call[bytes], *, silence: float | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a request whose answer does not end; give its bytes as they arrive.

        Args:
            call: The request.
            silence: After so many seconds without a byte the connection is given up; None sets
                no limit.

        Raises:
            ServiceUnreachable: The connection fails, now or while the bytes are read.
        """
        import httpx

        times = httpx.Timeout(self._timeout, read=silence)
        request = await self._request(call, times)
        try:
            answer = await self._open().send(request, stream=True)
        except httpx.RequestError as error:
            raise self._broken(error) from error
        try:
            if not answer.is_success:
                raise refusal(await self._refused(answer), self._url)
            found = answer.headers.get("Content-Type", "")
            if call.answer not in ("json", found.partition(";")[0].strip()):
                raise UnexpectedAnswer(
                    call.operation,
                    f"The answer of {self._url} to {call.operation} is {found or 'nothing'}, not "
                    f"{call.answer}.",
                    hint="Another program may answer there, or one between here and the service.",
                )
            yield self._chunks(answer)
        finally:
            await answer.aclose()

    async def _request(self, call: Call[Any], times: httpx.Timeout) -> httpx.Request:
        content, content_type = call.payload()
        headers = {"Content-Type": content_type} if content_type else {}
        if not call.open:
            found = await self.reach()
            if found.token:
                headers["Authorization"] = f"Bearer {found.token}"
        return self._open().build_request(
            call.method,
            call.path,
            params=call.query,
            content=content,
            headers=headers,
            timeout=times,
        )

    async def _reply(self, request: httpx.Request, limit: float | None) -> Reply:
        answer = await self._open().send(request, stream=True)
        try:
            return await self._whole(answer, limit)
        finally:
            await answer.aclose()

    async def _refused(self, answer: httpx.Response) -> Reply:
        import httpx

        try:
            return await self._whole(answer, self._timeout)
        except httpx.RequestError as error:
            raise self._broken(error) from error

    async def _whole(self, answer: httpx.Response, limit: float | None) -> Reply:
        from wintun_api.client.diagnosis import late

        parts: list[bytes] = []
        size, began = 0, time.monotonic()
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if limit is not None and time.monotonic() - began > limit:
                raise self._advised(late(self._url))
            if size > MAX_ANSWER:
                raise NotTheService(
                    self._url,
                    f"{self._url} sends more than {MAX_ANSWER} bytes, which the service does not.",
                    hint="Give the service's own address as `url`.",
                    kind="other",
                )
        headers = answer.headers
        return Reply(
            answer.status_code,
            b"".join(parts),
            headers.get("Content-Type", ""),
            headers.get("Retry-After", ""),
            headers.get("Location", ""),
        )

    async def _chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        import httpx

        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        except httpx.RequestError as error:
            raise self._broken(error) from error

    def _open(self) -> httpx.AsyncClient:
        """Return the client of HTTP, which is made when it is first needed."""
        import httpx

        if self._closed:
            raise ClientError("The client is closed.", hint="Make another one.")
        if self._http is None:
            self._tls = location.trust(self._url, self._tls)
            self._http = httpx.AsyncClient(
                base_url=self._url,
                verify=self._tls or False,
                transport=self._transport,
                timeout=self._timeout,
                trust_env=False,  # a proxy has no way to this machine's loopback
                follow_redirects=False,
                # A stream has a connection of its own, and requests must not wait for it to end.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
            )
        return self._http

    def _broken(self, error: httpx.RequestError) -> ClientError:
        import httpx

        from wintun_api.client.diagnosis import broken

        if isinstance(error, httpx.TransportError):
            return self._advised(broken(self._url, error))
        return NotTheService(
            self._url,
            f"The answer of {self._url} cannot be decoded: {location.plain(error)}.",
            hint=ITS_ADDRESS,
            kind="other",
        )

    def _advised(self, error: ServiceUnreachable) -> ServiceUnreachable:
        error.hint = self._advice or error.hint
        return error

    # Operations

    async def get_health(self) -> Health:
        """See whether the service is up. No token is needed or sent."""
        return await self.send(operations.get_health())

    async def get_system(self) -> System:
        """Return the service, its machine, the limits, and the scopes of the token."""
        return await self.send(operations.get_system())

    async def get_driver(self) -> Driver:
        """Return the driver, what it can do, and its calls that are running now."""
        return await self.send(operations.get_driver())

    async def delete_driver(self) -> Removal:
        """Remove the kernel driver from the system (wintun.h: WintunDeleteDriver).

        Raises:
            ProblemError: `driver-in-use` while adapters exist; `not-supported`.
        """
        return await self.send(operations.delete_driver())

    async def list_tokens(self) -> list[Token]:
        """Return the tokens that were created, without their secrets."""
        return await self.send(operations.list_tokens())

    async def create_token(
        self, scopes: Iterable[str], *, label: str | None = None, expires_in: float | None = None
    ) -> CreatedToken:
        """Create a token. Its secret is in this answer only.

        Args:
            scopes: What it allows: `read`, `capture`, `inject`, `metrics` or `admin`.
            label: What it is for; at most 100 characters.
            expires_in: After how many seconds it expires; None never.
        """
        return await self.send(operations.create_token(scopes, label=label, expires_in=expires_in))

    async def revoke_token(self, token_id: str) -> None:
        """Revoke a token. Connections that were opened with it are closed."""
        await self.send(operations.revoke_token(token_id))

    async def list_clients(self) -> list[ConnectedClient]:
        """Return the streams that are open now, oldest first, and who opened them."""
        return await self.send(operations.list_clients())

    async def disconnect_client(self, client_id: str) -> None:
        """Disconnect a client. Its token stays valid, so that it can connect again.

        Raises:
            ProblemError: `not-found` if it is not connected.
        """
        await self.send(operations.disconnect_client(client_id))

    async def sign_out(self) -> None:
        """End the sign-in of a browser. It changes nothing for a client with a token."""
        await self.send(operations.sign_out())

    async def list_adapters(self, *, pool: str | None = None) -> list[Adapter]:
        """Return all adapters, or those of one pool."""
        return await self.send(operations.list_adapters(pool=pool))

    async def create_adapter(
        self,
        name: str,
        *,
        pool: str | None = None,
        requested_guid: Guid | None = None,
        mtu: int | None = None,
        addresses: Addresses | None = None,
        metric: int | Unset | None = UNSET,
        routes: Routes | None = None,
        dns: Servers | None = None,
        dns_search: Iterable[str] | None = None,
        if_exists: str | None = None,
    ) -> Adapter:
        """Create an adapter (wintun.h: WintunCreateAdapter). `adapter` gives one that tidies up.

        Args:
            name: Its name: 1 to 127 UTF-16 units.
            pool: Its pool; the tunnel type in Wintun 0.14. The default is `wintun-api`.
            requested_guid: Its GUID. The default is always the same for one pool and name.
            mtu: Its MTU in bytes. The default is the system's.
            addresses: Its addresses with their prefix lengths: `10.6.7.7/24`.
            metric: The metric of the interface. None, like the default, leaves it to the system.
            routes: The routes that lead into it: `{"destination": "10.0.0.0/8"}`.
            dns: The DNS servers, in the order in which they are asked.
            dns_search: The domains in which short host names are looked up.
            if_exists: What happens where an adapter with this name is in this pool: `error`, the
                default; `open` returns that adapter after it got the settings that are given here,
                all or none; `replace` deletes it first, with its session.

        Raises:
            ProblemError: `adapter-exists`, `address-exists`, `route-exists`, `access-denied`,
                `driver-busy` or another; then nothing was created, except that after
                `driver-busy` the driver may still create it.
        """
        return await self.send(
            operations.create_adapter(
                name,
                pool=pool,
                requested_guid=requested_guid,
                mtu=mtu,
                addresses=addresses,
                metric=metric,
                routes=routes,
                dns=dns,
                dns_search=dns_search,
                if_exists=if_exists,
            )
        )

    async def open_adapter(self, name: str, *, pool: str | None = None) -> Adapter:
        """Open an adapter that exists, so that the service manages it.

        Args:
            name: Its name.
            pool: Its pool. The default is `wintun-api`.
        """
        return await self.send(operations.open_adapter(name, pool=pool))

    async def get_adapter(self, guid: Guid) -> Adapter:
        """Return one adapter."""
        return await self.send(operations.get_adapter(guid))

    async def update_adapter(
        self,
        guid: Guid,
        *,
        name: str | None = None,
        mtu: int | None = None,
        addresses: Addresses | None = None,
        metric: int | Unset | None = UNSET,
        routes: Routes | None = None,
        dns: Servers | None = None,
        dns_search: Iterable[str] | None = None,
    ) -> Adapter:
        """Change an adapter, all of it or nothing. What is not given keeps its value.

        Args:
            guid: The adapter.
            name: Its new name.
            mtu: Its MTU in bytes.
            addresses: All its addresses with their prefix lengths; an empty list removes them.
            metric: The metric of the interface; None lets the system choose it.
            routes: All routes into it, except those of the system; an empty list removes them.
            dns: All DNS servers; an empty list removes them.
            dns_search: All search domains; an empty list removes them.
        """
        return await self.send(
            operations.update_adapter(
                guid,
                name=name,
                mtu=mtu,
                addresses=addresses,
                metric=metric,
                routes=routes,
                dns=dns,
                dns_search=dns_search,
            )
        )

    async def delete_adapter(self, guid: Guid, *, force: bool | None = None) -> Removal:
        """Delete an adapter. Its session ends first.

        Args:
            guid: The adapter.
            force: Whether sessions of other programs are closed too, where the driver can.
        """
        return await self.send(operations.delete_adapter(guid, force=force))

    async def restore_adapter(self, guid: Guid) -> Adapter:
        """Apply all settings again that were requested and do not hold any more."""
        return await self.send(operations.restore_adapter(guid))

    async def release_adapter(self, guid: Guid) -> Release:
        """Let the service close its handle. With Wintun 0.14 that removes the adapter."""
        return await self.send(operations.release_adapter(guid))

    async def delete_pool(self, pool: str) -> Removal:
        """Delete all adapters of a pool (wintun.h: WintunDeletePoolDriver).

        Raises:
            ProblemError: `not-supported` with Wintun 0.14 and on Linux.
        """
        return await self.send(operations.delete_pool(pool))

    async def list_sessions(self) -> list[Session]:
        """Return the sessions that run, and those that ended by themselves."""
        return await self.send(operations.list_sessions())

    async def start_session(
        self, adapter: Guid, *, capacity: int | None = None, offload: bool | None = None
    ) -> Session:
        """Start the session of an adapter (wintun.h: WintunStartSession).

        Args:
            adapter: The GUID of the adapter.
            capacity: The ring capacity in bytes, a power of two from 128 KiB to 64 MiB. The
                default is 4 MiB.
            offload: Whether the host passes TCP and UDP data in pieces of up to 64 KiB. The
                default is the setting of the service.

        Raises:
            ProblemError: `session-exists`, `adapter-not-found` or another.
        """
        return await self.send(
            operations.start_session(adapter, capacity=capacity, offload=offload)
        )

    async def get_session(self, session_id: str) -> Session:
        """Return one session with its counters."""
        return await self.send(operations.get_session(session_id))

    async def end_session(self, session_id: str) -> Session:
        """End a session; return it with its last counters."""
        return await self.send(operations.end_session(session_id))

    async def get_impairment(self, session_id: str) -> SessionImpairment:
        """Return the impairment of a session: what was set, what it does now, and its counters.

        Raises:
            ProblemError: `impairment-not-found` if the session is not impaired.
        """
        return await self.send(operations.get_impairment(session_id))

    async def set_impairment(
        self,
        session_id: str,
        *,
        match: Selection | None = None,
        preset: str | None = None,
        received: OneDirection | None = None,
        injected: OneDirection | None = None,
        scenario: Timetable | None = None,
        seed: int | None = None,
        on_change: str | None = None,
        rules: Rules | None = None,
    ) -> SessionImpairment:
        """Make the network of a session bad. It replaces what was set before.

        `AsyncSessionHandle.impair` does the same and undoes it at the end of a block.

        Args:
            session_id: The session.
            match: The packets that are concerned: `{"protocol": "udp", "port": 53}`. The default
                is all.
            preset: A network by its name, one of `list_impairment_presets`.
            received: What happens to packets from the host to the application:
                `{"delay_ms": 100, "loss": 0.02}`.
            injected: What happens to packets from the application to the host.
            scenario: Steps in time: `{"steps": [{"at": 0, "received": {...}}], "loop": True}`.
            seed: The number from which all chance follows. The default is one that the service
                chooses.
            on_change: What happens to packets that are delayed when this is changed or removed:
                `deliver`, which is the default, or `drop`.
            rules: Several rules in place of one, each with a match of its own. The first one that
                matches a packet counts.

        Raises:
            ProblemError: `invalid-request` if the service does not take a value; `session-ended`.
        """
        return await self.send(
            operations.set_impairment(
                session_id,
                match=match,
                preset=preset,
                received=received,
                injected=injected,
                scenario=scenario,
                seed=seed,
                on_change=on_change,
                rules=rules,
            )
        )

    async def remove_impairment(self, session_id: str) -> SessionImpairment:
        """Make the network of a session good again; return what the impairment has done.

        Raises:
            ProblemError: `impairment-not-found` if the session is not impaired.
        """
        return await self.send(operations.remove_impairment(session_id))

    async def list_impairment_presets(self) -> list[Preset]:
        """Return the networks that have a name, with their numbers and where they are from."""
        return await self.send(operations.list_impairment_presets())

    async def inject_packets(
        self, session_id: str, packets: Packet | Iterable[Packet]
    ) -> InjectionReport:
        """Send IP packets to the host in one request. A packet stream is faster for many.

        Args:
            session_id: The session.
            packets: One packet, or several; each is one whole IP packet. Several count together
                against `limits.max_message` of `get_system`.

        Raises:
            ProblemError: `invalid-packet` if it is a single one; several are counted as rejected.
            struct.error: One of several packets is longer than 65535 bytes.
        """
        return await self.send(operations.inject_packets(session_id, packets))

    @asynccontextmanager
    async def capture_packets(
        self,
        session_id: str,
        *,
        direction: str | None = None,
        tap: str | None = None,
        snaplen: int | None = None,
        packets: int | None = None,
        seconds: float | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        marks: bool | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Capture the packets of a session; give the bytes of a pcapng file as they come.

        Args:
            session_id: The session.
            direction: `received`, `injected` or `both`, which is the default.
            tap: On which side of an impairment it watches: `after`, which is the default, or
                `before`.
            snaplen: How many bytes of each packet are kept; 0, the default, keeps all.
            packets: After how many packets the capture ends.
            seconds: After how many seconds it ends.
            filter: A filter in the language of libpcap, such as `tcp port 443`.
            marks: Whether comments say what an impairment did to packets, and whether lost and
                rejected packets are there too.

        Raises:
            ServiceUnreachable: The connection broke, also while the bytes are read.
        """
        call = operations.capture_packets(
            session_id,
            direction=direction,
            tap=tap,
            snaplen=snaplen,
            packets=packets,
            seconds=seconds,
            filter=filter,
            marks=marks,
        )
        async with self.listen(call) as chunks:
            yield chunks

    @asynccontextmanager
    async def capture_adapters(
        self,
        adapter: Iterable[Guid] | None = None,
        *,
        pool: str | None = None,
        direction: str | None = None,
        tap: str | None = None,
        snaplen: int | None = None,
        packets: int | None = None,
        seconds: float | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        marks: bool | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Capture the packets of several adapters; give the bytes of a pcapng file as they come.

        Adapters and sessions that come later belong to it from then on.

        Args:
            adapter: Their GUIDs; None for all, or for those of the pool.
            pool: The pool whose adapters are meant.
            direction: As of `capture_packets`, like the others that are not explained here.
            tap: On which side of an impairment it watches.
            snaplen: How many bytes of each packet are kept.
            packets: After how many packets the capture ends.
            seconds: After how many seconds it ends.
            filter: A filter in the language of libpcap.
            marks: Whether comments say what an impairment did to packets, and whether lost and
                rejected packets are there too.

        Raises:
            ServiceUnreachable: The connection broke, also while the bytes are read.
        """
        call = operations.capture_adapters(
            adapter,
            pool=pool,
            direction=direction,
            tap=tap,
            snaplen=snaplen,
            packets=packets,
            seconds=seconds,
            filter=filter,
            marks=marks,
        )
        async with self.listen(call) as chunks:
            yield chunks

    async def check_filter(self, filter: str) -> FilterVerdict:  # noqa: A002 - the field's word
        """Return whether libpcap accepts a filter, and if not, what is wrong and where."""
        return await self.send(operations.check_filter(filter))

    # The recorder

    async def get_recorder(self, session_id: str) -> Recorder:
        """Return the recorder of a session: its limits, and what it has.

        Raises:
            ProblemError: `recorder-not-found` if it is off.
        """
        return await self.send(operations.get_recorder(session_id))

    async def set_recorder(
        self,
        session_id: str,
        *,
        seconds: float | None = None,
        bytes: int | None = None,  # noqa: A002 - the name of the member
    ) -> Recorder:
        """Let the service keep the last packets of a session, or change how much it keeps.

        Args:
            session_id: The session.
            seconds: The age up to which packets are kept; 120 by default.
            bytes: The memory that they may use; 64 MiB by default.
        """
        return await self.send(operations.set_recorder(session_id, seconds=seconds, bytes=bytes))

    async def remove_recorder(self, session_id: str) -> Recorder:
        """Switch the recorder of a session off, and delete what it has.

        Raises:
            ProblemError: `recorder-not-found` if it is off already.
        """
        return await self.send(operations.remove_recorder(session_id))

    @asynccontextmanager
    async def read_recorder(
        self,
        session_id: str,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        direction: str | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read what the recorder of a session has; give the bytes of a pcapng file.

        Args:
            session_id: The session.
            since: The time of the first packet: `-30s`, `2026-11-29T10:15:00Z`, a `datetime` with
                its zone, or a `timedelta`, which is how long before now.
            until: The time of the last packet, likewise.
            direction: `received`, `injected` or `both`, which is the default.
            filter: A filter in the language of libpcap.

        Raises:
            TypeError: A time is something else.
            ValueError: A `datetime` has no zone, or a `timedelta` is negative.
            ServiceUnreachable: The connection broke, also while the bytes are read.
        """
        call = operations.read_recorder(
            session_id, since=since, until=until, direction=direction, filter=filter
        )
        async with self.listen(call) as chunks:
            yield chunks

    # Named captures

    async def list_captures(self) -> list[Capture]:
        """Return the captures of the service, newest first."""
        return await self.send(operations.list_captures())

    async def create_capture(
        self,
        name: str | None = None,
        *,
        adapters: Iterable[Guid] | None = None,
        pool: str | None = None,
        direction: str | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        snaplen: int | None = None,
        marks: bool | None = None,
        stop: StopConditions | None = None,
        rotate: Rotation | None = None,
        keep: Retention | None = None,
        trigger: TriggerRule | None = None,
    ) -> Capture:
        """Let the service write packets into files, until they are stopped or have enough.

        Args:
            name: A name for people.
            adapters: The GUIDs of its adapters; None for all, or for those of the pool.
            pool: The pool whose adapters are meant.
            direction: `received`, `injected` or `both`, which is the default.
            filter: A filter in the language of libpcap.
            snaplen: How many bytes of each packet are kept; 0, the default, keeps all.
            marks: Whether comments say what an impairment did to packets, and whether lost and
                rejected packets are there too.
            stop: When it ends: `{"packets": 1000, "bytes": 10**9, "seconds": 3600}`, each optional.
            rotate: When another file begins: `{"bytes": 10**8, "seconds": 600}`.
            keep: How much is kept: `{"files": 10, "bytes": 10**9}`.
            trigger: What it waits for: `{"on": "loss", "before": 30, "after": 10}`.
        """
        return await self.send(
            operations.create_capture(
                name,
                adapters=adapters,
                pool=pool,
                direction=direction,
                filter=filter,
                snaplen=snaplen,
                marks=marks,
                stop=stop,
                rotate=rotate,
                keep=keep,
                trigger=trigger,
            )
        )

    async def get_capture(self, capture_id: str) -> Capture:
        """Return a capture with its counts and files.

        Raises:
            ProblemError: `capture-not-found` if there is none with this id.
        """
        return await self.send(operations.get_capture(capture_id))

    async def stop_capture(self, capture_id: str) -> Capture:
        """Stop a capture; its files are kept."""
        return await self.send(operations.stop_capture(capture_id))

    async def trigger_capture(self, capture_id: str) -> Capture:
        """Begin a capture that waits for its trigger.

        Raises:
            ProblemError: `capture-over` if it has ended.
        """
        return await self.send(operations.trigger_capture(capture_id))

    async def delete_capture(self, capture_id: str) -> Capture:
        """Stop a capture and delete its files.

        Raises:
            ProblemError: `capture-not-found` if there is none with this id.
        """
        return await self.send(operations.delete_capture(capture_id))

    @asynccontextmanager
    async def download_capture_file(
        self, capture_id: str, number: int
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read a file of a capture; give the bytes of a pcapng file.

        Args:
            capture_id: The capture.
            number: The number of the file, from 1.

        Raises:
            ServiceUnreachable: The connection broke, also while the bytes are read.
        """
        call = operations.download_capture_file(capture_id, number)
        async with self.listen(call) as chunks:
            yield chunks

    async def list_networks(self) -> list[Network]:
        """Return the networks that agents beside the service have joined."""
        return await self.send(operations.list_networks())

    async def set_network(
        self,
        network: str,
        *,
        host: str,
        hosts: Hosts,
        connected: bool | None = None,
        more_hosts: int | None = None,
    ) -> Network:
        """Report a network, as an agent does; the service forgets it after 30 seconds.

        Args:
            network: The name of the network.
            host: The id of the agent's own host.
            hosts: The hosts of the network, at most 256.
            connected: Whether the agent has a connection to the bus.
            more_hosts: How many hosts did not fit.
        """
        return await self.send(
            operations.set_network(
                network, host=host, hosts=hosts, connected=connected, more_hosts=more_hosts
            )
        )

    async def get_metrics(self) -> str:
        """Return the metrics of the service in the text format of Prometheus."""
        return await self.send(operations.get_metrics())

    def events(
        self, since: int | None = None, *, reconnect: Backoff | bool = True
    ) -> AsyncEventStream:
        """Return the stream of events; the first read connects.

        Args:
            since: The id of the last event that the program has. None begins with a snapshot.
            reconnect: Whether, and how patiently, to connect again when the connection breaks.
        """
        from wintun_api.client.asynchronous_events import AsyncEventStream

        return AsyncEventStream(self, since, reconnect=reconnect)

    # Handles

    def adapter(
        self,
        which: str | UUID | Adapter,
        *,
        pool: str | None = None,
        if_exists: str | None = None,
        requested_guid: Guid | None = None,
        mtu: int | None = None,
        addresses: Addresses | None = None,
        metric: int | Unset | None = UNSET,
        routes: Routes | None = None,
        dns: Servers | None = None,
        dns_search: Iterable[str] | None = None,
    ) -> AsyncAdapterHandle:
        """Return a handle of an adapter. As a context manager it undoes what it has made.

        Args:
            which: The name of an adapter, which is created when the handle is entered and deleted
                when it is left; or the GUID or model of one that exists, which is never deleted.
            pool: As `create_adapter` takes it, like everything below. With a GUID nothing of it
                can be given.
            if_exists: What happens where the name exists in the pool: `error`, the default; `open`
                uses that adapter, which is then not deleted; `replace` deletes it first.
            requested_guid: The GUID of the new adapter.
            mtu: Its MTU in bytes.
            addresses: Its addresses with their prefix lengths.
            metric: The metric of its interface.
            routes: The routes that lead into it.
            dns: The DNS servers.
            dns_search: The domains in which short host names are looked up.

        Raises:
            ValueError: Settings were given for an adapter that exists.
        """
        settings = {
            "pool": pool,
            "if_exists": if_exists,
            "requested_guid": requested_guid,
            "mtu": mtu,
            "addresses": addresses,
            "routes": routes,
            "dns": dns,
            "dns_search": dns_search,
        }
        given: dict[str, Any] = {
            name: value for name, value in settings.items() if value is not None
        }
        if metric is not UNSET:
            given["metric"] = metric
        return AsyncAdapterHandle(self, which, given)

    def session(self, session_id: str) -> AsyncSessionHandle:
        """Return a handle of a session that runs. It is not ended when the handle is left."""
        return AsyncSessionHandle(self, session_id=session_id)


class AsyncAdapterHandle:
    """An adapter, with the client that reaches it. `AsyncClient.adapter` gives it.

    As a context manager it creates the adapter and deletes it at the end, also after an exception,
    a cancellation or a time limit; an adapter that it did not create is left as it is. If the body
    has raised an exception, an error of the clean-up becomes a note of that exception.

    What is being created when the program is interrupted is waited for and then undone. Only if the
    driver takes longer than the service waits for it (`ProblemError`, `driver-busy`) can the
    adapter be created later, and stay.
    """

    def __init__(
        self, client: AsyncClient, which: str | UUID | Adapter, settings: dict[str, Any]
    ) -> None:
        self._client = client
        self._settings = settings
        self._name: str | None = None
        self._guid: UUID | None = None
        self._info: Adapter | None = None
        self._created = False
        self._owed = False  # whether it is to be deleted at the end
        if isinstance(which, UUID):
            self._guid = which
        elif isinstance(which, str):
            try:
                self._guid = UUID(which)
            except ValueError:
                self._name = which
        else:
            self._guid, self._info = which.guid, which
        if self._guid is not None and settings:
            raise ValueError(
                f"{', '.join(settings)} can only be given for a new adapter; use update()"
            )

    @property
    def client(self) -> AsyncClient:
        """The client that reaches the adapter."""
        return self._client

    @property
    def guid(self) -> UUID:
        """The GUID of the adapter.

        Raises:
            ClientError: The handle has a name and was not entered.
        """
        if self._guid is None:
            raise ClientError(
                f"The adapter {self._name!r} was not created yet.",
                hint="Enter the handle first: async with client.adapter(...) as adapter.",
            )
        return self._guid

    @property
    def name(self) -> str:
        """The name of the adapter, as it was when it was last read."""
        return self._name if self._info is None and self._name is not None else self.info.name

    @property
    def info(self) -> Adapter:
        """The adapter as it was when it was last read; `refresh` reads it again.

        Raises:
            ClientError: It was not read yet.
        """
        if self._info is None:
            raise ClientError("The adapter was not read yet.", hint="Enter it, or use refresh().")
        return self._info

    @property
    def created(self) -> bool:
        """Whether this handle has created the adapter."""
        return self._created

    async def __aenter__(self) -> Self:
        """Create the adapter, or read the one that exists."""
        if self._name is None or self._guid is not None:
            await self.refresh()
            return self
        call = operations.create_adapter(self._name, **self._settings)

        async def create() -> tuple[int, Adapter]:
            return await self._client.exchange(call, patient=True)

        async def delete(made: tuple[int, Adapter]) -> None:
            if made[0] == CREATED:
                await self._client.send(operations.delete_adapter(made[1].guid), patient=True)

        status, info = await async_undivided(create, delete)
        self._info, self._guid = info, info.guid
        self._created = self._owed = status == CREATED
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete the adapter if this handle has created it."""
        if self._owed and self._guid is not None:
            self._owed = False
            call = operations.delete_adapter(self._guid)
            # By its name it may be created again; then it is another one.
            self._guid = self._guid if self._name is None else None
            await _undo(self._client, call, error)

    async def refresh(self) -> Adapter:
        """Read the adapter again and return it."""
        self._info = await self._client.get_adapter(self.guid)
        return self._info

    async def update(
        self,
        *,
        name: str | None = None,
        mtu: int | None = None,
        addresses: Addresses | None = None,
        metric: int | Unset | None = UNSET,
        routes: Routes | None = None,
        dns: Servers | None = None,
        dns_search: Iterable[str] | None = None,
    ) -> Adapter:
        """Change the adapter as `AsyncClient.update_adapter` does, and return it."""
        self._info = await self._client.update_adapter(
            self.guid,
            name=name,
            mtu=mtu,
            addresses=addresses,
            metric=metric,
            routes=routes,
            dns=dns,
            dns_search=dns_search,
        )
        return self._info

    async def restore(self) -> Adapter:
        """Apply all settings again that were requested and do not hold any more."""
        self._info = await self._client.restore_adapter(self.guid)
        return self._info

    async def release(self) -> Release:
        """Let the service close its handle; the adapter is then not deleted at the end."""
        released = await self._client.release_adapter(self.guid)
        self._owed = False
        return released

    async def delete(self, *, force: bool | None = None) -> Removal:
        """Delete the adapter now; `force` also closes sessions of other programs."""
        removed = await self._client.delete_adapter(self.guid, force=force)
        self._owed = False
        return removed

    def session(
        self,
        *,
        capacity: int | None = None,
        offload: bool | None = None,
        if_running: Literal["error", "join"] = "error",
    ) -> AsyncSessionHandle:
        """Return a handle that starts the session when it is entered, and ends it when it is left.

        Args:
            capacity: The ring capacity in bytes, as `AsyncClient.start_session` takes it.
            offload: Whether the host passes TCP and UDP data in large pieces.
            if_running: What happens where a session runs already: `error` raises `ProblemError`
                (`session-exists`); `join` uses it, and does not end it.

        Raises:
            ValueError: `if_running` is another word.
        """
        if if_running not in ("error", "join"):
            raise ValueError(f"{if_running!r} is neither 'error' nor 'join'")
        return AsyncSessionHandle(
            self._client, adapter=self, capacity=capacity, offload=offload, if_running=if_running
        )

    def packets(
        self,
        *,
        capacity: int | None = None,
        offload: bool | None = None,
        ends: str | None = None,
        grace: float | None = None,
        direction: str | None = None,
        tap: str | None = None,
        overflow: str | None = None,
        queue_packets: int | None = None,
        queue_bytes: int | None = None,
        snaplen: int | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        times: str | None = None,
        full: str | None = None,
        protocol: Framing = "v1.batch",
        reconnect: Backoff | bool = False,
        keepalive: float | None = 20.0,
        max_queue: int = 64,
    ) -> AsyncPacketStream:
        """Return a stream of the adapter's packets; entering it starts the session or joins it.

        Args:
            capacity: The ring capacity in bytes, if the stream starts the session.
            offload: Whether the host passes TCP and UDP data in large pieces, if it starts it.
            ends: What ends when the last such stream has gone, however it went: `nothing`, which
                is the default, `session` or `adapter`.
            grace: How many seconds the service waits for a stream to come back before that.
            direction: Which packets the program gets: `received`, `injected`, `both` or `none`. The
                default is `received` if the token may capture, else `none`.
            tap: On which side of an impairment the program watches: `after`, which is the default,
                gives what really arrives; `before` what the host and the clients sent.
            overflow: What happens when the queue in the service is full: `drop_oldest`, which is
                the default, `drop_newest`, `close` or `block`.
            queue_packets: How many packets wait in the service.
            queue_bytes: How many bytes of packets wait in the service.
            snaplen: How many bytes of each packet are given; 0, the default, gives all.
            filter: Which packets the program gets, in the language of libpcap, as in `tcp port
                443`; `set_filter` of the stream changes it. The default is all packets.
            times: What has a time: each `burst`, which is the default, or each `packet` as well,
                which costs a little.
            full: What happens to packets that are sent when the send ring is full: `drop`, which is
                the default, or `wait`.
            protocol: The framing: `v1.batch`, `v1.raw` or `v1.pcapng`.
            reconnect: Whether, and how patiently, to connect again when the connection breaks.
            keepalive: After how many seconds of silence the service is asked whether it is there;
                None never asks.
            max_queue: How many messages wait in this program.
        """
        from wintun_api.client.packets import AsyncPacketStream

        query = query_of(
            capacity=capacity,
            offload=offload,
            ends=ends,
            grace=grace,
            direction=direction,
            tap=tap,
            overflow=overflow,
            queue_packets=queue_packets,
            queue_bytes=queue_bytes,
            snaplen=snaplen,
            filter=filter,
            times=times,
            full=full,
        )
        return AsyncPacketStream(
            self._client.reach_socket,
            path_of("v1", "adapters", str(self.guid), "packets"),
            query,
            protocol=protocol,
            reconnect=reconnect,
            keepalive=keepalive,
            max_queue=max_queue,
        )


class AsyncSessionHandle:
    """A session, with the client that reaches it. `AsyncAdapterHandle.session` gives it.

    As a context manager it starts the session and ends it at the end, also after an exception,
    a cancellation or a time limit; a session that it did not start is left as it is.
    """

    def __init__(
        self,
        client: AsyncClient,
        *,
        session_id: str | None = None,
        adapter: AsyncAdapterHandle | None = None,
        capacity: int | None = None,
        offload: bool | None = None,
        if_running: Literal["error", "join"] = "error",
    ) -> None:
        self._client = client
        self._id = session_id
        self._adapter = adapter
        self._capacity = capacity
        self._offload = offload
        self._if_running = if_running
        self._info: Session | None = None
        self._started = False
        self._owed = False  # whether it is to be ended at the end

    @property
    def client(self) -> AsyncClient:
        """The client that reaches the session."""
        return self._client

    @property
    def id(self) -> str:
        """The id of the session.

        Raises:
            ClientError: The session was not started yet.
        """
        if self._id is None:
            raise ClientError(
                "The session was not started yet.",
                hint="Enter the handle first: async with adapter.session() as session.",
            )
        return self._id

    @property
    def info(self) -> Session:
        """The session as it was when it was last read; `refresh` reads it again.

        Raises:
            ClientError: It was not read yet.
        """
        if self._info is None:
            raise ClientError("The session was not read yet.", hint="Enter it, or use refresh().")
        return self._info

    @property
    def started(self) -> bool:
        """Whether this handle has started the session."""
        return self._started

    async def __aenter__(self) -> Self:
        """Start the session, or read the one that runs."""
        if self._adapter is None:
            await self.refresh()
            return self
        call = operations.start_session(
            self._adapter.guid, capacity=self._capacity, offload=self._offload
        )

        async def start() -> Session:
            return await self._client.send(call, patient=True)

        async def end(made: Session) -> None:
            await self._client.send(operations.end_session(made.id), patient=True)

        try:
            self._info = await async_undivided(start, end)
        except ProblemError as error:
            running = error.problem.get("session")
            join = self._if_running == "join" and isinstance(running, str)
            if not join or error.kind != "session-exists":
                raise
            self._id, self._started = str(running), False
            await self.refresh()
            return self
        self._id, self._started, self._owed = self._info.id, True, True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the session if this handle has started it."""
        if self._owed:
            self._owed = False
            ended = await _undo(self._client, operations.end_session(self.id), error)
            self._info = ended or self._info

    def packets(
        self,
        *,
        direction: str | None = None,
        tap: str | None = None,
        overflow: str | None = None,
        queue_packets: int | None = None,
        queue_bytes: int | None = None,
        snaplen: int | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        times: str | None = None,
        full: str | None = None,
        protocol: Framing = "v1.batch",
        reconnect: Backoff | bool = False,
        keepalive: float | None = 20.0,
        max_queue: int = 64,
    ) -> AsyncPacketStream:
        """Return a stream of the session's packets; entering it connects.

        Args:
            direction: Which packets the program gets: `received`, `injected`, `both` or `none`. The
                default is `received` if the token may capture, else `none`.
            tap: On which side of an impairment the program watches: `after`, which is the default,
                gives what really arrives; `before` what the host and the clients sent.
            overflow: What happens when the queue in the service is full: `drop_oldest`, which is
                the default, `drop_newest`, `close` or `block`.
            queue_packets: How many packets wait in the service.
            queue_bytes: How many bytes of packets wait in the service.
            snaplen: How many bytes of each packet are given; 0, the default, gives all.
            filter: Which packets the program gets, in the language of libpcap, as in `tcp port
                443`; `set_filter` of the stream changes it. The default is all packets.
            times: What has a time: each `burst`, which is the default, or each `packet` as well,
                which costs a little.
            full: What happens to packets that are sent when the send ring is full: `drop`, which is
                the default, or `wait`.
            protocol: The framing: `v1.batch`, `v1.raw` or `v1.pcapng`.
            reconnect: Whether, and how patiently, to connect again when the connection breaks.
            keepalive: After how many seconds of silence the service is asked whether it is there;
                None never asks.
            max_queue: How many messages wait in this program.
        """
        from wintun_api.client.packets import AsyncPacketStream

        query = query_of(
            direction=direction,
            tap=tap,
            overflow=overflow,
            queue_packets=queue_packets,
            queue_bytes=queue_bytes,
            snaplen=snaplen,
            filter=filter,
            times=times,
            full=full,
        )
        return AsyncPacketStream(
            self._client.reach_socket,
            path_of("v1", "sessions", self.id, "packets"),
            query,
            protocol=protocol,
            reconnect=reconnect,
            keepalive=keepalive,
            max_queue=max_queue,
        )

    async def refresh(self) -> Session:
        """Read the session again, with its counters, and return it."""
        self._info = await self._client.get_session(self.id)
        return self._info

    def impair(
        self,
        *,
        match: Selection | None = None,
        preset: str | None = None,
        received: OneDirection | None = None,
        injected: OneDirection | None = None,
        scenario: Timetable | None = None,
        seed: int | None = None,
        on_change: str | None = None,
        rules: Rules | None = None,
    ) -> AsyncImpairmentHandle:
        """Return a handle that makes the network bad when it is entered, and undoes it at the end.

        What was set before is set again at the end, if something was.

        Args:
            match: As `AsyncClient.set_impairment` takes it, like everything below.
            preset: A network by its name.
            received: What happens to packets from the host to the application.
            injected: What happens to packets from the application to the host.
            scenario: Steps in time.
            seed: The number from which all chance follows.
            on_change: What happens to packets that are delayed when this is changed or removed.
            rules: Several rules in place of one.
        """
        members = {
            "match": match,
            "preset": preset,
            "received": received,
            "injected": injected,
            "scenario": scenario,
            "seed": seed,
            "on_change": on_change,
            "rules": rules,
        }
        return AsyncImpairmentHandle(self, members)

    async def impairment(self) -> SessionImpairment | None:
        """Return the impairment of the session with its counters; None if it is not impaired."""
        return await self._unless("impairment-not-found", operations.get_impairment(self.id))

    async def repair(self) -> SessionImpairment | None:
        """Remove the impairment; return what it has done, or None if there was none."""
        return await self._unless("impairment-not-found", operations.remove_impairment(self.id))

    async def record(
        self,
        *,
        seconds: float | None = None,
        bytes: int | None = None,  # noqa: A002 - the name of the member
    ) -> Recorder:
        """Let the service keep the last packets of the session, or change how much it keeps.

        Args:
            seconds: The age up to which packets are kept; 120 by default.
            bytes: The memory that they may use; 64 MiB by default.
        """
        return await self._client.set_recorder(self.id, seconds=seconds, bytes=bytes)

    async def recorder(self) -> Recorder | None:
        """Return the limits of the recorder and what it has; None if it is off."""
        return await self._unless("recorder-not-found", operations.get_recorder(self.id))

    async def save_recorder(
        self,
        path: str | PathLike[str],
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        direction: str | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
    ) -> None:
        """Write what the recorder has to a pcapng file; it continues meanwhile.

        If the connection breaks, the file has the packets that came before.

        Args:
            path: The file; one that exists is replaced.
            since: As `AsyncClient.read_recorder` takes it, like everything below.
            until: The time of the last packet.
            direction: `received`, `injected` or `both`.
            filter: A filter in the language of libpcap.

        Raises:
            ProblemError: `recorder-not-found` if it is off.
            ServiceUnreachable: The connection broke.
            OSError: The file cannot be written.
        """
        read = self._client.read_recorder(
            self.id, since=since, until=until, direction=direction, filter=filter
        )
        async with read as chunks:
            with _written(path) as file:
                async for chunk in chunks:
                    file.write(chunk)

    async def remove_recorder(self) -> Recorder | None:
        """Switch the recorder off; return what it had, or None if it was off."""
        return await self._unless("recorder-not-found", operations.remove_recorder(self.id))

    async def end(self) -> Session:
        """End the session now; return it with its last counters."""
        self._info = await self._client.end_session(self.id)
        self._owed = False
        return self._info

    async def inject(self, packets: Packet | Iterable[Packet]) -> InjectionReport:
        """Send IP packets to the host in one request, as `AsyncClient.inject_packets` does."""
        return await self._client.inject_packets(self.id, packets)

    @asynccontextmanager
    async def capture(
        self,
        *,
        direction: str | None = None,
        tap: str | None = None,
        snaplen: int | None = None,
        packets: int | None = None,
        seconds: float | None = None,
        filter: str | None = None,  # noqa: A002 - the field's word
        marks: bool | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Capture the packets of the session, as `AsyncClient.capture_packets` does."""
        async with self._client.capture_packets(
            self.id,
            direction=direction,
            tap=tap,
            snaplen=snaplen,
            packets=packets,
            seconds=seconds,
            filter=filter,
            marks=marks,
        ) as chunks:
            yield chunks

    async def _unless(self, kind: str, call: Call[T]) -> T | None:
        """Send a request; return None if the service refuses it with a problem of this kind."""
        try:
            return await self._client.send(call)
        except ProblemError as error:
            if error.kind != kind:
                raise
            return None


class AsyncImpairmentHandle:
    """A bad network for the time of a block. `AsyncSessionHandle.impair` gives it.

    At the end it sets again what was set before, or removes the impairment, also after an
    exception, a cancellation or a time limit.
    """

    def __init__(self, session: AsyncSessionHandle, members: dict[str, Any]) -> None:
        self._session = session
        self._members = members
        self._info: SessionImpairment | None = None
        self._undoing: Call[SessionImpairment] | None = None  # what is sent at the end

    @property
    def session(self) -> AsyncSessionHandle:
        """The session that is impaired."""
        return self._session

    @property
    def info(self) -> SessionImpairment:
        """What the service said last; `counters` reads it again.

        Raises:
            ClientError: It was not set yet.
        """
        if self._info is None:
            raise ClientError(
                "The impairment was not set yet.",
                hint="Enter the handle first: async with session.impair(...) as impairment.",
            )
        return self._info

    @property
    def seed(self) -> int:
        """The number from which all chance follows, as it was given or as the service chose it."""
        return self.info.seed

    async def __aenter__(self) -> Self:
        """Set the impairment, and remember what was set before."""
        client, session = self._session.client, self._session.id
        before = await self._session.impairment()
        undoing = (
            operations.remove_impairment(session)
            if before is None
            else operations.set_impairment(session, **members_of(before))
        )
        call = operations.set_impairment(session, **self._members)

        async def impair() -> SessionImpairment:
            return await client.send(call, patient=True)

        async def undo(_made: SessionImpairment) -> None:
            await client.send(undoing, patient=True)

        self._info = await async_undivided(impair, undo)
        self._undoing = undoing
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Set again what was set before, or remove the impairment; `info` has the last counters."""
        if self._undoing is not None:
            call, self._undoing = self._undoing, None
            last = await _undo(self._session.client, call, error)
            self._info = last or self._info

    async def counters(self) -> SessionImpairment:
        """Read what it has done to packets, in `received` and in `injected`, and return it.

        After the end of the block these are the last counters.
        """
        if self._undoing is not None:
            self._info = await self._session.client.get_impairment(self._session.id)
        return self.info

    async def change(
        self,
        *,
        match: Selection | None = None,
        preset: str | None = None,
        received: OneDirection | None = None,
        injected: OneDirection | None = None,
        scenario: Timetable | None = None,
        seed: int | None = None,
        on_change: str | None = None,
        rules: Rules | None = None,
    ) -> SessionImpairment:
        """Set another impairment in place of this one, until the end of the block.

        The arguments are those of `AsyncSessionHandle.impair`. Without a seed the present one is
        used again: all chance begins anew from it.

        Raises:
            ClientError: The block was not entered, or it has ended.
        """
        if self._undoing is None:
            raise ClientError(
                "The impairment does not hold now.",
                hint="Change it inside of its block: async with session.impair(...) as impairment.",
            )
        self._info = await self._session.client.set_impairment(
            self._session.id,
            match=match,
            preset=preset,
            received=received,
            injected=injected,
            scenario=scenario,
            seed=self.seed if seed is None else seed,
            on_change=on_change,
            rules=rules,
        )
        return self._info


async def _undo(client: AsyncClient, call: Call[T], error: BaseException | None) -> T | None:
    """Send the request of a clean-up, to its end; what it fails with does not hide `error`."""

    async def send() -> T:
        return await client.send(call, patient=True)

    try:
        return await async_undivided(send)
    except ClientError as failure:
        if isinstance(failure, ProblemError) and failure.kind in GONE:
            return None
        if error is None:
            raise
        error.add_note(f"Cleaning up failed as well: {failure}")
        return None


def _written(path: str | PathLike[str]) -> BinaryIO:
    """Open a file that is written in short pieces, which an event loop need not wait for."""
    return Path(path).open("wb")
