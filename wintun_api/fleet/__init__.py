"""Many hosts in one layer 3 network, over NATS: `wintun-api join`.

An agent without rights connects the local service with a bus. It is a client of the service as any
other program is; the service itself never speaks to the bus.

    network    the names of a network: subjects, buckets, hosts
    urls       the URLs of the servers of a bus
    keys/      the keys of hosts, operators and readers, and what they allow
    server/    a nats-server of one's own: found, configured, run
    bus/       what the rooms below ask of a bus, and how NATS does it
    clock      how far this host's clock is from the server's

    members/   the hosts of a network, and which of them has an address
    packets/   packets between a service and the bus, and what became of each
    service/   the local service, as its agent sees it
    captures/  the captures of all hosts as one file
    remote/    the API of the service of another host
    storage    where an agent keeps its key and its counters
    events     what an agent tells while it runs
    agent/     what `wintun-api join` runs

    race       the first of several things, and the error that has made the others
    documents  JSON of strangers: bounded, and validated
    problems   what can fail
"""
