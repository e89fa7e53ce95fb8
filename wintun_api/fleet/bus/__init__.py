"""What the rooms of `fleet` ask of a bus, and how a NATS server does it.

Only `nats` imports nats-py, so all other rooms work and are tested without it.

    seam    the bus as the other rooms see it
    intake  messages of a subscription on their way to the one who takes them
    nats/   the bus over connections to a NATS server
"""
