"""WebSocket clients in other languages, small enough to copy, and the tests that run them.

Each folder is one client: `tunnel` answers pings behind an adapter, `batch` is the codec of
`v1.batch.wintun-api`, `codec` shows to the tests what it reads. A client reads API and TOKEN from
the environment and takes a session, and a protocol where it speaks both.
"""
