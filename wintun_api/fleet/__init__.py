"""Many hosts in one layer 3 network, over NATS: `wintun-api join`.

An agent without rights connects the local service with a bus. It is a client of the service as any
other program is; the service itself never speaks to the bus.

    network      the names of a network: subjects, buckets, hosts
    urls         the URLs of the servers of a bus
    identity     the key of a host (an NKEY), and the line that brings it to its host
    rights       what the server of the bus allows to a host, to an operator, to a reader
    server/      a nats-server of one's own: found, configured, run
    bus/         what the rooms below ask of a bus, and how NATS does it

    routes       which host has an address: longest prefix first
    ownership    which of several claims to a prefix holds
    claims       claim one's own prefixes, and watch those of all hosts
    card         what a host says of itself every ten seconds
    inventory    the hosts that say so, and what they are called
    clock        how far this host's clock is from the server's

    envelope     packets as messages of the bus, with numbers for each pair of hosts
    grouping     packets of a burst by destination, and those whose source is not allowed
    backlog      packets that wait for the bus, within a bound
    leaving      from the service to the bus
    arriving     from the bus to the service
    attachment   the adapter at the local service, and how it is found again
    service_changes  wait until the service has an adapter or a session
    exchange     both directions for one adapter, and what they decide by
    confirming   tell other hosts what became of their packets
    unreachable  what the host is told when no host has an address
    ledger       counters that outlive the process
    storage      where an agent keeps its key and its ledger
    accounts     what became of all packets: sent = delivered + the sum of the causes
    losses       what was lost since it was last told
    counts       what an agent counts beside packets

    capturing    bring what the service captures to the bus
    excerpt      a part of a capture as a message: a file of its own, and its place
    merging      the captures of all hosts as one file, ordered by corrected time
    remarks      what a reader is to know besides the file
    reading      read it from the stream of the network
    folder       where keys are, and for which networks
    dialogue     what is asked and answered over the bus
    allowance    which operations of the API may be asked for
    remote       answer requests for the service's API that come over the bus
    reaching     send such requests, as a client does
    reporting    report the network to the service of this host, for its dashboard
    presence     this host among the others: its card, its life, its claims
    order        what an agent is told to do, and how often
    agent        all of it for one network: what `wintun-api join` runs
    events       what an agent tells while it runs
    sentences    what it says when something has changed
    race         the first of several things, and the error that has made the others
    documents    JSON of strangers: bounded, and validated
    problems     what can fail
"""
