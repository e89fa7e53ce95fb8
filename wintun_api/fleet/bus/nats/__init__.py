"""The bus over connections to a NATS server: the only place that imports nats-py.

    bus         what the seam promises: one connection after the other
    connection  one connection: nats-py with the ends that it leaves open
    parsing     what a server says, divided into its operations
    line        its socket: how much waits, how it has ended, whether it is encrypted
    jetstream   what the server keeps, as it is asked for: questions, answers, ordered deliveries
    buckets     keys and values, and watches that miss nothing
    streams     messages that the server keeps

nats-py carries the protocol, TLS, the signature and requests. It is not asked to connect again,
because after some errors of the server it ends for good, and what it has not sent then is not
known: each connection is a client of its own. Its subscriptions are not asked to queue messages,
because what they drop is counted by no one.
"""

from wintun_api.fleet.bus.nats.bus import NatsBus

__all__ = ["NatsBus"]
