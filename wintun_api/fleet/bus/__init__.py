"""What the rooms of `fleet` ask of a bus. `nats` does it with a NATS server.

seam  the bus as the other rooms see it
nats  the same over a connection to a NATS server
"""
