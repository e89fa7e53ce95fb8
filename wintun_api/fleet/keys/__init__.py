"""The keys of a network: whose they are, what they allow, and where they lie.

The seed of a key stays in one file and in memory; the server knows public keys alone.

    identity  the key of a host (an NKEY), and the line that brings it to its host
    rights    what the server of the bus allows to a host, to an operator, to a reader
    folder    where keys are, and for which networks
"""
