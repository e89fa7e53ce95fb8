"""Packets on their way between a service and the bus, and what became of each.

Everything here belongs to the event loop's thread, and no packet ends without a count.

    envelope     packets as messages of the bus, with numbers for each pair of hosts
    grouping     packets of a burst by destination, and those whose source is not allowed
    backlog      packets that wait for the bus, within a bound
    leaving      from the service to the bus
    arriving     from the bus to the service
    unreachable  what the host is told when no host has an address
    accounts     what became of all packets: sent = delivered + the sum of the causes
    ledger       counters that outlive the process
    losses       what was lost since it was last told
    counts       what an agent counts beside packets
"""
