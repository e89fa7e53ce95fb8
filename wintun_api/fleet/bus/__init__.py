"""What the rooms of `fleet` ask of a bus. `nats` does it with a NATS server.

seam    the bus as the other rooms see it
intake  messages of a subscription on their way to the one who takes them
nats/   the bus over connections to a NATS server
"""
